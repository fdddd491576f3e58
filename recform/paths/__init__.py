"""Exact mathematics: what a formula's paths are and how many.

The door is `analyze`, which makes an `Analysis`: each quantity is computed when it is asked for.

The doors:

    analyze         a formula, a depth, and what is to be counted
    analysis        what comes out: each quantity computed when it is asked for
    insight         warnings and notes: facts that a designer should know
    report          the analysis as JSON
    notebook        the analysis as a notebook shows it

What the tape becomes before it is counted:

    derivative      products made linear: each factor with the others frozen
    start           what the paths lead back to
    at_init         coefficients at what they start as
    letters         what a path goes through, and how that is written

The tape, read value by value:

    polynomials     net and gross: how many paths of each length
    names           the same with a variable for each name of a block
    radicals        the same where constants have roots in them
    distinct        how many paths survive cancellation
    forms           values as linear forms over letters
    chains          such forms from letter to letter
    words           the paths written out, as the paper prints them
    adjoint         the tape read backwards
    through         the paths through each block
    gradients       the paths behind each block: what trains it
    activations     what changes where activations are not transparent
    widths          how wide the blocks on the paths are
    moments         mean and spread of path length

A formula as a recurrence:

    settle          from equations to a recurrence, for all large n at once
    recurrence      what comes out
    affine          depths and coefficients as they are once l is large
    steady_values   expressions for all large n, as forms over unknowns
    unknowns        the unknowns, as they are found
    growing         sums over ranges that grow with depth
    ahead           auxiliary quantities that read ahead
    substitute      expressions moved to another depth
    transient       the first values, before the recurrence holds

At every depth:

    closed          the door: net and gross in closed form
    generating      all path polynomials in one fraction
    eliminate       the linear equations behind it
    rows            one row of the fraction, without those before it
    fractions_text  fractions as text that sympy reads
    triangles       triangles with a name, recognised
    entries         the count of n blocks and length k, as a formula
    growth          how fast counts grow, how lengths spread
    algebraic       algebraic numbers, exact
    conjecture      a recurrence of distinct counts, not proved

Every block multiplies by g:

    gain            what becomes of the signal
    stability       for which g it stays bounded, as exact intervals
    first_order     the recurrence as v[n+1] = A(g) v[n]
    characteristic  the characteristic polynomial of what the output sees
    unit_disc       whether the powers of a matrix stay bounded
    number_field    the field of one real algebraic number

Two formulas:

    equal           the door: have they the same paths, at every depth
    histories       each with its values up to a depth
    jets            values of both on one table of letters
    relations       linear relations between values
    forever         why two that agree so far agree for ever
    products        formulas with products, compared to a depth
    difference      the first path in which they differ
    breaks          what in a network breaks the equality

A simpler formula:

    telescope       the door: one with the same paths, if there is one
    templates       formulas of one state for a sequence of outputs
    fits            the smallest sets of terms that add up to a sequence
    beginnings      how such a formula has to start
    simplicity      how simple a formula is as written

A network that was trained:

    weights         what a run tells of coefficients and gates
    trained         the paths, each at what its coefficients stand at
    roles           what a gate reads, where a coefficient stands
"""

from recform.paths.activations import cancels_across as cancels_across
from recform.paths.activations import distinct_keeping as distinct_keeping
from recform.paths.analysis import Analysis as Analysis
from recform.paths.analyze import analyze as analyze
from recform.paths.closed import ClosedForm as ClosedForm
from recform.paths.closed import ClosedForms as ClosedForms
from recform.paths.closed import closed_forms as closed_forms
from recform.paths.equal import Equality as Equality
from recform.paths.equal import equal as equal
from recform.paths.gradients import parameter_gradients as parameter_gradients
from recform.paths.insight import Finding as Finding
from recform.paths.insight import notes_of as notes_of
from recform.paths.insight import warnings_of as warnings_of
from recform.paths.names import NamedPolynomial as NamedPolynomial
from recform.paths.names import polynomials_by_block as polynomials_by_block
from recform.paths.polynomials import polynomial_to_text as polynomial_to_text
from recform.paths.report import to_json as to_json
from recform.paths.through import through_block as through_block
from recform.paths.trained import Spectrum as Spectrum
from recform.paths.trained import spectrum as spectrum
from recform.paths.weights import Weights as Weights
from recform.paths.weights import WeightsLog as WeightsLog
from recform.paths.weights import read_weights_log as read_weights_log
from recform.paths.widths import Widths as Widths
from recform.paths.widths import widths_by_length as widths_by_length
from recform.paths.words import gradient_words as gradient_words
from recform.paths.words import gradient_words_to_latex as gradient_words_to_latex
from recform.paths.words import gradient_words_to_text as gradient_words_to_text
from recform.paths.words import words as words
from recform.paths.words import words_to_latex as words_to_latex
from recform.paths.words import words_to_text as words_to_text
