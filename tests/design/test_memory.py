"""One state that remembers: its responses, and where the input can take a part."""

from __future__ import annotations

from flint import fmpq_poly

from recform.design.memory import memory_forms

ONE = (fmpq_poly([1]), fmpq_poly([1]))
ALWAYS = (fmpq_poly([1]), fmpq_poly([1, -1]))


def texts(skip, letter) -> list[str]:
    return [form.text for form in memory_forms(skip, letter, fresh=False)]


def test_a_skip_at_every_depth_is_remembered_or_taken_from_the_input():
    assert texts(ALWAYS, ONE) == [
        "x[l+1] = x[l] + F(x[l]) - F(x[l-1])",
        "x[l+1] = x[0] + F(x[l])",
    ]


def test_without_the_factor_one_less_z_nothing_is_taken_from_the_input():
    assert texts(ONE, ONE) == ["x[l+1] = F(x[l])"]


def test_the_whole_derivative_is_resnet_and_needs_no_input():
    assert texts(ALWAYS, ALWAYS) == ["x[l+1] = x[l] + F(x[l])"]


def test_start_values_make_up_for_what_the_skip_response_begins_with():
    twice = (fmpq_poly([1, 2]), fmpq_poly([1, 0, -1]))
    assert texts(twice, ONE)[0] == ("x[l+1] = x[l-1] + F(x[l]) - F(x[l-2])\ninit x[-1] = 2*x[0]")
