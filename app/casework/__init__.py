"""Actions on a case that involve more than the case itself, such as submitting it.

Each package below owns one kind of record and knows nothing of the others: `cases`,
`consents`, `referrals`, `returns`, `handovers`, `routing`, `deadlines`. This package
combines them in one transaction. Which sealed section an office may open belongs to
`disclosure`.
"""
