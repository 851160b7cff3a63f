"""Journeys that call every operation once. The calls are the examples in the contract.

`make examples` runs the journeys, and writes each to a file of `app/api/data/examples`.
`tests/contract/test_operation_examples.py` runs them again, and compares the responses.
"""
