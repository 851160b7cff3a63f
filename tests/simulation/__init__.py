"""Simulations of a mechanism over months, with crashes and misbehaving offices.

The clock, the network and power failures are simulated, so that the same seed always gives
the same simulation. Tests that kill real processes are in `tests/torture`.
"""
