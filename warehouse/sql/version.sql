-- name: is_there
SELECT to_regclass('ops.alembic_version') IS NOT NULL AND to_regclass('ops.definition') IS NOT NULL

-- name: installed
SELECT v.version_num || '+' || coalesce(replace(d.fingerprint::text, '-', ''), 'none')
FROM ops.alembic_version AS v
LEFT JOIN ops.definition AS d ON d.kind = 'sql' AND d.name = 'definitions'

-- name: remember_definitions
INSERT INTO ops.definition (kind, name, fingerprint) VALUES ('sql', 'definitions', %(fingerprint)s)
ON CONFLICT (kind, name) DO UPDATE SET fingerprint = excluded.fingerprint, at = now()
WHERE ops.definition.fingerprint <> excluded.fingerprint

-- name: lock
SELECT pg_advisory_xact_lock(7305118002)
