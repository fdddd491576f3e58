"""The paths of a trained network, weighed: by hand, by other routes, and by the network itself."""

import json
from fractions import Fraction

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError
from recform.formula import parse, resolve
from recform.network import compile as compile_network
from recform.paths import Weights, analyze, read_weights_log, spectrum
from recform.paths.roles import roles_of
from recform.pictures import gates, save, spectra
from recform.tape import Parameter, parameter_to_text, unroll

REZERO = "param a[l] = 0\nx[l+1] = x[l] + a[l]*F(x[l])"
GATED = "param a = 1/2 in sigmoid\nx[l+1] = gate_static(a*F(x[l]), x[l], x[l-1]) - (1 - a)*x[l]"
HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)


def write_run(folder, formula, rows, depth=3, borders=()):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "formula.rf").write_text(formula + "\n")
    lines = [{"depth": depth, "borders": list(borders), "coefficients": {}, "gates": {}, **row}
             for row in rows]  # fmt: skip
    (folder / "gates.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def rezero_run(folder):
    rows = [{"epoch": epoch, "coefficients": {f"a[{block}]": 0.25 * epoch for block in range(3)}}
            for epoch in range(3)]  # fmt: skip
    return write_run(folder, REZERO, rows)


def gated_run(folder):
    gate = {
        "gate_static.0": [1, 1.0],
        **{f"gate_static.{block}": [1, 0.25, 0.75] for block in (1, 2)},
    }
    rows = [{"epoch": 0, "coefficients": {"a": 0.5}},
            {"epoch": 1, "coefficients": {"a": 0.75}, "gates": gate}]  # fmt: skip
    return write_run(folder, GATED, rows)


def highway_run(folder):
    rows = [{"epoch": 0},
            {"epoch": 1, "written": {"T.0": [0.5, 0.25], "T.1": [0.25, 0.125]}},
            {"epoch": 2, "written": {"T.0": [0.25, 0.125], "T.1": [None, None]}}]  # fmt: skip
    return write_run(folder, str(resolve("highway")), rows, depth=2)


def starts(formula, depth):
    parameters = [op for op in unroll(formula, depth).operations if isinstance(op, Parameter)]
    assert parameters
    return {parameter_to_text(parameter): Fraction(parameter.start) for parameter in parameters}


def asked(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_a_path_counts_by_the_product_of_the_weights_along_it():
    tape = unroll(parse(REZERO), 2)
    found = spectrum(tape, Weights(1, {"a[0]": HALF, "a[1]": -QUARTER}, {}))
    # (1 + t/2)(1 - t/4)
    assert found.net == (1, QUARTER, -Fraction(1, 8))
    assert found.gross == (1, HALF + QUARTER, Fraction(1, 8))
    assert found.shares == (Fraction(8, 11), Fraction(2, 11), Fraction(1, 11))
    assert found.mean_length == Fraction(4, 11)


def test_a_gate_counts_by_its_mean_weights():
    tape = unroll(parse("x[l+1] = gate(F(x[l]), x[l], x[l-1])"), 2)
    weights = Weights(1, {}, {"gate.0": (HALF, 1), "gate.1": (QUARTER, HALF, HALF)})
    # x[1] = (1 + t/2) x[0];  x[2] = (1/2 + t/4) x[1] + 1/2 x[0]
    assert spectrum(tape, weights).net == (1, HALF, Fraction(1, 8))


def test_a_gate_that_is_written_out_counts_by_its_mean():
    weights = Weights(1, {}, {}, {"T.0": (QUARTER, Fraction(0)), "T.1": (HALF, HALF)})
    # (3/4 + t/4)(1/2 + t/2)
    assert spectrum(unroll(resolve("highway"), 2), weights).net == (Fraction(3, 8), HALF,
                                                                    Fraction(1, 8))  # fmt: skip
    # x + T*F and what is no factor stays what it is
    tape = unroll(parse("block T = sigmoid_conv1x1\nx[l+1] = T(x[l])*F(x[l]) + T(x[l])"), 1)
    assert spectrum(tape, Weights(1, {}, {}, {"T.0": (HALF, HALF)})).net == (0, Fraction(3, 2))


@pytest.mark.parametrize("name", ["rezero", "denseformer", "layerscale", "skipinit"])
def test_at_its_start_values_a_formula_has_the_paths_it_has_at_init(name):
    formula = resolve(name)
    found = spectrum(unroll(formula, 4), Weights(0, starts(formula, 4), {}))
    expected = analyze(formula, 4, at="init")
    assert (found.net, found.gross) == (expected.net, expected.gross)


@pytest.mark.parametrize("name", ["rezero", "denseformer", "layerscale"])
def test_with_weights_of_one_it_is_the_net_polynomial(name):
    formula = resolve(name)
    ones = dict.fromkeys(starts(formula, 5), Fraction(1))
    assert spectrum(unroll(formula, 5), Weights(1, ones, {})).net == analyze(formula, 5).net


@pytest.mark.parametrize("gain", [0.0, 0.5, -1.25])
def test_a_network_of_linear_blocks_has_the_derivative_that_its_spectrum_says(tmp_path, gain):
    """The network shares no code with the spectrum but the tape."""
    blocks = [nn.Linear(1, 1, bias=False).double() for _ in range(3)]
    network = compile_network(GATED, blocks).double()
    for block in blocks:
        nn.init.constant_(block.weight, gain)
    torch.manual_seed(0)
    for parameter in network.formula.parameters():
        nn.init.normal_(parameter)
    weights = Weights(
        1,
        {"a": Fraction(network.formula.a.sigmoid().item())},
        {f"gate_static.{block}": (1, *map(Fraction, gate.logits.softmax(0).tolist()))
         for block, gate in network.formula.gate_static.named_children()},
    )  # fmt: skip
    net = spectrum(unroll(parse(GATED), 3), weights).net
    given = network(torch.ones(1, 1, dtype=torch.float64)).item()
    # sums of about ten products of doubles
    assert float(sum(c * Fraction(gain) ** k for k, c in enumerate(net))) == pytest.approx(
        given, abs=1e-13
    )


def test_a_log_is_read_to_the_last_bit(tmp_path):
    log = read_weights_log(write_run(tmp_path / "run", REZERO, [
        {"epoch": 4, "coefficients": {"a[0]": 1 / 3, "a[1]": None}}
    ]))  # fmt: skip
    assert log.epochs == (Weights(4, {"a[0]": Fraction(1 / 3), "a[1]": None}, {}),)
    assert (log.depth, log.borders, log.at(4)) == (3, (), log.epochs[0])


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda run: (run / "gates.jsonl").unlink(), "bad-run", "has no gates.jsonl"),
        (lambda run: (run / "gates.jsonl").write_text(""), "bad-run", "is damaged"),
        (lambda run: (run / "gates.jsonl").write_text("{"), "bad-run", "is damaged"),
        (lambda run: (run / "gates.jsonl").write_text("[]\n"), "bad-run", "is damaged"),
        (lambda run: (run / "formula.rf").unlink(), "no-such-file", "formula.rf"),
        (lambda run: (run / "formula.rf").write_text("param b = 1\nx[l+1] = b*F(x[l])\n"),
         "bad-run", "after epoch 2 do not tell b"),
    ],
)  # fmt: skip
def test_a_run_that_tells_no_weights_is_refused(tmp_path, change, code, message):
    run = rezero_run(tmp_path / "run")
    change(run)
    answer = asked("spectrum", run)
    assert answer.exit_code == 1
    assert isinstance(answer.exception, UserError)
    assert answer.exception.code == code
    assert message in str(answer.exception)


