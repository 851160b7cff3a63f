"""Accounts, their credentials and sessions, and approvals by a second person (R14, R21).

`app.administration` decides which actors may change accounts, and `app.disclosure` decides
which actors may open sealed data.
"""
