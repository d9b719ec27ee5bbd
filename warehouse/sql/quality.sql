-- What is wrong with the data, counted up to a limit and page by page (quality.py): by indexes, so that a page may ask.

-- name: invalid
-- From type to type by the index of what is not valid.
WITH RECURSIVE named AS (
    (SELECT type FROM identity.identifier WHERE NOT is_valid ORDER BY type LIMIT 1)
    UNION ALL
    SELECT (SELECT i.type FROM identity.identifier AS i WHERE NOT i.is_valid AND i.type > n.type ORDER BY i.type LIMIT 1)
    FROM named AS n WHERE n.type IS NOT NULL
)
SELECT n.type, (
        SELECT count(*) FROM (
            SELECT FROM identity.identifier AS i WHERE NOT i.is_valid AND i.type = n.type LIMIT %(most)s
        ) AS counted
    ) AS found
FROM named AS n WHERE n.type IS NOT NULL

-- name: invalid_rows
SELECT i.record_id, i.value, i.invalid_reason AS reason, r.source, r.stream, r.source_key, r.kind,
    x.client_id::text AS client_id
FROM (
    SELECT DISTINCT record_id FROM identity.identifier
    WHERE NOT is_valid AND type = %(type)s AND record_id > %(after)s
    ORDER BY record_id
    LIMIT %(limit)s
) AS p
JOIN identity.identifier AS i ON i.record_id = p.record_id AND NOT i.is_valid AND i.type = %(type)s
JOIN identity.standard_record AS r ON r.record_id = i.record_id
LEFT JOIN identity.crosswalk AS x ON x.record_id = i.record_id
ORDER BY i.record_id, i.value

-- name: generic
SELECT kind, type, count(*) AS found, max(names) AS names FROM identity.generic_value
GROUP BY kind, type
ORDER BY 3 DESC, kind, type

-- name: generic_rows
SELECT kind, value, names FROM identity.generic_value
WHERE type = %(type)s
ORDER BY names DESC, kind, value COLLATE "C"
LIMIT %(limit)s

-- name: reject_reasons
-- Counted up to a limit: a source that changed its form may be refused whole.
SELECT stream, step, reason, count(*) AS found, min(first_at)::text AS first_at
FROM (
    SELECT stream, step, reason, first_at FROM ops.reject
    WHERE is_open AND source = %(source)s
    LIMIT %(most)s
) AS counted
GROUP BY stream, step, reason
ORDER BY 4 DESC, stream, step, reason

-- name: reject_rows
SELECT j.fingerprint::text, j.stream, j.source_key, j.step, j.reason, j.detail, j.place, j.path, j.first_at::text,
    j.is_retried, length(j.payload) AS bytes, substr(j.payload, 1, %(bytes)s) AS payload, x.client_id::text AS client_id
FROM (
    SELECT * FROM ops.reject
    WHERE is_open AND source = %(source)s AND (%(reason)s::text IS NULL OR reason = %(reason)s)
        AND (%(at)s::timestamptz IS NULL OR (first_at, fingerprint) < (%(at)s::timestamptz, %(after)s::uuid))
    ORDER BY first_at DESC, fingerprint DESC
    LIMIT %(limit)s
) AS j
LEFT JOIN identity.crosswalk AS x ON x.record_id = j.record_id
ORDER BY j.first_at DESC, j.fingerprint DESC
