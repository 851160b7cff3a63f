"""Figures that identify nobody: counts of a week, and what is released of them (ADR 73).

The rules are pure (`catalogue`, `weeks`). What decides who may see a case is not here.
"""
