"""The access matrix: what everyone is answered to everything, against tables of text."""
