"""The picture of a probed network."""

from types import SimpleNamespace as Value

from recform.pictures.probes import probe


def magnitudes(paths: int, mean: float | None, std: float | None = 0.1) -> Value:
    return Value(paths=paths, mean=mean, std=std, contribution=paths * mean if mean else 0.0)


def paths_of(cancelled: int) -> Value:
    nothing = magnitudes(0, None, None)
    rows = [
        Value(length=0, surviving=magnitudes(1, 0.5, 0.0), cancelled=nothing),
        Value(length=1, surviving=magnitudes(2, 0.25), cancelled=magnitudes(cancelled, 0.1)),
        Value(length=2, surviving=magnitudes(1, 0.125, 0.0), cancelled=nothing),
    ]
    return Value(lengths=rows)


LESIONS = Value(
    intact=Value(error=4.0),
    blocks=[Value(name=f"F[{index}]", score=Value(error=10.0 + index)) for index in range(2)],
    sets=[Value(num_dropped=1, mean_error=10.5, std_error=0.5),
          Value(num_dropped=2, mean_error=90.0, std_error=0.0)],
)  # fmt: skip


def test_bars_have_the_numbers_and_contributions_as_heights():
    figure = probe(paths_of(cancelled=0), None, "ResNet")
    gradient, number, contribution = figure.axes
    assert [bar.get_height() for bar in number.patches] == [1, 2, 1]
    assert [bar.get_height() for bar in contribution.patches] == [0.5, 0.5, 0.125]
    assert gradient.get_yscale() == "log"


def test_words_that_cancel_are_a_series_of_their_own():
    figure = probe(paths_of(cancelled=3), None, "ResNet-s")
    assert [bar.get_height() for bar in figure.axes[1].patches] == [1, 2, 1, 0, 3, 0]
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["surviving", "cancelled"]


def test_lesions_are_two_panels_more():
    figure = probe(paths_of(cancelled=0), LESIONS, "$ResNet")
    without_one, without_several = figure.axes[3:]
    assert list(without_one.lines[0].get_ydata()) == [10, 11]
    assert [text.get_text() for text in without_one.get_xticklabels()] == ["F[0]", "F[1]"]
    assert list(without_several.lines[0].get_ydata()) == [4, 10.5, 90]
    figure.draw_without_rendering()
