"""Actions on a case that involve more than the case itself, such as submitting it.

Packages such as `cases`, `consents` and `referrals` own one kind of record each. This one
combines them in one transaction. Which sections an office may open belongs to `disclosure`.
"""
