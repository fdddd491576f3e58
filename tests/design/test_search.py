"""The search: its figures against every path walked, its formulas against a brute force."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from random import Random

import pytest
from oracles.walk import walk

from recform.design import near
from recform.design.cost import cost_of
from recform.design.family import Member, member_of, trimmed
from recform.design.figures import NAMES, figures_of
from recform.errors import FormulaError, UserError
from recform.formula import parse, resolve
from recform.paths import equal, gradient_words
from recform.paths.gain import growth_rate
from recform.tape import reversibility, unroll

DEPTH = 5
MEMBERS = [
    Member((1,), (1,)), Member((1,), (1, -1)), Member((), (1,), 1), Member((2, -1), (1,)),
    Member((1,), (0, 1)), Member((0, 1), (1,)), Member((1, -1), (1, 1)), Member((-1,), (1, -1), 1),
    Member((), (0, 1)), Member((1, 0, 1), (0, 0, 1)),
]  # fmt: skip


def words_of(member: Member):
    return walk(parse(member.to_text()), DEPTH).words


@pytest.mark.parametrize("member", MEMBERS, ids=Member.to_text)
def test_lengths_and_numbers_are_those_of_the_words_walked(member):
    figures = figures_of(member, DEPTH)
    lengths = [len(word) for word in words_of(member)]
    assert figures.distinct == len(lengths)
    assert figures.shortest == min(lengths, default=DEPTH + 1)
    assert figures.longest == max(lengths, default=0)


@pytest.mark.parametrize("member", MEMBERS, ids=Member.to_text)
def test_through_is_the_least_number_of_words_through_a_block(member):
    through = Counter(call.operation[2] for word in words_of(member) for call in word)
    assert figures_of(member, DEPTH).through == min(through[j] for j in range(DEPTH))


@pytest.mark.parametrize("member", MEMBERS, ids=Member.to_text)
def test_gradients_of_every_length_are_those_of_the_words_to_each_block(member):
    words = gradient_words(unroll(parse(member.to_text()), DEPTH))
    lengths = {block: {len(word) - 1 for word in found} for block, found in words.items()}
    every = all(lengths.get(f"F[{j}]") == set(range(DEPTH - j)) for j in range(DEPTH))
    assert figures_of(member, DEPTH).gradients == every


REVERSIBLE = {
    "x[l+1] = 2*x[l] - x[l-1] + F(x[l])": True,
    "x[l+1] = x[l-1] + F(x[l])": True,
    "x[l+1] = x[l] + F(x[l])": False,
    "x[l+1] = x[l-1] + F(x[l-1])": False,
    "x[l+1] = x[l-1] + F(x[l]) + x[0]": True,
}


@pytest.mark.parametrize("text", REVERSIBLE)
def test_reversible_is_what_gives_its_oldest_state_without_inverting_a_block(text):
    member = member_of(parse(text))
    assert figures_of(member, DEPTH).reversible == REVERSIBLE[text]


def test_reversible_is_what_training_can_do():
    """A law over random members: the figure and the algebra on the tape never disagree."""
    random = Random(0)
    answers = Counter()
    for _ in range(120):
        skips, blocks = (trimmed(random.choices((0, 1, -1, Fraction(1, 2)), k=random.randint(0, 3)))
                         for _ in range(2))  # fmt: skip
        member = Member(skips, blocks, random.choice((0, 0, 1)))
        if member.num_terms:
            found = reversibility(parse(member.to_text()))
            assert figures_of(member, DEPTH).reversible == found.is_reversible, member.to_text()
            answers[found.is_reversible] += 1
    assert min(answers[True], answers[False]) > 10


@pytest.mark.parametrize("member", MEMBERS, ids=Member.to_text)
def test_what_is_kept_is_the_cost_of_the_formula(member):
    assert figures_of(member, DEPTH).kept == cost_of(parse(member.to_text())).states_kept


@pytest.mark.parametrize("member", [m for m in MEMBERS if 2 not in m.skips], ids=Member.to_text)
def test_drawn_paths_are_gross(member):
    figures = figures_of(member, DEPTH)
    gross = sum(walk(parse(member.to_text()), DEPTH).gross)
    assert figures.cancelled + figures.distinct == gross


@pytest.mark.parametrize("member", MEMBERS, ids=Member.to_text)
@pytest.mark.parametrize("gain", [Fraction(1), Fraction(1, 2), Fraction(-1)])
def test_growth_is_compared_as_the_analyzer_has_it(member, gain):
    rate = growth_rate(parse(member.to_text()), gain)
    figures = figures_of(member, DEPTH)
    for bound in (Fraction(1, 2), Fraction(1), Fraction(9, 5), Fraction(2)):
        if abs(rate - bound) > 1e-6:
            assert figures.grows(gain, "<", bound) == (rate < bound)
        else:
            assert figures.grows(gain, "==", bound)


def test_growth_of_eq_20_is_1_at_gain_1_and_the_golden_ratio_is_between_its_bounds():
    assert figures_of(Member((1,), (1, -1)), 4).grows(Fraction(1), "==", Fraction(1))
    golden = figures_of(Member((1,), (0, 1)), 4)
    assert golden.grows(Fraction(1), ">", Fraction(1618, 1000))
    assert golden.grows(Fraction(1), "<", Fraction(1619, 1000))


@pytest.mark.parametrize("name", ["resnet_s", "injection", "delannoy"])
def test_a_formula_of_the_family_is_known_by_its_coefficients(name):
    formula = resolve(name)
    member = member_of(formula)
    assert equal(parse(member.to_text()), formula).equal == "always"


@pytest.mark.parametrize("name", ["revnet", "leapfrog", "momentum", "dense_sum", "plain"])
def test_other_formulas_are_none_of_the_family(name):
    assert member_of(resolve(name)) is None


def test_the_keys_of_members_agree_where_their_paths_do():
    members = [Member(s, b, e) for s in ((), (1,), (0, 1)) for b in ((1,), (1, -1)) for e in (0, 1)]
    for one, other in product(members, members):
        found = equal(one.to_text(), other.to_text()).equal
        assert (one.key == other.key) == (found in ("always", "from_start")), (one, other)


def test_a_search_finds_what_a_brute_force_finds():
    found = near("x[l+1] = x[l] + F(x[l])", "distinct == 2^depth and kept == 1", depth=4)
    texts = {text for one in found.candidates for text in (str(one.formula), *one.others)}
    wanted = {
        f"x[l+1] = {'-' * (a < 0)}x[l] {'+' if b > 0 else '-'} F(x[l])"
        for a in (1, -1) for b in (1, -1)
    }  # fmt: skip
    assert texts == wanted


def test_equal_paths_are_told_once_with_the_others_beside():
    found = near("resnet_s", "distinct == depth + 1 and shortest == 0")
    first = found.candidates[0]
    assert str(first.formula) == "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"
    assert first.others == ("x[l+1] = x[0] + F(x[l])",)


def test_nothing_beats_what_is_on_the_front():
    found = near("resnet_s", "shortest == 0", depth=6, front=("kept", "distinct"))
    for one in (candidate for candidate in found.candidates if candidate.on_front):
        assert not any(
            other.figures["kept"] <= one.figures["kept"]
            and other.figures["distinct"] > one.figures["distinct"]
            for other in found.candidates
        )
    assert any(one.on_front for one in found.candidates)


def test_figures_in_the_answer_have_all_names():
    [*_, last] = near("resnet_s", "reversible or gradients", depth=4).candidates
    assert set(last.figures) == set(NAMES)


def test_a_search_without_result_says_among_how_many():
    found = near("resnet_s", "kept < 1")
    assert found.refused == f"none of {found.num_examined:,} formulas meets the conditions"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("width <= 1", "there is no figure `width`"),
        ("kept", None),
        ("kept + 1", "this is no condition"),
        ("growth(1) <= 0", "a growth is compared with a number above 0"),
        ("binomial(2, 1) == 2", "there is no function `binomial`"),
        ("kept <", "the specification ends too early"),
    ],
)
def test_what_is_no_condition_is_told(condition, message):
    if message is None:
        assert near("resnet_s", condition, depth=2).candidates
        return
    with pytest.raises(FormulaError) as error:
        near("resnet_s", condition)
    assert error.value.diagnostics[0].message == message
    assert error.value.source is not None


@pytest.mark.parametrize(
    ("formula", "limits", "code"),
    [
        ("revnet", {}, "bad-argument"),
        ("resnet_s", {"depth": 0}, "bad-argument"),
        ("resnet_s", {"front": ("beauty",)}, "bad-argument"),
        ("x[l+1] = x[l] + F(x[l-7])", {}, "too-large"),
    ],
)
def test_what_cannot_be_searched_is_told(formula, limits, code):
    with pytest.raises(UserError) as error:
        near(formula, "kept < 3", **limits)
    assert error.value.code == code
