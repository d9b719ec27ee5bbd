-- The hub's roles (roles.py). In the grants, {owner}, {reader}, {steward}, {writer} and {schema} are identifiers.

-- name: lock
-- Roles belong to the whole server: of two processes that set up one hub, the second waits.
SELECT pg_advisory_xact_lock(hashtextextended('onefold roles of ' || current_database(), 0))

-- name: state
-- Who we are, what we may, and which of the wanted roles exist.
SELECT
    current_user,
    me.rolsuper,
    me.rolcreaterole,
    ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname = ANY (%(names)s))
FROM pg_roles AS me
WHERE me.rolname = current_user

-- name: grant_inner
-- The owner reads for the views, the steward reads, the writer writes.
REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;
GRANT USAGE ON SCHEMA {schema} TO {owner}, {steward}, {writer};
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {owner}, {steward};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {writer};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {writer};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {writer};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {owner}, {steward};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {writer};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {writer};

-- name: has_tokens
SELECT to_regclass('ops.source_token') IS NOT NULL

-- name: hide_tokens
-- Only who runs the hub reads the tokens of sources.
REVOKE ALL ON ops.source_token FROM {owner}, {steward}

-- name: grant_served
-- PUBLIC gets nothing: a role sees a schema because it was granted.
REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;
GRANT USAGE ON SCHEMA {schema} TO {owner}, {reader}, {steward}, {writer};
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {owner}, {reader}, {steward}, {writer};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {owner}, {reader}, {steward}, {writer};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {owner}, {reader}, {steward}, {writer};

-- name: withhold_new
-- With row-level security a new view is shown when it has been made safe, not before.
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE SELECT ON TABLES FROM {reader}

-- name: views_to_own
-- The served views whose owner is not yet the role that owns nothing else.
SELECT c.relname::text
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_roles AS o ON o.oid = c.relowner
WHERE n.nspname = %(schema)s AND c.relkind = 'v' AND o.rolname <> %(owner)s
ORDER BY c.relname
