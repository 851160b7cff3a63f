"""The torture test, which kills the service under load and then checks the database.

Run `make torture KILLS=100 DATABASE=sqlite SEED=1`.
"""
