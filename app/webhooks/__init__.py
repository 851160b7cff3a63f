"""Webhooks: the feed of an office, pushed to a receiver as signed messages without content.

The HTTP calls belong to `worker.courier`, and the feed itself to `feed`.
"""