def test_weights_that_ran_away_and_epochs_that_are_not_there_are_told(tmp_path):
    run = write_run(tmp_path / "run", REZERO, [{"epoch": 1, "coefficients": {"a[0]": None}}])
    assert "a[0] is not a number after epoch 1" in str(asked("spectrum", run).exception)
    refused = asked("spectrum", run, "--epoch", 7)
    assert "has no epoch 7" in str(refused.exception)
    assert "choose one of 1 to 1" in str(refused.exception)


def test_gates_are_not_known_before_training(tmp_path):
    refused = asked("spectrum", gated_run(tmp_path / "run"), "--epoch", 0)
    assert "the weights after epoch 0 do not tell gate_static.0" in str(refused.exception)


def test_written_gates_are_read_and_are_not_known_before_training(tmp_path):
    run = highway_run(tmp_path / "run")
    log = read_weights_log(run)
    assert log.at(0).written == {"T.0": None, "T.1": None}
    assert log.at(2).written == {"T.0": (QUARTER, Fraction(1, 8)), "T.1": (None, None)}
    refused = asked("spectrum", run, "--epoch", 0)
    assert "the weights after epoch 0 do not tell T.0" in str(refused.exception)
    assert "T.1 is not a number after epoch 2" in str(asked("spectrum", run).exception)
    assert json.loads(asked("spectrum", run, "--epoch", 1, "--json").stdout)["drawn"]


def test_written_gates_of_another_formula_are_refused(tmp_path):
    run = highway_run(tmp_path / "run")
    (run / "formula.rf").write_text(REZERO)
    with pytest.raises(UserError, match=r"the weights tell T\.0, which the formula has not"):
        spectrum(unroll(parse("x[l+1] = x[l] + F(x[l])"), 2), read_weights_log(run).at(1))
    text = (run / "gates.jsonl").read_text().replace("T.0", "T")
    (run / "gates.jsonl").write_text(text)
    assert "is damaged" in str(asked("plot", "gates", run, "-o", tmp_path / "a.png").exception)


def test_the_command_prints_the_weights_of_each_length(tmp_path):
    answer = asked("spectrum", rezero_run(tmp_path / "run"), "--json")
    told = json.loads(answer.stdout)
    # (1 + t/2)^3
    assert told["exact"] == ["1", "3/2", "3/4", "1/8"]
    assert told["net"] == [1, 1.5, 0.75, 0.125]
    assert told["drawn"] == ["1", "3", "3", "1"]
    assert told["mean_length"] == 1
    assert "mean length 1.000 blocks" in asked("spectrum", tmp_path / "run").stdout


