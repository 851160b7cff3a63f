"""The journal as one office reads it: its feed, its worklist and delivery evidence.

The journal is in `app.kernel.journal`; pushing a feed to a receiver is in `app.webhooks`.
"""
