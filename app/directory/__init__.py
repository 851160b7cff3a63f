"""The directory: countries, offices, their contacts, and agreements between countries.

Time limits are in the same files, but belong to `deadlines`. The rules on who may change
the directory through the API belong to `administration`.
"""
