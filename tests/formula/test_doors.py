"""What is no formula at all is told at the door, in the words of the user."""

from __future__ import annotations

import pytest

from recform.errors import UserError
from recform.formula import load, parse, resolve


@pytest.mark.parametrize("thing", [3, None, b"x[l+1] = F(x[l])", ["resnet"]])
@pytest.mark.parametrize("door", [resolve, parse, load])
def test_what_is_no_text_is_refused_by_its_type(door, thing) -> None:
    with pytest.raises(UserError) as caught:
        door(thing)
    assert caught.value.code == "bad-argument"
    assert type(thing).__name__ in caught.value.diagnostics[0].message
    assert "recform." in caught.value.diagnostics[0].hint


def test_a_folder_is_no_formula(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    with pytest.raises(UserError) as caught:
        resolve("nets")
    assert str(caught.value) == (
        "error[unreadable]: nets is a folder\n"
        "  = hint: name a .rf file in it; recform check nets checks them all"
    )


def test_an_example_is_found_beside_a_folder_of_its_name(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resnet").mkdir()
    assert resolve("resnet").title.startswith("ResNet")


def test_a_name_that_is_nearly_an_example_gets_one_hint():
    with pytest.raises(UserError) as caught:
        resolve("skip_resne")
    assert str(caught.value).endswith("hint: did you mean `skip_resnet`?")
