-- Tokens that sources hand out (tokens.py).
-- name: lock
SELECT pg_advisory_lock(%(key)s::bigint)

-- name: unlock
SELECT pg_advisory_unlock(%(key)s::bigint)

-- name: saved
SELECT token FROM ops.source_token WHERE source = %(source)s

-- name: save
INSERT INTO ops.source_token AS t (source, token, saved_at) VALUES (%(source)s, %(token)s, now())
ON CONFLICT (source) DO UPDATE SET token = excluded.token, saved_at = excluded.saved_at
