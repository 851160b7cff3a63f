"""Deadlines: the time limits of offices, the running deadlines and the missed deadlines.

The effects of a missed deadline belong to `casework`; the calendars belong to `directory`.
"""
