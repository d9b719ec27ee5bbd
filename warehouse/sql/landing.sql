-- Landing pages of source records. Every statement probes raw.record by primary key, row by row.

-- name: probe
SELECT r.record_id, uuid_send(r.payload_hash), r.is_deleted, r.source, r.stream, r.source_key
FROM unnest(%(record_ids)s::bigint[]) AS p (record_id)
CROSS JOIN LATERAL (
    SELECT * FROM raw.record AS t WHERE t.record_id = p.record_id OFFSET 0
) AS r

-- name: store
-- All that a page writes. The parts of a WITH see the rows as they were before; counting what has moved keeps a new
-- version waiting until the old one is gone. Where it was not asked before what is held (not is_asked), a row that may be
-- held as it is stays, and its twin breaks the primary key: nothing of the page is written then.
WITH forgotten AS (
    DELETE FROM ops.sweep_mark
    WHERE source = %(source)s::text AND stream = %(stream)s::text AND pass_id <> %(pass_id)s::text
), marked AS (
    INSERT INTO ops.sweep_mark (source, stream, pass_id, record_ids)
    SELECT %(source)s::text, %(stream)s::text, %(pass_id)s::text, %(shown)s::bigint[]
    WHERE %(pass_id)s::text IS NOT NULL AND cardinality(%(shown)s::bigint[]) > 0
), saved AS (
    INSERT INTO ops.checkpoint (source, stream, state, at, run_id)
    SELECT %(source)s::text, %(stream)s::text, %(state)s::jsonb, %(now)s::timestamptz, %(run_id)s::bigint
    WHERE %(state)s::jsonb IS NOT NULL
    ON CONFLICT (source, stream) DO UPDATE
    SET state = excluded.state, at = excluded.at, run_id = excluded.run_id
), closed AS (
    -- as: landing.close_rejects
), queued AS (
    INSERT INTO ops.pending (step, record_id)
    SELECT %(queue)s::text, n.record_id FROM unnest(%(record_ids)s::bigint[]) AS n (record_id)
), superseded AS (
    DELETE FROM raw.record AS r
    WHERE r.record_id = ANY (%(superseded)s::bigint[])
        AND (
            %(is_asked)s::boolean
            OR (
                -- By subqueries: the planner takes an array of constants apart and copies it several times.
                r.payload_hash NOT IN (SELECT h.one FROM unnest(%(hashes)s::uuid[]) AS h (one))
                AND r.source_key IN (SELECT k.one FROM unnest(%(keys)s::text[]) AS k (one))
                -- Not by equality, which would be looked up in the index of streams: all records of the stream.
                AND r.source IS NOT DISTINCT FROM %(source)s::text AND r.stream IS NOT DISTINCT FROM %(stream)s::text
            )
        )
    RETURNING *
), kept AS (
    -- as: landing.keep
    FROM superseded AS r
    RETURNING is_deleted
), moved AS (
    SELECT count(*) AS size, count(*) FILTER (WHERE is_deleted) AS revived FROM kept
), stored AS (
    INSERT INTO raw.record (
        record_id, source, stream, source_key, payload, payload_hash, is_deleted, source_updated_at, ingested_at, run_id
    )
    SELECT n.record_id, %(source)s::text, %(stream)s::text, n.source_key, n.payload, n.payload_hash, n.is_deleted,
        n.source_updated_at, %(now)s::timestamptz, %(run_id)s::bigint
    FROM unnest(
        %(record_ids)s::bigint[], %(keys)s::text[], %(payloads)s::jsonb[], %(hashes)s::uuid[], %(flags)s::boolean[],
        %(times)s::timestamptz[]
    ) AS n (record_id, source_key, payload, payload_hash, is_deleted, source_updated_at)
    WHERE (SELECT size FROM moved) >= 0
)
SELECT size, revived FROM moved

-- name: keep
-- Versions of raw.record as those that were superseded; FROM says which, under the name r.
INSERT INTO raw.record_version (
    record_id, payload, payload_hash, is_deleted, is_deletion_inferred, source_updated_at, ingested_at,
    superseded_at, run_id
)
SELECT r.record_id, r.payload, r.payload_hash, r.is_deleted, r.is_deletion_inferred, r.source_updated_at,
    r.ingested_at, %(now)s::timestamptz, r.run_id

