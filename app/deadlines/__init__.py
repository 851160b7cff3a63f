"""Deadlines: how long an office has, which deadlines run, and which were missed.

The effects of a missed deadline belong to `casework`; the calendars belong to `directory`.
"""
