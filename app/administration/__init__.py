"""Changes of the directory and of accounts by administrators and supervisors (R14, R21).

Here are the rules of who may change what, which changes need a second person, and loading
the directory from files. `app.directory` has the tables and stores their rows;
`app.access` has accounts, keys and approvals.
"""
