"""Helpers for tests: worlds, people, servers, databases and the selection of tests.

A helper that only one test file uses belongs to that file. Checks that run over many
operations belong to tests/sweeps. Long runs in which processes are killed belong to
tests/torture.
"""
