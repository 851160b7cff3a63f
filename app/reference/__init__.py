"""Reference lists with sources and translations: services, reasons, indicators, HTCDS.

Codes of the referral mechanism, such as countries and offices, are in `directory`.
"""
