"""A search for states of a case from which no way leads to an end.

It explores one case and its offices by moves. Months of a whole mechanism with crashes are
played by tests/simulation.
"""
