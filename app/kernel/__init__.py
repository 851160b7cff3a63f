"""The base of all other packages: transactions, journal, life cycles, vault, problems.

This package contains neither HTTP nor rules of the mechanism. HTTP is in `app.api`; the
rules are in `app.cases` and the packages beside it.
"""
