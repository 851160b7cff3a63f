"""The Safe Conduct service.

Importing this package selects the pinned time zone database before a time zone is read.
"""

from app.kernel.time_zones import select_pinned_database

select_pinned_database()
