"""Services on other frameworks. `make bench-peers` compares their cost with Safe Conduct's.

They run in an environment of their own (`requirements/peers.txt`), which no other command
needs. docs/performance.md says what each of them does.
"""
