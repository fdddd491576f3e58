"""The picture of a search: what is on the front is what nothing beats."""

from __future__ import annotations

import io

import pytest

from recform.errors import UserError
from recform.pictures import Dot, front
from recform.pictures.fronts import undominated

DOTS = [Dot(1, 4, "a"), Dot(2, 3, "beaten"), Dot(2, 9, "c"), Dot(3, 9, "as good"), Dot(4, 10, "d")]


def test_the_front_is_what_nothing_beats():
    assert [dot.name for dot in undominated(DOTS)] == ["a", "c", "d"]


def test_every_place_has_a_dot_and_the_front_has_names():
    figure = front(DOTS, "kept", "paths")
    figure.savefig(io.BytesIO(), format="png", dpi=30)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["a", "c", "d"]
    assert len(axes.collections[0].get_offsets()) == 5
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "kept (less is better)",
        "paths (more is better)",
    )


def test_far_apart_counts_are_drawn_on_a_logarithmic_axis():
    (axes,) = front([Dot(1, 2, "a"), Dot(2, 1000, "b")], "kept", "paths").axes
    assert axes.get_yscale() == "log"


def test_a_picture_of_nothing_is_refused():
    with pytest.raises(UserError) as error:
        front([], "kept", "paths")
    assert error.value.code == "bad-argument"
