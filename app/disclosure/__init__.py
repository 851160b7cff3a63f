"""Opening and writing sealed documents, and the access log.

Actions on a case are in `casework`; the encryption of documents is in `cases`.
"""
