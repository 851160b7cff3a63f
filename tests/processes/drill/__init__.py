"""The restore drill: what is lost by a restore, and that nothing else is."""
