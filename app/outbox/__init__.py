"""Messages that leave the service: one table, their states, and when each is tried again.

`app.notifications` decides which offices are notified; `app.worker` sends the messages.
"""
