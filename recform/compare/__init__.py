"""Comparison: scores of several models on several data sets, and what they really support.

    CSV file, run folders --read_csv | read_runs--> ScoreTable --compare--> Comparison
    number of models, rows and seeds --plan--> Plan, the power of a comparison nobody has run yet

The tests are those of Demsar (2006): ranks within each row, Friedman's test with Iman and
Davenport's correction, Nemenyi's critical difference, and Wilcoxon's test for each pair with Holm's
correction. A row is a data set and a backbone; runs with other seeds are averaged inside it.

>>> scores = {("a", "x"): (3.0, 2.0), ("a", "y"): (5.0,), ("b", "x"): (1.0,), ("b", "y"): (4.0,),
...           ("c", "x"): (2.0,), ("c", "y"): (1.0,)}
>>> comparison = compare(ScoreTable(("a", "b", "c"), ("x", "y"), scores))
>>> [round(rank, 1) for rank in comparison.ranks.values()], round(comparison.friedman.chi2, 2)
([1.0, 2.5, 2.5], 3.0)

Scores:

    table       scores of models on data sets, and the file they come from
    runs        run folders as such scores
    grouping    which runs are one row, which one model

Tests:

    comparison  the door: all tests of a table, and what they support
    ranks       Friedman's test and Nemenyi's difference
    orders      Friedman's test for few rows, exact
    pairs       two models at a time, with Holm's correction
    signs       Wilcoxon's test for one pair
    power       what a design could find, before anyone trains
"""

from recform.compare.comparison import Comparison as Comparison
from recform.compare.comparison import compare as compare
from recform.compare.pairs import Pair as Pair
from recform.compare.power import Plan as Plan
from recform.compare.power import Power as Power
from recform.compare.power import plan as plan
from recform.compare.ranks import Friedman as Friedman
from recform.compare.ranks import critical_difference as critical_difference
from recform.compare.ranks import friedman_of_ranks as friedman_of_ranks
from recform.compare.runs import METRICS as METRICS
from recform.compare.runs import read_runs as read_runs
from recform.compare.runs import run_folders as run_folders
from recform.compare.table import Cell as Cell
from recform.compare.table import ScoreTable as ScoreTable
from recform.compare.table import read_csv as read_csv
