"""What a formula is at the borders of stages: as a backbone is built by it."""

from __future__ import annotations

import pytest

import recform
from recform.design.borders import at_borders
from recform.errors import UserError
from recform.formula import parse

FORMULAS = {
    "x[l+1] = x[l] + F(x[l]) - F(x[l-1])": "crossed",
    "x[l+1] = x[l] + F[l](F(x[l-1]))": "crossed",
    "x[l+1] = x[l] + F(y[l])\ny[l+1] = F(x[l])\ninit y[0] = absent": "crossed",
    "x[l+1] = x[l] + F(F(x[l]))": "plain",
    "x[l+1] = x[l] + F(x[l]) + F(F(x[l-2]))": "refused",
}


def built(text: str) -> str:
    """What a network of three stages of three blocks says."""
    try:
        network = recform.build(text, "resnet20_cifar")
    except UserError as error:
        return "refused" if error.code == "no-projection" else error.code
    return "plain" if network.architecture.plain_borders else "crossed"


@pytest.mark.parametrize("text", FORMULAS)
def test_a_backbone_of_three_stages_is_built_as_is_foretold(text):
    assert at_borders(parse(text)) == FORMULAS[text]
    assert built(text) == FORMULAS[text]
