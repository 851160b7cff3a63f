"""The outbox: e-mail and SMS messages, with their states and retries.

`app.notifications` decides which offices are notified; `app.worker` sends the messages.
"""
