"""Kill the service under load, then compare its answers with the database.

`make torture KILLS=100 DATABASE=sqlite SEED=1`.
"""
