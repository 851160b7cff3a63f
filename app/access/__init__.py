"""Accounts, API keys, public keys and tokens, and approvals by a second person (R14, R21).

This package turns an API key into an actor with roles and scopes. `app.administration`
decides who may change accounts. `app.disclosure` decides who may open sealed data and has
the access log.
"""
