"""Safe Conduct, the service.

Importing this package selects the pinned time zone database before anything reads one.
"""

from app.kernel.time_zones import select_pinned_database

select_pinned_database()
