-- The guards of a PostgreSQL database, each with its definition. Objects of extensions are
-- excluded.
WITH relation AS (
    SELECT c.*, c.relname AS name FROM pg_catalog.pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'
    )
), routine AS (
    SELECT p.*, p.oid::regprocedure::text AS name FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e'
    )
), granted AS (
    SELECT r.name, r.relowner AS owner, a.*
    FROM relation r CROSS JOIN LATERAL pg_catalog.aclexplode(r.relacl) a
    UNION ALL
    SELECT r.name || '.' || b.attname, r.relowner, a.*
    FROM relation r JOIN pg_catalog.pg_attribute b ON b.attrelid = r.oid
    CROSS JOIN LATERAL pg_catalog.aclexplode(b.attacl) a
    UNION ALL
    SELECT p.name, p.proowner, a.*
    FROM routine p CROSS JOIN LATERAL pg_catalog.aclexplode(
        coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))
    ) a
    UNION ALL
    SELECT 'schema public', n.nspowner, a.*
    FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL pg_catalog.aclexplode(
        coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))
    ) a
    WHERE n.nspname = 'public' AND a.privilege_type = 'CREATE'
        AND a.grantee IS DISTINCT FROM to_regrole('safe_conduct_owner')
)
SELECT 'row security on ' || name AS name,
    CASE WHEN relforcerowsecurity THEN 'forced' ELSE 'not forced' END AS definition
FROM relation WHERE relrowsecurity
UNION ALL
SELECT 'policy ' || policyname || ' on ' || tablename,
    concat_ws(' ', permissive, cmd, roles::text, 'using', qual, 'check', with_check)
FROM pg_catalog.pg_policies WHERE schemaname = 'public'
UNION ALL
-- The definition begins with whether the trigger is enabled. Internal ones are excluded.
SELECT 'trigger ' || t.tgname || ' on ' || r.name,
    t.tgenabled::text || ' ' || pg_catalog.pg_get_triggerdef(t.oid)
FROM pg_catalog.pg_trigger t JOIN relation r ON r.oid = t.tgrelid
WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule ' || rulename || ' on ' || tablename, definition
FROM pg_catalog.pg_rules WHERE schemaname = 'public'
UNION ALL
SELECT 'event trigger ' || evtname, evtenabled::text || ' ' || evtevent
FROM pg_catalog.pg_event_trigger
UNION ALL
-- Functions, and whether they run with the privileges of their owner.
SELECT 'function ' || p.name,
    concat_ws(
        ' ', l.lanname, p.provolatile,
        CASE WHEN p.prosecdef THEN 'as its owner' END,
        p.proconfig::text, p.proowner::regrole::text, md5(p.prosrc)
    )
FROM routine p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
UNION ALL
SELECT 'view ' || name, concat_ws(' ', reloptions::text, pg_catalog.pg_get_viewdef(oid))
FROM relation WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'owner of ' || name, relowner::regrole::text
FROM relation WHERE relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT
    'right ' || privilege_type || ' on ' || name || ' to '
    || CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
    CASE WHEN is_grantable THEN 'may grant it' END
FROM granted WHERE grantee <> owner
UNION ALL
SELECT 'index ' || indexname || ' on ' || tablename, NULL
FROM pg_catalog.pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'extension ' || extname, NULL
FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'
UNION ALL
-- Settings: triggers fire, and tables are those of this schema.
SELECT 'setting session_replication_role', current_setting('session_replication_role')
UNION ALL
SELECT 'setting search_path', current_schemas(false)::text
UNION ALL
SELECT 'unique index ' || i.relname || ' on ' || r.name, pg_catalog.pg_get_indexdef(i.oid)
FROM pg_catalog.pg_index x
JOIN relation r ON r.oid = x.indrelid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
WHERE x.indisunique AND x.indisvalid
UNION ALL
-- Since version 18, NOT NULL is a constraint too.
SELECT 'constraint ' || k.conname || ' on ' || r.name,
    k.convalidated::text || ' ' || pg_catalog.pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint k JOIN relation r ON r.oid = k.conrelid
WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT 'persistence of ' || name, relpersistence::text
FROM relation WHERE relkind IN ('r', 'p') AND relpersistence <> 'p'
