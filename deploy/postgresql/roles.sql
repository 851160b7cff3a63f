-- The roles of Safe Conduct on PostgreSQL 15 or newer (docs/adr/0010). Run by psql, as an
-- administrator of the server, in the database that is to hold the cases. It can be run again
-- at any time, also on a database that is served: it sets the passwords and the settings
-- anew, and leaves everything else as it is. The passwords come from the environment: a
-- command line is seen by everybody on the machine.
\set ON_ERROR_STOP on
\getenv migrator_password SAFE_CONDUCT_MIGRATOR_PASSWORD
\getenv service_password SAFE_CONDUCT_SERVICE_PASSWORD
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET client_min_messages = 'warning';

-- Two roles that nobody signs in as: one owns the tables, one has the rights of the service.
SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM unnest(ARRAY['safe_conduct_owner', 'safe_conduct_app']) AS name
WHERE to_regrole(name) IS NULL
\gexec

-- Two logins, each a member of one of them: a session can always go back to its login.
SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['safe_conduct_migrator', 'safe_conduct_service']) AS name
WHERE to_regrole(name) IS NULL
\gexec
ALTER ROLE safe_conduct_migrator PASSWORD :'migrator_password';
ALTER ROLE safe_conduct_service PASSWORD :'service_password';
GRANT safe_conduct_owner TO safe_conduct_migrator;
GRANT safe_conduct_app TO safe_conduct_service;

-- Each session of the service begins with its role and its time limits. The service sets them
-- itself as well; behind a pooler in transaction mode (PgBouncer) most server connections
-- would never see that.
SELECT format(
    'ALTER ROLE safe_conduct_service IN DATABASE %I SET %I = %L',
    current_database(), setting, value
)
FROM (VALUES
    ('role', 'safe_conduct_app'),
    ('search_path', 'public'),
    ('timezone', 'UTC'),
    ('datestyle', 'ISO, YMD'),
    ('quote_all_identifiers', 'off'),
    ('row_security', 'on'),
    ('synchronous_commit', 'on'),
    ('lock_timeout', '5s'),
    ('statement_timeout', '10s'),
    ('idle_in_transaction_session_timeout', '30s')
) AS settings (setting, value)
\gexec

-- Nobody else gets in, and only the owner makes tables.
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database())
\gexec
SELECT format(
    'GRANT CONNECT ON DATABASE %I TO safe_conduct_migrator, safe_conduct_service',
    current_database()
)
\gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO safe_conduct_owner;
GRANT USAGE ON SCHEMA public TO safe_conduct_app;