-- name: keep_superseded
-- as: landing.keep
FROM unnest(%(record_ids)s::bigint[]) AS p (record_id)
CROSS JOIN LATERAL (SELECT * FROM raw.record AS t WHERE t.record_id = p.record_id OFFSET 0) AS r
ORDER BY r.record_id

-- name: delete_of
UPDATE raw.record
SET is_deleted = true, is_deletion_inferred = %(is_inferred)s, ingested_at = %(now)s, run_id = %(run_id)s
WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: missing
SELECT r.record_id
FROM raw.record AS r
WHERE r.source = %(source)s AND r.stream = %(stream)s AND NOT r.is_deleted
    AND (%(match)s::jsonb IS NULL OR r.payload @> %(match)s::jsonb)
    AND (%(member)s::text IS NULL OR r.payload ->> %(member)s::text = ANY (%(values)s::text[]))
    AND NOT EXISTS (
        SELECT FROM (
            SELECT unnest(m.record_ids) AS record_id
            FROM ops.sweep_mark AS m
            WHERE m.source = %(source)s AND m.stream = %(stream)s AND m.pass_id = %(pass_id)s
        ) AS shown
        WHERE shown.record_id = r.record_id
    )
    -- Its deletion was held or taken back, and the source says nothing new of it.
    AND NOT EXISTS (SELECT FROM raw.held_record AS h WHERE h.record_id = r.record_id AND h.is_deleted)
ORDER BY r.record_id

-- name: mark_rejects
INSERT INTO ops.sweep_mark (source, stream, pass_id, record_ids, reject_fingerprints)
VALUES (%(source)s, %(stream)s, %(pass_id)s, '{}', %(fingerprints)s::uuid[])

-- name: close_rejects_not_shown
UPDATE ops.reject AS r SET is_open = false, is_retried = true, closed_at = %(now)s
WHERE r.source = %(source)s AND r.stream = %(stream)s AND r.step = 'sync' AND r.is_open
    AND (%(origin)s::text = '' OR starts_with(r.place, %(origin)s::text))
    AND NOT EXISTS (
        SELECT FROM ops.sweep_mark AS m
        WHERE m.source = %(source)s AND m.stream = %(stream)s AND m.pass_id = %(pass_id)s
            AND r.fingerprint = ANY (m.reject_fingerprints)
    )

-- name: live_count
SELECT count(*) FROM raw.record AS r
WHERE r.source = %(source)s AND r.stream = %(stream)s AND NOT r.is_deleted
    AND (%(match)s::jsonb IS NULL OR r.payload @> %(match)s::jsonb)
    AND (%(member)s::text IS NULL OR r.payload ->> %(member)s::text = ANY (%(values)s::text[]))

-- name: forget_pass
DELETE FROM ops.sweep_mark WHERE source = %(source)s AND stream = %(stream)s

-- name: add_rejects
INSERT INTO ops.reject (
    fingerprint, source, stream, source_key, record_id, step, reason, detail, place, path, payload, run_id, first_at
)
SELECT DISTINCT ON (n.fingerprint) n.fingerprint, %(source)s, %(stream)s, n.source_key, n.record_id, 'sync',
    n.reason, n.detail, n.place, NULL, n.payload, %(run_id)s, %(now)s
FROM unnest(
    %(fingerprints)s::uuid[], %(keys)s::text[], %(record_ids)s::bigint[], %(reasons)s::text[], %(details)s::text[],
    %(places)s::text[], %(payloads)s::bytea[]
) AS n (fingerprint, source_key, record_id, reason, detail, place, payload)
WHERE NOT EXISTS (SELECT FROM ops.reject AS r WHERE r.fingerprint = n.fingerprint)

-- name: reopen_rejects
UPDATE ops.reject SET is_open = true, closed_at = NULL
WHERE fingerprint = ANY (%(fingerprints)s::uuid[]) AND NOT is_open

-- name: close_rejects
UPDATE ops.reject SET is_open = false, is_retried = true, closed_at = %(now)s::timestamptz
WHERE record_id = ANY (%(record_ids)s::bigint[]) AND step = 'sync' AND is_open

-- name: checkpoint
SELECT state FROM ops.checkpoint WHERE source = %(source)s AND stream = %(stream)s
