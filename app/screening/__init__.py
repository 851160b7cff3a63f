"""Screening: indicators, scored by published rules into a presumption.

The codes and weights are in `reference`. No rule of another package reads an outcome.
"""
