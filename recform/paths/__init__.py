"""Exact mathematics: what a formula's paths are and how many.

The door is `analyze`, which makes an `Analysis`: each quantity is computed when it is asked for.
Where things are:

    the tape, read value by value     polynomials (net, gross), distinct + forms, words + letters,
                                      names (by block name), adjoint, through, gradients, chains,
                                      activations, widths, moments, start
    far from the start                affine, growing, settle -> recurrence; transient, substitute
    at every depth                    generating + eliminate -> rows, entries, triangles, growth
                                      (algebraic), together in closed
    every block multiplies by g       first_order -> characteristic, unit_disc, number_field ->
                                      stability, gain
    two formulas                      jets, histories, relations, forever -> equal (difference,
                                      breaks); templates, simplicity -> telescope
    for people and scripts            analysis, insight (warnings), report (JSON)
    a network that was trained        weights (what a run tells), trained (its spectrum), sources
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
