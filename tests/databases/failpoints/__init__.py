"""Checks of every writing operation in which one statement after another fails."""
