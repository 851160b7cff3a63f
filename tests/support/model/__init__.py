"""A model that predicts the service's responses, and a client that runs the same actions.

The model is written from the documents, never from the code. tests/rules and tests/sweeps
use it.
"""
