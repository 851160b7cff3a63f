"""Months of a whole mechanism, played by a seed, with crashes and misbehaving offices.

Its clock, its network and its power are simulated, so that a seed repeats exactly. Real
processes that are killed belong to tests/torture.
"""
