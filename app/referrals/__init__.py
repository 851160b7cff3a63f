"""Referrals: requests to one office to give one service to the person of a case.

A referral has its own life cycle, deadlines and parties. The checklist of a return belongs
to `returns`, moving the lead to `handovers`, and rules that combine several of these to
`casework`.
"""
