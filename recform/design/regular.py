"""Routes as a regular expression over F (through the block) and s (past it), output to input.

    (F|s)*     every way                 ResNet
    F* s*      through the last blocks   one path of each length
    (F s)*     through every second      odd depths have no path

The words of length exactly L are the wanted paths at depth L, each counted once however often the
expression has it: the expression becomes the smallest deterministic automaton (Brzozowski 1964:
its states are what may still follow).

>>> len(minimal(read_routes("F* s*")).accepts)
2
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recform.design.notation import refusal
from recform.errors import Source, Span

MAX_CHARACTERS = 2_000
MAX_NESTED = 40
MAX_REPEATS = 32
MAX_STATES = 200
LETTERS = ("s", "F")

# An expression in normal form: ("empty",), ("nothing",), a letter, ("or", frozenset), ("then", ...)
Routes = tuple[Any, ...]

NOTHING: Routes = ("nothing",)
EMPTY: Routes = ("empty",)


class TooManyStatesError(Exception):
    """The automaton has more than MAX_STATES states."""


@dataclass(frozen=True)
class Automaton:
    """States 0, 1, ...; 0 is the start. `steps[state, letter]` is absent where no word goes on."""

    steps: Mapping[tuple[int, str], int]
    accepts: tuple[bool, ...]


def minimal(routes: Routes) -> Automaton:
    """The smallest deterministic automaton, without states from which nothing is accepted."""
    states, steps = _derivatives(routes)
    classes = _classes(states, steps)
    useful = _useful(states, steps)
    numbers: dict[int, int] = {}
    waiting = [0]
    while waiting:
        state = waiting.pop(0)
        if state in useful and classes[state] not in numbers:
            numbers[classes[state]] = len(numbers)
            waiting += [steps[state, letter] for letter in LETTERS]
    firsts = {classes[state]: state for state in sorted(useful, reverse=True)}
    found = {
        (numbers[kind], letter): numbers[classes[steps[firsts[kind], letter]]]
        for kind in numbers
        for letter in LETTERS
        if steps[firsts[kind], letter] in useful
    }
    return Automaton(found, tuple(_has_empty(states[firsts[kind]]) for kind in numbers))


def words_of(automaton: Automaton, depth: int) -> list[str]:
    """The wanted words of one length, output first."""
    found = {0: [""]} if automaton.accepts else {}
    for _ in range(depth):
        after: dict[int, list[str]] = {}
        for state, words in found.items():
            for letter in LETTERS:
                if (state, letter) in automaton.steps:
                    target = after.setdefault(automaton.steps[state, letter], [])
                    target += [word + letter for word in words]
        found = after
    return sorted(w for state, words in found.items() if automaton.accepts[state] for w in words)


# --- derivatives -------------------------------------------------------------------------------


def _derivatives(routes: Routes) -> tuple[list[Routes], dict[tuple[int, str], int]]:
    """Everything that may still follow, numbered, and where each letter leads."""
    numbers, states = {routes: 0}, [routes]
    steps: dict[tuple[int, str], int] = {}
    for place, state in enumerate(states):
        for letter in LETTERS:
            after = _after(state, letter)
            if after not in numbers:
                if len(states) >= MAX_STATES:
                    raise TooManyStatesError
                numbers[after] = len(states)
                states.append(after)
            steps[place, letter] = numbers[after]
    return states, steps


def _classes(states: list[Routes], steps: Mapping[tuple[int, str], int]) -> list[int]:
    """States that accept the same words have the same class (Moore 1956)."""
    classes = [int(_has_empty(state)) for state in states]
    while True:
        seen: dict[tuple[int, ...], int] = {}
        finer = [
            seen.setdefault(
                (classes[n], *(classes[steps[n, letter]] for letter in LETTERS)), len(seen)
            )
            for n in range(len(states))
        ]
        if len(seen) == len(set(classes)):
            return classes
        classes = finer


def _useful(states: list[Routes], steps: Mapping[tuple[int, str], int]) -> set[int]:
    found = {n for n, state in enumerate(states) if _has_empty(state)}
    while True:
        more = {n for (n, _), target in steps.items() if target in found} - found
        if not more:
            return found
        found |= more


def _has_empty(routes: Routes) -> bool:
    match routes:
        case ("empty",) | ("star", _):
            return True
        case ("or", parts):
            return any(_has_empty(part) for part in parts)
        case ("then", first, rest):
            return _has_empty(first) and _has_empty(rest)
    return False


def _after(routes: Routes, letter: str) -> Routes:
    """What may follow a letter."""
    match routes:
        case ("letter", which):
            return EMPTY if which == letter else NOTHING
        case ("or", parts):
            return either(*(_after(part, letter) for part in parts))
        case ("then", first, rest):
            one = then(_after(first, letter), rest)
            return either(one, _after(rest, letter)) if _has_empty(first) else one
        case ("star", inner):
            return then(_after(inner, letter), routes)
    return NOTHING


def either(*parts: Routes) -> Routes:
    """The words of any of the parts, in normal form: no part twice, and none that has no word."""
    flat: set[Routes] = set()
    for part in parts:
        flat |= part[1] if part[0] == "or" else {part}
    flat.discard(NOTHING)
    if len(flat) > 1:
        return ("or", frozenset(flat))
    return next(iter(flat), NOTHING)


def then(first: Routes, rest: Routes) -> Routes:
    """The words of the first, then one of the rest, in normal form: bracketed to the right."""
    if NOTHING in (first, rest):
        return NOTHING
    if first == EMPTY:
        return rest
    if rest == EMPTY:
        return first
    if first[0] == "then":
        return ("then", first[1], then(first[2], rest))
    return ("then", first, rest)


def star(inner: Routes) -> Routes:
    """The words of `inner`, any number of times one after the other."""
    if inner in (EMPTY, NOTHING) or inner[0] == "star":
        return EMPTY if inner in (EMPTY, NOTHING) else inner
    return ("star", inner)


# --- reading -----------------------------------------------------------------------------------


def read_routes(text: str) -> Routes:
    """The expression of a text: letters F and s, `|`, `*`, `+`, `?`, `{2}`, `{1,3}`, brackets.

    `.` is F or s. Raises FormulaError `bad-specification`.
    """
    source = Source(text, "<routes>")
    if len(text) > MAX_CHARACTERS:
        raise refusal(f"the expression has more than {MAX_CHARACTERS:,} characters", None, source,
                      "write repeats with * or {n}")  # fmt: skip
    reader = _Reader(source)
    routes = reader.alternatives()
    reader.end()
    return routes


@dataclass
class _Reader:
    source: Source
    place: int = 0
    nested: int = 0

    def alternatives(self) -> Routes:
        found = [self._sequence()]
        while self._takes("|"):
            found.append(self._sequence())
        return either(*found)

    def end(self) -> None:
        if self._sign:
            raise self._wrong(f"`{self._sign}` is not expected here", "check the brackets")

    def _sequence(self) -> Routes:
        parts = []
        while self._sign and self._sign not in "|)":
            parts.append(self._repeated())
        found = EMPTY
        for part in reversed(parts):
            found = then(part, found)
        return found

    def _repeated(self) -> Routes:
        inner = self._atom()
        while self._sign and self._sign in "*+?{":
            if self._takes("*"):
                inner = star(inner)
            elif self._takes("+"):
                inner = then(inner, star(inner))
            elif self._takes("?"):
                inner = either(inner, EMPTY)
            else:
                inner = self._counted(inner)
        return inner

    def _counted(self, inner: Routes) -> Routes:
        self._takes("{")
        least = self._number()
        most: int | None = least
        if self._takes(","):
            most = None if self._sign == "}" else self._number()
        if not self._takes("}"):
            raise self._wrong("a repeat is not closed", "F{2}, F{1,3} or F{2,}")
        if max(least, most or 0) > MAX_REPEATS or (most is not None and most < least):
            raise self._wrong(f"a repeat is not between 0 and {MAX_REPEATS}", "F{1,3}")
        found = star(inner) if most is None else EMPTY
        for _ in range((most or least) - least):
            found = either(EMPTY, then(inner, found))
        for _ in range(least):
            found = then(inner, found)
        return found

    def _number(self) -> int:
        digits = ""
        while self._sign and self._sign in "0123456789" and len(digits) < 6:
            digits += self._sign
            self.place += 1
        if not digits:
            raise self._wrong("a repeat has no number", "F{2}, F{1,3} or F{2,}")
        return int(digits)

    def _atom(self) -> Routes:
        if self._takes("("):
            self.nested += 1
            if self.nested > MAX_NESTED:
                raise self._wrong("the expression is nested too deep", "write it simpler")
            inner = self.alternatives()
            if not self._takes(")"):
                raise self._wrong("a bracket is opened and not closed", "close it: (F s)*")
            self.nested -= 1
            return inner
        for letter in LETTERS:
            if self._takes(letter):
                return ("letter", letter)
        if self._takes("."):
            return either(("letter", "F"), ("letter", "s"))
        raise self._wrong(f"`{self._sign}` is neither F nor s", "F goes through a block, s past it")

    @property
    def _sign(self) -> str:
        while self.place < len(self.source.text) and self.source.text[self.place].isspace():
            self.place += 1
        return self.source.text[self.place : self.place + 1]

    def _takes(self, sign: str) -> bool:
        found = self._sign == sign
        self.place += found
        return found

    def _wrong(self, message: str, hint: str) -> Exception:
        before = self.source.text[: self.place]
        column = self.place - (before.rfind("\n") + 1) + 1
        return refusal(message, Span(before.count("\n") + 1, column, column + 1), self.source, hint)
