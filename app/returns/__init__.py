"""Assisted voluntary returns, each with a checklist of twelve steps for a RETURN referral.

The request and its acceptance belong to `referrals`. Rules that combine returns with other
parts of a case belong to `casework`.
"""
