"""Checks of the service behind a real PgBouncer in transaction mode."""
