import os
def test_dies(pg_url): os.kill(os.getpid(), 9)
def test_lives(pg_url): pass
