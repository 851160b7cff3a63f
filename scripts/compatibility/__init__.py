"""What a change of the contract does to who was a client before: pure functions."""
