-- name: stored
SELECT name, fingerprint FROM ops.definition WHERE kind = %(kind)s

-- name: remember
INSERT INTO ops.definition (kind, name, fingerprint) VALUES (%(kind)s, %(name)s, %(fingerprint)s)
ON CONFLICT (kind, name) DO UPDATE SET fingerprint = excluded.fingerprint, at = now()
