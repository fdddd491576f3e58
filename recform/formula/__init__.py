"""Text to meaning: the formula language read, checked, and printed again.

text --parse--> Formula --show--> text, LaTeX

From a name or a text to its meaning:

    load         formulas by name: files, examples, the gallery
    files        text files, read whole or refused
    parse        the door: from text to a checked formula; the only file that imports lark
    statements   a text cut into statements, each with its place
    build        from what the grammar finds of a statement to data
    expressions  the same for expressions, one method a rule of the grammar
    pieces       what is handed from `build` to `assemble`
    assemble     statements put together to one formula, names resolved
    mistakes     syntax that people write by mistake, as a table

The meaning:

    formula      the value that everything else starts from
    ast          its parts: states, blocks, sums, cases, as plain immutable data
    kinds        what an expression is: a value, a coefficient, a number or a condition
    depths       the index that a block takes from its argument
    streams      states of several copies, with vectors and matrices
    library      the functions of the language, as tables
    reserved     words that name nothing else
    rewrite      `act` put into a formula that has none

What no grammar sees:

    check        starts, reads of the future, circles
    known_names  whether a name is known, and what was meant
    misnamed     names that a learned coefficient cannot have
    operands     what must stand where
    params       what is declared of a learned coefficient
    suggest      the nearest known name

And back to people:

    show         text in normal form
    latex        LaTeX
    mathml       MathML, for pages and notebooks
    lexer        colours for Pygments
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
