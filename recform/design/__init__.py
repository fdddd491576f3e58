"""Design: say which paths you want, get the formula.

wish --by_length | by_derivative | by_route--> formulas, checked and ranked, or a reasoned refusal
formula --near--> formulas around it that meet conditions;  --neighbours--> those one change away

The doors:

    ask         by length, by derivative, by route
    answer      what comes back: checked formulas, or a reasoned refusal
    search      formulas around a given one that meet conditions
    notebook    answers as a notebook shows them
    neighbours  formulas one change away

How a wish is written:

    notation    expressions in n and k, sums and products of F'[i]
    counting    what an expression is worth for given n and k
    conditions  comparisons joined by and, or, not
    tables      tables of counts, and the fraction that continues one
    regular     routes as regular expressions
    general     formulas in F'[i], for d x[L]/d x[l]

From numbers of paths to formulas:

    lengths     from a wish by length to an answer
    series      the wanted counts at every depth, as one fraction
    poles       the fraction of an expression, known before any row is counted
    lines       the linear parts of an expression, up to what repeats
    realise     from the fraction to formulas
    memory      formulas of one state that remembers
    impossible  why no formula of finite memory has the counts

From words to formulas:

    words       from a wish by derivative or route to an answer
    automaton   weighted words, and the smallest system that has them
    states      from such a system to formulas
    bounds      how many states it needs at most

What a formula is like:

    cost        weights, values kept, calls, equations
    borders     what becomes of it where width changes
    later       whether it has the wanted paths from later states, too
    family      small formulas of one state, by their coefficients
    figures     what a search can ask of them
    writing     formulas put together from terms
"""

from recform.design.answer import Candidate as Candidate
from recform.design.answer import Design as Design
from recform.design.ask import by_derivative as by_derivative
from recform.design.ask import by_length as by_length
from recform.design.ask import by_route as by_route
from recform.design.cost import Cost as Cost
from recform.design.neighbours import Neighbour as Neighbour
from recform.design.neighbours import neighbours as neighbours
from recform.design.search import FRONT as FRONT
from recform.design.search import Search as Search
from recform.design.search import near as near
