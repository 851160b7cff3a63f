"""The access matrix: text tables with the response to every operation by every account."""
