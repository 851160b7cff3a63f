"""Stories: whole cases with dates, each to its end."""
