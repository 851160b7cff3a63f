"""The restore drill, which checks that a restore loses what it must lose and no more."""
