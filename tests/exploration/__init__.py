"""A search for states of a case from which no steps lead to an end.

The search explores one case and its offices, one move at a time. In contrast,
`tests/simulation` simulates months of a whole mechanism, with crashes.
"""
