"""The journal as one office reads it: its feed, its worklist and its delivery evidence.

The journal is in `app.kernel.journal`; pushing a feed to a receiver is in `app.webhooks`.
"""
