"""Numbers about the service for Prometheus and `worker status`; no label identifies anyone.

Warnings about them are logged by `app.worker.alarms`.
"""
