-- The guards of an SQLite database: each by its name, with its definition.
SELECT type || ' ' || name || ' on ' || tbl_name AS name, sql AS definition
FROM sqlite_master WHERE type = 'trigger'
UNION ALL
SELECT type || ' ' || name, sql
FROM sqlite_master WHERE type = 'view'
UNION ALL
SELECT type || ' ' || name || ' on ' || tbl_name, NULL
FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
