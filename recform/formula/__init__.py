"""Text to meaning: the formula language read, checked, and printed again.

text --parse--> Formula --show--> text, LaTeX
"""

from recform.formula.formula import Formula as Formula
from recform.formula.latex import expression_to_latex as expression_to_latex
from recform.formula.latex import to_latex as to_latex
from recform.formula.load import example_names as example_names
from recform.formula.load import gallery_names as gallery_names
from recform.formula.load import load as load
from recform.formula.load import resolve as resolve
from recform.formula.mathml import to_mathml as to_mathml
from recform.formula.parse import parse as parse
from recform.formula.rewrite import ACT_PLACES as ACT_PLACES
from recform.formula.rewrite import uses_act as uses_act
from recform.formula.rewrite import with_act as with_act
from recform.formula.show import equation_to_text as equation_to_text
from recform.formula.show import expression_to_text as expression_to_text
from recform.formula.show import to_text as to_text
