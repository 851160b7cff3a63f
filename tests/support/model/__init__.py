"""A model of the mechanism that predicts the service's answers, and a client to compare.

It is written from the documents, never from the code. tests/rules and tests/sweeps use it.
"""
