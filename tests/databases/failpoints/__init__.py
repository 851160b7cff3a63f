"""Checks in which the statements of each writing operation fail, one at a time."""
