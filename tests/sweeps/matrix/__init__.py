"""The access matrix: tables of the expected response to each call of each account."""
