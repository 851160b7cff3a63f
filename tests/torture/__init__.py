"""The service is killed under load; then what was said is compared to what is there.

`make torture KILLS=100 DATABASE=sqlite SEED=1`.
"""
