"""Notifications, which ask offices to sign in: their recipients, records and texts.

`app.outbox` stores the messages until they are sent. No message says anything about a case.
"""
