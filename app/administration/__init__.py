"""Changes of the directory and of accounts by administrators and supervisors (R14, R21).

This package decides who may change what and which changes need a second person. It also
loads the directory from files. `app.directory` has the tables and stores their rows;
`app.access` has accounts, keys and approvals.
"""
