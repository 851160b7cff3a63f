"""Metrics of the service for Prometheus and `worker status`; no label identifies anyone.

`app.worker.alarms` logs warnings about them.
"""
