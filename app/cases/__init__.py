"""Cases: parties, summary, sealed documents, facts and risk.

The rules in this package read only one case. Actions that change other records are in
`casework`. The rules on who may open a sealed document are in `disclosure`.
"""
