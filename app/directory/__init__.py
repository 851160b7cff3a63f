"""The directory: countries, offices, their contacts, and agreements between countries.

Time limits are in the same files, but belong to `deadlines`. Who may change the directory
through the API belongs to `administration`.
"""
