"""Consents: what the person allows, to which offices, for what and until when.

The stored parts of a case are in `cases`; opening a section by a consent, in `disclosure`.
"""
