"""Rules that decide whether a change of the API contract breaks clients."""
