from dataclasses import replace

import pytest

from recform.errors import UserError
from recform.training import recipe_asked, recipe_named

MINE = """
base = "liao-cifar"
epochs = 100
cutmix = 1
crop_padding = "1/16"
flip = false
optimizer = "lamb"
"""


def test_a_file_changes_the_recipe_it_is_made_from(tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    assert recipe_asked(str(tmp_path / "mine.toml")) == replace(
        recipe_named("liao-cifar"), name="mine", epochs=100, cutmix=1.0, crop_padding=1 / 16,
        flip=False, optimizer="lamb",
    )  # fmt: skip


def test_a_file_may_name_its_recipe(tmp_path):
    (tmp_path / "mine.toml").write_text('base = "digits"\nname = "other"')
    assert recipe_asked(str(tmp_path / "mine.toml")).name == "other"


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        ("epochs = 3", "bad-argument", "does not say which recipe", 'base = "liao-cifar"'),
        ("base = 3", "bad-argument", "does not say which recipe", 'base = "liao-cifar"'),
        ('base = "liao-cifr"', "bad-argument", "no recipe 'liao-cifr'", "did you mean liao-cifar?"),
        ("base = ", "unreadable", "is no TOML file", "epochs = 30"),
        ('base = "digits"\nepoch = 3', "bad-argument", "has no 'epoch'", "did you mean epochs?"),
        ('base = "digits"\nepochs = 2.5', "bad-argument", "epochs cannot be 2.5", "whole number"),
        ('base = "digits"\nepochs = true', "bad-argument", "cannot be True", "whole number"),
        ('base = "digits"\nflip = 1', "bad-argument", "flip cannot be 1", "yes or no"),
        ('base = "digits"\nepochs = 0', "bad-argument", "must be 1 or more", "--set epochs=30"),
        ('base = "digits"\nlearning_rate = nan', "bad-argument", "not nan", "learning_rate=0.1"),
        ('base = "digits"\ncutout = "1/0"', "bad-argument", "cannot be '1/0'", "cutout=0.0"),
        (
            f'base = "digits"\nlearning_rate = 1{"0" * 400}',
            "bad-argument",
            "cannot be 1",
            "rate=0.1",
        ),
        ('base = "mine.toml"', "bad-argument", "no recipe 'mine.toml'", "there are liao-cifar"),
        ('base = "digits"\nepochs = [1]', "bad-argument", "cannot be [1]", "whole number"),
    ],
)
def test_a_file_that_makes_no_recipe_is_told(tmp_path, text, code, message, hint):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        recipe_asked(str(path))
    assert caught.value.code == code
    assert message in caught.value.diagnostics[0].message
    assert caught.value.diagnostics[0].message.startswith(str(path))
    assert hint in caught.value.diagnostics[0].hint


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    for name, content, code in (
        ("folder", None, "unreadable"),
        ("binary", b"\xff\xfe", "not-text"),
    ):
        path = tmp_path / f"{name}.toml"
        path.mkdir() if content is None else path.write_bytes(content)
        with pytest.raises(UserError) as caught:
            recipe_asked(str(path))
        assert caught.value.code == code
        assert caught.value.diagnostics[0].hint


def test_the_mark_that_editors_on_windows_write_is_no_mistake(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b'\xef\xbb\xbfbase = "digits"\r\nepochs = 3\r\n')
    assert recipe_asked(str(path)).epochs == 3


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match="there is no recipe") as caught:
        recipe_asked(str(tmp_path / "none.toml"))
    assert caught.value.code == "no-such-file"
