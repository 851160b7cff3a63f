"""Services on other frameworks, whose cost `make bench-peers` compares with the product's.

They run in an environment of their own (`requirements/peers.txt`), which no other command
needs. docs/performance.md says what each of them does.
"""
