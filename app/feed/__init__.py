"""The feed and the worklist of an office, and the delivery evidence of sent records.

`app.kernel.journal` has the journal; `app.webhooks` sends the feed to a receiver.
"""
