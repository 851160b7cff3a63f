"""Rankings of the offices that should lead a case or could serve it, with the reasons.

A ranking is a pure function of a question. `consents.routing_questions` builds the question
for a case, and `casework.placing` for a preview. `casework` acts on the ranking.
"""
