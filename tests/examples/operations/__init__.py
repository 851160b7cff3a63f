"""Journeys that call every operation once. The calls are the examples of the contract.

`make examples` plays the journeys, and writes each to a file of `app/api/data/examples`.
`tests/contract/test_operation_examples.py` plays them again, and compares the answers.
"""
