"""The access matrix: the answer to every operation by every account, from text tables."""
