"""A folder of images looked through: each folder in it is a class of all its pictures.

In the order of torchvision's ImageFolder: classes by name, a class's folders by path, pictures by
name. Unlike there, what is hidden (a name that begins with a dot) is passed over, what cannot be
read is told, and so is a link that leads back to a folder around it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from torchvision.datasets.folder import IMG_EXTENSIONS

from recform.errors import UserError
from recform.training.disk import system_says, unreadable

LAYOUT = "put the images at train/CLASS/NAME.png and val/CLASS/NAME.png"
HIDDEN = "."
# Folders without images that are named.
MOST_NAMED = 5


@dataclass(frozen=True, eq=False)
class Listing:
    """The classes of a folder, by name, and its pictures, each with the number of its class."""

    folder: Path
    classes: tuple[str, ...]
    paths: tuple[str, ...]
    labels: tuple[int, ...]


def listed(folder: Path) -> Listing:
    """The images of a folder, a class for each folder in it. Raises `no-data`, `unreadable`."""
    try:
        classes = sorted(entry.name for entry in _seen(str(folder)) if entry.is_dir())
    except PermissionError as error:
        raise unreadable(folder, error) from error
    except OSError as error:
        raise UserError("no-data", f"{folder} holds no folders of images: {system_says(error)}",
                        LAYOUT) from error  # fmt: skip
    if not classes:
        raise UserError("no-data", f"{folder} holds no folders of images", LAYOUT)
    found = [_pictures(os.path.join(folder, name)) for name in classes]
    return Listing(
        folder,
        tuple(classes),
        tuple(path for paths in found for path in paths),
        tuple(label for label, paths in enumerate(found) for _ in paths),
    )


def check_filled(found: Listing) -> None:
    """Raises UserError `no-data` where a class has no image."""
    empty = sorted(set(range(len(found.classes))) - set(found.labels))
    if empty:
        places = [str(found.folder / found.classes[label]) for label in empty]
        more = f" and {len(empty) - MOST_NAMED} more" if len(empty) > MOST_NAMED else ""
        raise UserError("no-data", f"there is no image in {', '.join(places[:MOST_NAMED])}{more}",
                        f"put images there ({', '.join(IMG_EXTENSIONS)}), or remove the folder: "
                        f"rmdir {quote(places[0])}")  # fmt: skip


def passed_over(paths: Iterable[str]) -> dict[str, int]:
    """How many files beside these images are none of them, by the ending of the name.

    Looked for in all folders that the images are in, and in those inside them. Hidden files are
    counted together, under a dot.
    """
    known = set(paths)
    found = {
        os.path.join(place, name)
        for folder in {os.path.dirname(path) for path in known}
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
    }
    return dict(Counter(map(_kind, sorted(found - known))))


def _kind(path: str) -> str:
    name = os.path.basename(path)
    return HIDDEN if name.startswith(HIDDEN) else os.path.splitext(name)[1].lower()


def _seen(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(HIDDEN)]


def _pictures(folder: str) -> list[str]:
    """The pictures in a folder and in those inside it."""
    return sorted(_looked_through(folder, _really(folder, ())), key=os.path.split)


def _looked_through(folder: str, around: tuple[str, ...]) -> Iterator[str]:
    try:
        for entry in _seen(folder):
            if entry.is_dir():
                yield from _looked_through(entry.path, _really(entry.path, around))
            elif _is_picture(entry):
                yield entry.path
    except OSError as error:
        raise unreadable(error.filename or folder, error) from error


def _is_picture(entry: os.DirEntry[str]) -> bool:
    """By its name. A link to nothing is one too: it is told when it is read."""
    named = entry.name.lower().endswith(IMG_EXTENSIONS)
    return named and (entry.is_file() or not os.path.exists(entry.path))


def _really(folder: str, around: tuple[str, ...]) -> tuple[str, ...]:
    """The folder behind the links, after those that it lies in. Raises UserError `unreadable`."""
    place = os.path.realpath(folder)
    above = os.path.realpath(os.path.dirname(folder))
    if any(outer == place or outer.startswith(f"{place}{os.sep}") for outer in (*around, above)):
        raise UserError("unreadable", f"{folder} leads back to a folder that it lies in",
                        f"remove the link: rm {quote(folder)}")  # fmt: skip
    return (*around, place)
