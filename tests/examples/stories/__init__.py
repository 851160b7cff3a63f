"""Stories: whole cases with dates, each told to its end."""
