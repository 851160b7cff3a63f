"""Safe Conduct, the service.

Importing this package selects the pinned time zone database before anything reads one.
"""

from app.kernel.time_zones import use_pinned_database

use_pinned_database()
