"""Handovers: offers to another office to take over the lead of a case, and the answers.

The choice of an office that could lead belongs to `routing`. The replacement of a lead that
does not act belongs to `casework`.
"""
