"""Consents of the person: their recipients, purposes, sections and expiry.

The stored parts of a case are in `cases`. The decision whether a consent allows an office
to open a section is in `disclosure`.
"""
