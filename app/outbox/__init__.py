"""The messages that leave the service: their table, their states and their retries.

`app.notifications` decides which offices are notified; `app.worker` sends the messages.
"""
