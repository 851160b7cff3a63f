"""Cases: parties, summary, sealed documents, facts and risk.

A rule here reads one case alone. Actions that change other records are in `casework`; who
may open a sealed document is decided in `disclosure`.
"""
