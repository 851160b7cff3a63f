"""Referrals: requests to an office to provide one service to the person of a case.

The checklist of a return belongs to `returns`, and a transfer of the lead belongs to
`handovers`. Rules that combine several of these packages belong to `casework`.
"""
