-- What is written back to sources (write_receipts.py), and what a sync brings back of it (echoes.py).

-- name: candidates
-- Records with a client, in order of their id. One whose last receipt says that the same version of the same client
-- was taken, and that was not landed since, has nothing to be written.
SELECT r.record_id, r.source_key, r.payload::text, r.ingested_at, c.client_id::text, c.changed_seq, c.kind, c.role,
    c.display_name, c.record_count, c.attributes::text, w.receipts::text, coalesce(w.number, 0),
    -- The client's own word decides; else what it does, or what is concluded.
    CASE WHEN %(derived)s THEN jsonb_build_object(
        'segment', (
            SELECT jsonb_object_agg(m.scheme, coalesce(m.segment, 'unknown'))
            FROM core.client_segment AS m
            JOIN core.segment_scheme AS s ON s.scheme = m.scheme AND s.is_served
            WHERE m.client_id = c.client_id AND m.left_at IS NULL
        ),
        'need', (
            SELECT jsonb_object_agg(n.need, n.is_held) FROM (
                SELECT o.need, coalesce(bool_or(o.is_held) FILTER (WHERE o.origin = 'declared'), bool_or(o.is_held)) AS is_held
                FROM core.client_need AS o
                WHERE o.client_id = c.client_id
                GROUP BY o.need
            ) AS n
        )
    )::text END
FROM raw.record AS r
JOIN identity.crosswalk AS x ON x.record_id = r.record_id
JOIN core.client AS c ON c.client_id = x.client_id AND NOT c.is_deleted
LEFT JOIN LATERAL (
    SELECT jsonb_agg(to_jsonb(l) ORDER BY l.receipt_id) AS receipts, max(l.number) AS number,
        bool_or(
            l.is_last AND l.status = 'accepted' AND l.client_id = c.client_id AND l.golden_seq = c.changed_seq
            AND l.plan_hash = %(plan_hash)s::uuid AND l.sent_at >= r.ingested_at
        ) AS is_settled
    FROM (
        SELECT t.receipt_id, t.status, t.payload_hash, t.idempotence_key, t.fields, t.before, t.undoes, t.sent_at,
            t.echoed_at, t.client_id, t.golden_seq, t.plan_hash, count(*) OVER () AS number,
            row_number() OVER (ORDER BY t.receipt_id DESC) = 1 AS is_last
        FROM ops.write_receipt AS t
        WHERE t.record_id = r.record_id
        ORDER BY t.receipt_id DESC
        LIMIT 20
    ) AS l
) AS w ON true
WHERE r.source = %(source)s AND r.stream = %(stream)s AND NOT r.is_deleted AND r.record_id > %(after)s
    AND w.is_settled IS NOT TRUE AND (%(among)s::bigint[] IS NULL OR r.record_id = ANY (%(among)s))
ORDER BY r.record_id
LIMIT %(limit)s

-- name: with_news
-- need_client: whose needs are told again.
SELECT r.record_id
FROM raw.record AS r
JOIN identity.crosswalk AS x ON x.record_id = r.record_id
WHERE r.source = %(source)s AND r.stream = %(stream)s AND NOT r.is_deleted AND (
    r.ingested_at >= %(at)s OR x.changed_seq > %(seen)s OR x.changed_seq IS NULL OR x.client_id IN (
        SELECT n.client_id FROM need_client AS n
        UNION ALL
        SELECT m.client_id FROM core.client_segment AS m WHERE m.entered_at >= %(at)s OR m.left_at >= %(at)s
    )
)
ORDER BY r.record_id

-- name: begin
INSERT INTO ops.write_receipt (
    run_id, source, stream, source_key, record_id, client_id, golden_seq, fields, before, payload_hash, plan_hash,
    idempotence_key, undoes, status, sent_at
)
SELECT %(run_id)s, %(source)s, %(stream)s, n.source_key, n.record_id, n.client_id, n.golden_seq, n.fields, n.before,
    n.payload_hash, %(plan_hash)s::uuid, n.idempotence_key, n.undoes, 'sent', %(now)s
FROM unnest(
    %(source_keys)s::text[], %(record_ids)s::bigint[], %(client_ids)s::uuid[], %(golden_seqs)s::bigint[],
    %(fields)s::jsonb[], %(befores)s::jsonb[], %(payload_hashes)s::uuid[], %(idempotence_keys)s::uuid[],
    %(undoes)s::bigint[]
) WITH ORDINALITY AS n (
    source_key, record_id, client_id, golden_seq, fields, before, payload_hash, idempotence_key, undoes, place
)
ORDER BY n.place
RETURNING receipt_id

