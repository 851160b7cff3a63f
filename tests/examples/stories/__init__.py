"""Stories: whole cases with dates, from the first contact to the end."""
