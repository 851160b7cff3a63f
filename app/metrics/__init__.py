"""Metrics of the service for Prometheus and `worker status`; no label identifies anyone."""
