-- name: save
WITH same AS (
    SELECT version FROM identity.model WHERE fingerprint = %(print)s::uuid
), new AS (
    INSERT INTO identity.model (version, kind, body, fingerprint, created_at)
    SELECT coalesce((SELECT max(version) FROM identity.model), 0) + 1, %(kind)s, %(body)s, %(print)s::uuid, %(at)s
    WHERE NOT EXISTS (SELECT FROM same)
    RETURNING version
)
SELECT version FROM same UNION ALL SELECT version FROM new

-- name: retire
UPDATE identity.model SET is_current = false WHERE is_current AND version <> %(version)s

-- name: use
UPDATE identity.model SET is_current = true WHERE NOT is_current AND version = %(version)s

-- name: current
SELECT version, kind, body, is_current, created_at FROM identity.model WHERE is_current

-- name: saved
SELECT version, kind, body, is_current, created_at FROM identity.model ORDER BY version

-- name: of_version
SELECT version, kind, body, is_current, created_at FROM identity.model WHERE version = %(version)s

-- name: made_with
SELECT version, kind, jsonb_build_object('made_with', body -> 'made_with'), is_current, created_at
FROM identity.model
ORDER BY version

-- name: current_head
SELECT version, kind, jsonb_build_object('made_with', body -> 'made_with'), is_current, created_at
FROM identity.model
WHERE is_current

-- name: in_use
SELECT version, kind FROM identity.model WHERE is_current

-- name: versions
SELECT version, kind, is_current, created_at, fingerprint::text FROM identity.model
WHERE is_current OR version IN (SELECT version FROM identity.model ORDER BY version DESC LIMIT %(limit)s)
ORDER BY version DESC
