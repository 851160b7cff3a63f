"""Actions on a case that involve more than the case itself, such as submitting it.

Packages such as `cases`, `consents` and `referrals` own one kind of record each. This
package combines them in one transaction. The rules for which sections an office may open
belong to `disclosure`.
"""
