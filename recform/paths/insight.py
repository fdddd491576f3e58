"""What a designer should know before building: warnings, each a fact of this formula and depth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from recform.paths.activations import cancels_across
from recform.paths.analysis import Analysis
from recform.paths.distinct import TooManyLinksError
from recform.paths.gradients import num_gradient_words
from recform.paths.radicals import has_roots
from recform.paths.start import sources_of
from recform.tape import Call, place


@dataclass(frozen=True)
class Finding:
    """A stable code, and one sentence about this formula."""

    code: str
    text: str


def warnings_of(analysis: Analysis) -> tuple[Finding, ...]:
    """The warnings of an analysis, the gravest first.

    absent-output    the output has no value
    no-path          the output does not depend on x[start]
    plain-border     a border block runs the backbone's own formula
    unused-block     a block is read by nothing
    untrained-block  a block's output has no way to the network's that does not cancel
    plain-net        all paths cancel but the one through every block
    no-short-path    no path goes past all blocks
    one-path         one path that does not cancel leads from a block to the output
    cancels-across   terms cancel across an activation, a norm or a projection
    telescopes       a simpler formula has the same paths

    >>> from recform.paths import analyze
    >>> [warning.code for warning in warnings_of(analyze("resnet_s", 4))]
    ['one-path', 'telescopes']
    """
    found: list[Finding] = []
    if analysis.is_shallow:
        found += _of_output(analysis)
        if analysis.tape.output is not None:
            found += [*_of_blocks(analysis), *_of_lengths(analysis), *_of_gradients(analysis)]
            found += _of_cancellation(analysis)
    found += _of_equals(analysis)
    return tuple(found)


def notes_of(analysis: Analysis) -> tuple[str, ...]:
    """What must stand beside every table or picture of the counts: the first three of the above."""
    return tuple(finding.text for finding in _of_output(analysis)) if analysis.is_shallow else ()


def _of_output(analysis: Analysis) -> Iterator[Finding]:
    tape = analysis.tape
    if tape.output is None:
        yield Finding("absent-output", "the output is absent: no path reaches it")
    elif not sources_of(tape, analysis.start):
        yield Finding("no-path", f"the output does not depend on {tape.main}[{analysis.start}]")
    if tape.plain_borders:
        yield Finding("plain-border", f"{_blocks(tape.plain_borders)}: the formula cannot cross "
                      "the stage border there, so the backbone's own formula runs")  # fmt: skip


def _of_blocks(analysis: Analysis) -> Iterator[Finding]:
    calls = [op for op in analysis.tape.operations if isinstance(op, Call)]
    for name in sorted({call.block for call in calls}):
        used = {call.index for call in calls if call.block == name}
        unused = [index for index in range(analysis.depth) if index not in used]
        # Blocks shared over depth leave most of a backbone's unused, as they are meant to.
        if unused and len(used) > 1:
            yield Finding("unused-block", f"{_blocks(unused, name)} {_is(unused)} read by nothing "
                          "and will not be built")  # fmt: skip


def _of_lengths(analysis: Analysis) -> Iterator[Finding]:
    distinct, gross = analysis.distinct, analysis.gross
    if not distinct or not gross or analysis.depth == 0 or analysis.start > 0:
        return
    calls = {op.index for op in analysis.tape.operations if isinstance(op, Call)}
    only_longest = (
        calls == set(range(analysis.depth))
        and sum(distinct) == 1
        and len(distinct) == analysis.depth + 1
    )
    if only_longest and sum(gross) > 1:
        yield Finding("plain-net", "all paths cancel but the one through every block: with this "
                      "start it is a plain net")  # fmt: skip
    shortest = next((length for length, count in enumerate(distinct) if count), 0)
    if shortest > 0:
        yield Finding("no-short-path", f"no path goes past all blocks: the shortest one goes "
                      f"through {shortest}")  # fmt: skip


def _of_gradients(analysis: Analysis) -> Iterator[Finding]:
    if has_roots(analysis.tape):
        return
    try:
        words = num_gradient_words(analysis.tape)
    except TooManyLinksError:
        return
    untrained = [block for block, count in words.items() if count == 0]
    if untrained:
        yield Finding("untrained-block", f"{_list(untrained)}: what the block computes cancels on "
                      "its way to the output")  # fmt: skip
    alone = [block for block, count in words.items() if count == 1]
    # The last block is reached by one path in almost any formula.
    earlier = [block for block in alone if not block.endswith(f"[{analysis.depth - 1}]")]
    if earlier and not _is_plain(analysis):
        every = len(alone) == len(words)
        which = "every block" if every else _list(earlier)
        yield Finding("one-path", f"{which} {'is' if every else _is(earlier)} reached from the "
                      "output by one path only")  # fmt: skip


def _is_plain(analysis: Analysis) -> bool:
    """Whether the formula has no other path than the one through every block, as drawn."""
    return analysis.gross is not None and sum(map(abs, analysis.gross)) == 1


def _of_cancellation(analysis: Analysis) -> Iterator[Finding]:
    tape = place(analysis.tape) if analysis.stages else analysis.tape
    crossed = () if has_roots(tape) else cancels_across(tape, analysis.start)
    if crossed:
        names = {"act": "activations", "norm": "norms", "drop": "stochastic depth",
                 "projection": "projections"}  # fmt: skip
        what = " and ".join(names[kind] for kind in crossed)
        yield Finding("cancels-across", f"terms cancel across {what}: net and distinct are exact "
                      "only without them")  # fmt: skip


def _of_equals(analysis: Analysis) -> Iterator[Finding]:
    found = analysis.telescoped
    if found is None:
        return
    lines = "; ".join(str(found.formula).splitlines())
    where = "from every start" if found.equality.equal == "always" else "from x[0]"
    differs = found.equality.breaks
    but = f"; as networks they differ ({', '.join(differs)})" if differs else ""
    yield Finding("telescopes", f"the paths {where} are those of {lines}{but}")


def _blocks(indices: Sequence[int], name: str = "") -> str:
    """block 3; blocks 1, 2; blocks F[0..7]."""
    word = "block" if len(indices) == 1 else "blocks"
    if len(indices) > 2 and list(indices) == list(range(indices[0], indices[-1] + 1)):
        numbers = f"{indices[0]}..{indices[-1]}"
    else:
        numbers = ", ".join(map(str, indices[:8])) + (", ..." if len(indices) > 8 else "")
    return f"{word} {name}[{numbers}]" if name else f"{word} {numbers}"


def _list(blocks: Iterable[str]) -> str:
    blocks = list(blocks)
    return ", ".join(blocks[:8]) + (f" and {len(blocks) - 8} more" if len(blocks) > 8 else "")


def _is(items: Sequence[object]) -> str:
    return "is" if len(items) == 1 else "are"
