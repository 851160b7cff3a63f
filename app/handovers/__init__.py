"""Handovers: offers of the lead of a case to another office, and their answers.

Choosing an office that could lead belongs to `routing`, and replacing a lead that does not
act to `casework`.
"""
