"""The mutation runner: mutants of modules, the tests that reach them, and verdicts."""
