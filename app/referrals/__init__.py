"""Referrals: requests to an office to provide one service to the person of a case.

A referral has its own life cycle, deadlines and parties. The checklist of a return belongs
to the package `returns`, and a transfer of the lead belongs to `handovers`. Rules that
combine several of these packages belong to `casework`.
"""
