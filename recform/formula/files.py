"""Text files that a person names: read whole, or refused with the reason."""

from __future__ import annotations

from pathlib import Path

from recform.errors import UserError


def read_text(path: Path, max_bytes: int, wanted: str, length: str) -> str:
    """The text of a file in UTF-8, without a byte order mark; line ends are as they stand.

    Hints name what is `wanted`, such as "a .rf file", and for a file of more than `max_bytes` the
    `length` that such a file has. Raises UserError `too-large`, `no-such-file`, `not-text`,
    `unreadable`.
    """
    try:
        with path.open("rb") as file:
            # No more need be read to be refused.
            data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise UserError("too-large", f"{path} has more than {max_bytes:,} bytes", length)
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError("no-such-file", f"there is no file {path}", "check the path") from None
    except IsADirectoryError:
        raise UserError("unreadable", f"{path} is a folder", f"name {wanted} in it") from None
    except UnicodeDecodeError:
        raise UserError("not-text", f"{path} is not UTF-8 text", f"name {wanted}") from None
    except ValueError as error:
        raise UserError("no-such-file", f"this is no file name: {error}",
                        "check the path") from None  # fmt: skip
    except OSError as error:
        raise UserError("unreadable", f"{path} cannot be read: {error.strerror}",
                        "check its permissions") from None  # fmt: skip
