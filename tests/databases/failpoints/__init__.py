"""Fails the Nth statement of every operation that writes, and judges what comes of it."""
