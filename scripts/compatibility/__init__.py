"""Rules that decide whether a change to the API contract breaks clients."""
