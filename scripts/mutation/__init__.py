"""The mutation runner: mutants of modules, the tests that reach them, and their verdicts."""
