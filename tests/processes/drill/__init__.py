"""The restore drill: only data newer than the backup is lost, and no erasure is undone."""
