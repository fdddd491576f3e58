"""Formulas that recform ships: documentation and tests at once. The names work as FORMULA."""
