-- The guards of an SQLite database, each with its definition.
SELECT type || ' ' || name || ' on ' || tbl_name AS name, sql AS definition
FROM sqlite_master WHERE type = 'trigger'
UNION ALL
SELECT type || ' ' || name, sql
FROM sqlite_master WHERE type = 'view'
UNION ALL
SELECT type || ' ' || name || ' on ' || tbl_name, NULL
FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
UNION ALL
-- Unique indexes with the order of their columns; those of constraints have no name.
SELECT 'unique ' || t.name || ' (' || (
    SELECT group_concat(coalesce(c.name, '?'), ', ') FROM pragma_index_info(i.name) AS c
) || ')' || CASE WHEN i.partial THEN ' partial' ELSE '' END, NULL
FROM sqlite_master AS t JOIN pragma_index_list(t.name) AS i
WHERE t.type = 'table' AND i."unique"
UNION ALL
-- No table of ours has a conflict clause.
SELECT 'conflict clause of ' || name, NULL
FROM sqlite_master WHERE type = 'table' AND upper(sql) LIKE '%ON CONFLICT%'
