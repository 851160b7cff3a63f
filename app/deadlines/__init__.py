"""Deadlines: how long an office has, the clocks that run, and the ones that ran out.

The effects of a missed deadline belong to `casework`; the calendars belong to `directory`.
"""
