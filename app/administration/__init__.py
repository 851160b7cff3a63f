"""Changes to the directory and to accounts, by administrators and supervisors (R14, R21).

This package decides which callers may make a change, and which changes need two
people. It also loads the directory from files. `app.directory` and `app.access` store the
data.
"""
