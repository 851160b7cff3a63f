"""The restore drill, which checks what a restore loses and that it loses nothing else."""
