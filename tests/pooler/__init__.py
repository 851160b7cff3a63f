"""The service behind a real PgBouncer in transaction mode."""
