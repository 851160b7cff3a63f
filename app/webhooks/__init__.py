"""Webhooks send the feed of an office to a receiver, as signed messages without content.

The HTTP calls belong to `worker.courier`, and the feed itself belongs to `feed`.
"""
