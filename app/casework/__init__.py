"""Actions on a case that involve more than the case itself, such as submitting it.

Packages such as `cases`, `consents` and `referrals` own one kind of record each. This
package combines them in one transaction. The rules on which sections an office may open
are in `disclosure`.
"""
