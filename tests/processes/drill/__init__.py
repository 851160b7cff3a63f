"""The restore drill: what a restore loses, and that it loses nothing else."""
