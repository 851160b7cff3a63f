"""Active twins: two runs of the service that differ in what offices do in secret.

Offices that observe do the same in both runs. They invent cases, act on them, and read all
that they may. If an answer differs between the two runs, it tells them something about a
case in which they have no part, or no longer have one.
"""
