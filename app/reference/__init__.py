"""Reference lists with sources and translations: services, reasons, indicators, HTCDS.

The lists are files of this package. Codes of the mechanism itself, such as countries and
offices, are in `directory`.
"""
