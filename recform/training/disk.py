"""Files as the disk has them: which are there, and why one cannot be read."""

from __future__ import annotations

import stat
from pathlib import Path
from shlex import quote

from recform.errors import UserError

# What mends a set that recform downloads.
ANEW = "have the set downloaded anew, into a new folder: --data-dir DIR"


def is_file(path: Path) -> bool:
    """Whether it is there and a file. Raises UserError `unreadable` where that may not be asked."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path | str, error: OSError) -> UserError:
    """What is told of a file or folder that the system does not give."""
    hint = f"{'chmod u+rX' if isinstance(error, PermissionError) else 'ls -l'} {quote(str(path))}"
    return UserError("unreadable", f"{path} cannot be read: {system_says(error)}", hint)


def damaged(path: Path | str, reason: str) -> UserError:
    """What is told of a file of a set that recform downloads."""
    return UserError("damaged-data", f"{path} is damaged: {reason}", ANEW)


def system_says(error: OSError) -> str:
    """The reason without number and path: `Permission denied`."""
    return error.strerror or str(error)
