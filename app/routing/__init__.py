"""Rankings of the offices that should lead a case or could serve it, with the reasons.

A ranking is a pure function of a question. `consents.routing_questions` builds the question
of a case, `casework.placing` builds that of a preview, and `casework` acts on the ranking.
"""
