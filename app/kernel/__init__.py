"""What every other package builds on: transactions, journal, life cycles, vault, problems.

Nothing here knows HTTP or a rule of the mechanism; `app.cases` and its neighbours do.
"""
