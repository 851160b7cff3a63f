"""Which offices should lead a case or could serve it, and why the others are left out.

The ranking is a pure function of a question. `consents.placing` and `casework.placing`
build the question of a case; `casework` acts on the answer.
"""
