-- A hub in one file and back (backup/).

-- name: export_snapshot
SELECT pg_export_snapshot(), current_setting('server_version_num')::integer / 10000, current_database()

-- name: tables
-- Every table of the hub's own schemas, whoever added it.
SELECT n.nspname || '.' || c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p')
ORDER BY 1

-- name: count
SELECT count(*) FROM {table}

-- name: clock
SELECT last_as_of, last_event_id FROM ops.hub_clock

-- name: schemas
-- The hub's own, among them every version of the served contract.
SELECT nspname::text FROM pg_namespace
WHERE nspname IN ('raw', 'identity', 'core', 'ops') OR nspname ~ '^onefold_v[0-9]'
ORDER BY 1

-- name: is_used
-- Anything that came from a source or from a person.
SELECT EXISTS (SELECT FROM raw.record) OR EXISTS (SELECT FROM ops.run) OR EXISTS (SELECT FROM identity.judgement)
    OR EXISTS (SELECT FROM ops.reject)

-- name: may_replace
-- Whether we may create databases, and may rename this one.
SELECT me.rolsuper OR (me.rolcreatedb AND pg_has_role(d.datdba, 'USAGE'))
FROM pg_roles AS me, pg_database AS d
WHERE me.rolname = current_user AND d.datname = current_database()

-- name: close_sessions
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = ANY (%(databases)s) AND pid <> pg_backend_pid() AND backend_type = 'client backend'

-- name: rename
ALTER DATABASE {old} RENAME TO {new}

-- name: copies
SELECT datname FROM pg_database WHERE datname ~ %(pattern)s
