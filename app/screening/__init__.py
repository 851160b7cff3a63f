"""Screenings: indicators that are scored by published rules and lead to a presumption.

The codes and weights are in `reference`. No rule of another package depends on the outcome.
"""
