"""A formula at a depth, as a flat list of operations, and the one way to read it.

Formula --unroll--> Tape --fold(algebra)--> whatever the algebra makes

The tape:

    operations    what a tape is made of, and its listing
    fold          the one loop that reads it, and what a reading has to say

From a formula to it:

    unroll        the door: a formula written out to a depth
    lower         the expressions of one depth as operations
    scalar        indices, coefficients and conditions, once l and L are known
    running_sums  history sums that grow by a term at each depth
    foresee       how many steps a formula takes, before any is taken
    builder       operations added, equal ones found again
    fingerprints  values that are equal up to the order of their terms
    same          values that are equal but for the name of a start
    radicals      exact numbers with roots
    start_values  what a learned coefficient starts as

What it tells without being computed:

    place         stage borders: the projections that values need
    factors       gates that a formula writes out as products
    reversible    which values can be forgotten, for later ones give them back
    inverse       the equations that give them back, in words
"""

from recform.tape.factors import block_of as block_of
from recform.tape.factors import factors as factors
from recform.tape.factors import written_gates as written_gates
from recform.tape.fingerprints import Fingerprints as Fingerprints
from recform.tape.fold import Algebra as Algebra
from recform.tape.fold import WholeAlgebra as WholeAlgebra
from recform.tape.fold import fold as fold
from recform.tape.fold import last_uses as last_uses
from recform.tape.operations import Add as Add
from recform.tape.operations import Call as Call
from recform.tape.operations import Combine as Combine
from recform.tape.operations import Input as Input
from recform.tape.operations import Map as Map
from recform.tape.operations import Multiply as Multiply
from recform.tape.operations import One as One
from recform.tape.operations import Operation as Operation
from recform.tape.operations import Parameter as Parameter
from recform.tape.operations import Part as Part
from recform.tape.operations import Project as Project
from recform.tape.operations import Scale as Scale
from recform.tape.operations import Stages as Stages
from recform.tape.operations import Start as Start
from recform.tape.operations import Tape as Tape
from recform.tape.operations import Zero as Zero
from recform.tape.operations import operands as operands
from recform.tape.operations import parameter_to_text as parameter_to_text
from recform.tape.place import place as place
from recform.tape.radicals import Exact as Exact
from recform.tape.radicals import Irrational as Irrational
from recform.tape.reversible import Reversibility as Reversibility
from recform.tape.reversible import layer_ends as layer_ends
from recform.tape.reversible import reversibility as reversibility
from recform.tape.same import first_equals as first_equals
from recform.tape.unroll import unroll as unroll
from recform.tape.unroll import verify as verify
