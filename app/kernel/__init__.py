"""The base of all other packages: transactions, journal, life cycles, vault, problems.

This package contains neither HTTP, which is in `app.api`, nor rules of the referral
mechanism, which are in `app.cases` and the packages beside it.
"""
