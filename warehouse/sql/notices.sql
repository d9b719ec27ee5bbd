-- What somebody is to be told.

-- name: open
INSERT INTO ops.notice (kind, key, subject, detail, opened_at)
SELECT n.kind, n.key, n.subject, n.detail, %(at)s
FROM unnest(%(kinds)s::text[], %(keys)s::text[], %(subjects)s::text[], %(details)s::text[]) AS n (kind, key, subject, detail)
ON CONFLICT (key) WHERE closed_at IS NULL DO NOTHING
RETURNING key

-- name: close
UPDATE ops.notice SET closed_at = %(at)s
WHERE closed_at IS NULL AND key = ANY (%(looked_at)s::text[]) AND NOT key = ANY (%(keys)s::text[])
RETURNING key

-- name: read_last
SELECT source, stream, at::text AS synced_at FROM ops.checkpoint ORDER BY source COLLATE "C", stream COLLATE "C"

-- name: open_keys
SELECT key FROM ops.notice WHERE closed_at IS NULL ORDER BY key

-- name: of_tasks
SELECT kind, subject, detail, opened_at
FROM ops.notice
WHERE closed_at IS NULL AND split_part(key, ':', 2) = 'DAG'
ORDER BY notice_id

-- name: untold
-- What was over before the channel could be told is not told at all.
SELECT notice_id, kind, key, subject, detail, opened_at, closed_at
FROM ops.notice
WHERE kind = ANY (%(kinds)s::text[])
    AND CASE
        WHEN closed_at IS NULL THEN NOT %(channel)s = ANY (told)
        ELSE %(channel)s = ANY (told) AND NOT %(channel)s = ANY (told_over)
    END
ORDER BY notice_id

-- name: told
UPDATE ops.notice SET told = told || %(channel)s::text WHERE notice_id = ANY (%(ids)s::bigint[])

-- name: told_over
UPDATE ops.notice SET told_over = told_over || %(channel)s::text WHERE notice_id = ANY (%(ids)s::bigint[])
