"""Reference lists with sources and translations: services, reasons, indicators, HTCDS.

Codes of the mechanism itself, such as its countries and offices, are in `directory`.
"""
