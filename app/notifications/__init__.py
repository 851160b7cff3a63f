"""Notifications: which offices are told that something waits, and in which words.

The messages wait in `app.outbox`; what a case shows to whom is decided elsewhere.
"""
