"""Figures: of an office for itself, and figures that identify nobody (ADR 72, ADR 73).

The own figures of an office (`own_figures`) are computed when they are asked for, from its
feed and its deadlines. The rules of counts of a week, and of what is released of them, are
pure (`catalogue`, `weeks`). What decides who may see a case is not here.
"""
