"""Changes of the directory and of accounts by administrators and supervisors (R14, R21).

This package decides who may make a change and which changes need a second person. It also
loads the directory from files. `app.directory` and `app.access` store the data.
"""
