"""Fails the Nth statement of every operation that writes, and checks the result."""