-- name: begin_again
UPDATE ops.write_receipt AS w
SET status = 'sent', sent_at = %(now)s, run_id = %(run_id)s, code = NULL, message = NULL, answered_at = NULL,
    golden_seq = n.golden_seq, plan_hash = %(plan_hash)s::uuid
FROM unnest(%(receipt_ids)s::bigint[], %(golden_seqs)s::bigint[]) AS n (receipt_id, golden_seq)
WHERE w.receipt_id = n.receipt_id

-- name: answer
UPDATE ops.write_receipt AS w
SET status = n.status, code = n.code, message = n.message,
    answered_at = CASE WHEN n.status = 'unknown' THEN NULL ELSE %(now)s END
FROM unnest(
    %(receipt_ids)s::bigint[], %(statuses)s::text[], %(codes)s::text[], %(messages)s::text[]
) AS n (receipt_id, status, code, message)
WHERE w.receipt_id = n.receipt_id

-- name: unanswered
-- Nobody else writes to this source: what is still on its way was cut off.
UPDATE ops.write_receipt SET status = 'unknown'
WHERE source = %(source)s AND stream = %(stream)s AND status = 'sent'

-- name: awaited
-- Of these records: what was written and did not come back yet, oldest first, beside what is landed.
SELECT r.record_id, jsonb_agg(w.fields ORDER BY w.receipt_id)::text, r.payload::text
FROM raw.record AS r
JOIN ops.write_receipt AS w ON w.record_id = r.record_id AND w.status <> 'refused' AND w.echoed_at IS NULL
WHERE r.record_id = ANY (%(record_ids)s::bigint[])
GROUP BY r.record_id

-- name: take_echo
-- The record is what it was: no version is kept, nothing is queued, and its time of change stays.
UPDATE raw.record AS r SET payload = n.payload, payload_hash = n.payload_hash
FROM unnest(%(record_ids)s::bigint[], %(payloads)s::jsonb[], %(hashes)s::uuid[]) AS n (record_id, payload, payload_hash)
WHERE r.record_id = n.record_id

-- name: confirm
UPDATE ops.write_receipt
SET echoed_at = %(now)s, status = 'accepted', answered_at = coalesce(answered_at, %(now)s)
WHERE record_id = ANY (%(record_ids)s::bigint[]) AND status <> 'refused' AND echoed_at IS NULL

-- name: receipts
SELECT receipt_id, source, stream, source_key, client_id::text, golden_seq, fields, before, payload_hash::text,
    idempotence_key::text, status, code, message, sent_at, answered_at, echoed_at, run_id, undoes
FROM ops.write_receipt
WHERE source = %(source)s AND (%(stream)s::text IS NULL OR stream = %(stream)s)
    AND (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(run_id)s::bigint IS NULL OR run_id = %(run_id)s)
ORDER BY receipt_id DESC
LIMIT %(limit)s

-- name: written_streams
SELECT DISTINCT stream FROM ops.write_receipt
WHERE source = %(source)s AND run_id = %(run_id)s
ORDER BY stream

-- name: last_run
SELECT run_id FROM ops.write_receipt
WHERE source = %(source)s AND undoes IS NULL AND status <> 'refused'
ORDER BY run_id DESC
LIMIT 1

-- name: written
-- What a run wrote, beside the record as it is landed and what was sent to it since.
SELECT t.receipt_id, t.record_id, t.source_key, t.client_id::text, t.golden_seq, t.fields::text, t.before::text,
    t.status, t.sent_at, t.echoed_at, r.payload::text, r.ingested_at, r.is_deleted, l.later::text
FROM ops.write_receipt AS t
JOIN raw.record AS r ON r.record_id = t.record_id
LEFT JOIN LATERAL (
    SELECT jsonb_agg(
        jsonb_build_object(
            'receipt_id', n.receipt_id, 'run_id', n.run_id, 'status', n.status, 'fields', n.fields,
            'idempotence_key', n.idempotence_key, 'undoes', n.undoes
        ) ORDER BY n.receipt_id
    ) AS later
    FROM ops.write_receipt AS n
    WHERE n.record_id = t.record_id AND n.receipt_id > t.receipt_id AND n.status <> 'refused'
) AS l ON true
WHERE t.source = %(source)s AND t.stream = %(stream)s AND t.run_id = %(run_id)s AND t.status <> 'refused'
    AND t.receipt_id > %(after)s
ORDER BY t.receipt_id
LIMIT %(limit)s
