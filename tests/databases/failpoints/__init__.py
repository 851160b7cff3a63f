"""Checks in which each database call of a writing operation fails once."""
