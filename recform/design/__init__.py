"""Design: say which paths you want, get the formula.

wish --by_length | by_derivative | by_route--> formulas, checked and ranked, or a reasoned refusal
formula --near--> formulas around it that meet conditions;  --neighbours--> those one change away
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