def test_roles_count_back_from_the_block(tmp_path):
    roles = roles_of(read_weights_log(gated_run(tmp_path / "run")).tape())
    texts = {role.key: role.text for role in roles}
    assert texts["a", None] == "a"
    assert [texts["gate_static.2", place] for place in (1, 2)] == ["x[l]", "x[l-1]"]
    dense = roles_of(unroll(resolve("denseformer"), 3))
    assert {role.text for role in dense if role.block == 2} == {"a[l, l-2]", "a[l, l-1]",
                                                                "a[l, l]", "a[l, l+1]"}  # fmt: skip


def test_the_picture_has_a_row_for_each_family_and_a_line_for_each_weight(tmp_path):
    figure = gates(rezero_run(tmp_path / "rezero"))
    course, stand = figure.axes[:2]
    assert course.get_title("left") == "a[l]"
    assert [[*line.get_ydata()] for line in course.lines] == [[0, 0.25, 0.5]] * 3
    assert [[*line.get_ydata()] for line in stand.lines] == [[0] * 3, [0.5] * 3]
    figure = gates(gated_run(tmp_path / "gated"))
    titles = [axes.get_title("left") for axes in figure.axes]
    assert [title for title in titles if title] == ["a", "after epoch 1",
        "gate_static: mean over blocks", "after epoch 1 (grey: 1, not learned)"]  # fmt: skip
    assert save(figure, tmp_path / "gates.png").stat().st_size > 0


def test_lines_and_colours_are_for_what_is_learned(tmp_path):
    # of block 0 all weights are 1, of the others those of F
    course, stand = gates(gated_run(tmp_path / "gated")).axes[2:4]
    assert {line.get_label(): [*line.get_ydata()] for line in course.lines} == {
        "x[l]": [0.25], "x[l-1]": [0.75]
    }  # fmt: skip
    given, learned = (image.get_array() for image in stand.images)
    assert given.mask.tolist() == [[False] * 3, [False, True, True], [True] * 3]
    assert learned.filled(0).tolist() == [[0] * 3, [0, 0.25, 0.25], [0, 0.75, 0.75]]
    assert stand.images[1].get_clim() == (0.25, 0.75)


def test_where_signs_mix_no_colour_is_for_zero(tmp_path):
    formula = "param a[l, i] = 1\nx[l+1] = F(x[l]) + sum(a[l, i]*x[i] for i in 0..l)"
    rows = [{"epoch": 0, "coefficients": {"a[0, 0]": 2.0, "a[1, 0]": -0.5, "a[1, 1]": 0.25}}]
    stand = gates(write_run(tmp_path / "run", formula, rows, depth=2)).axes[1]
    assert stand.images[1].get_clim() == (-2, 2)


def test_of_a_written_gate_the_spread_is_drawn_too(tmp_path):
    course, stand = gates(highway_run(tmp_path / "run")).axes[:2]
    assert course.get_title("left") == "T[l]"
    assert [[*line.get_xdata()] for line in course.lines] == [[1, 2]] * 2
    assert [*course.lines[0].get_ydata()] == [0.5, 0.25]
    (band,) = stand.collections
    assert band.get_datalim(stand.transData).y0 == pytest.approx(0.125)
    assert band.get_datalim(stand.transData).y1 == pytest.approx(0.375)


def test_the_spectra_of_all_epochs_are_drawn_that_are_known(tmp_path):
    figure = spectra(rezero_run(tmp_path / "rezero"))
    assert [*figure.axes[1].lines[0].get_ydata()] == pytest.approx([0, 0.6, 1])
    assert len(figure.axes[0].lines) == 3
    # before training the gates are not known
    assert len(spectra(gated_run(tmp_path / "gated")).axes[0].lines) == 1


def test_commands_draw(tmp_path):
    run = rezero_run(tmp_path / "run")
    assert asked("plot", "gates", run, "-o", tmp_path / "gates.svg").exit_code == 0
    assert asked("spectrum", run, "-o", tmp_path / "spectrum.svg").exit_code == 0
    assert (tmp_path / "gates.svg").exists()
    assert (tmp_path / "spectrum.svg").exists()
    assert "no gates.jsonl" in str(asked("plot", "gates", tmp_path, "-o", "a.png").exception)


def test_a_formula_with_a_root_in_it_is_refused_in_words():
    weights = Weights(1, {"a[0]": HALF}, {})
    with pytest.raises(UserError) as caught:
        spectrum(unroll(parse("param a[l] = 0\nx[l+1] = x[l]/sqrt(2) + a[l]*F(x[l])"), 1), weights)
    assert caught.value.code == "irrational"


def test_a_function_of_a_coefficient_is_taken_of_its_number():
    tape = unroll(parse("param a[l] = 0\nx[l+1] = x[l] + sigmoid(a[l])*F(x[l])"), 1)
    net = spectrum(tape, Weights(1, {"a[0]": Fraction(0)}, {})).net
    assert net == (1, HALF)
