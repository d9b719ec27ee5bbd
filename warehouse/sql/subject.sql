-- Everything held about one person, within the temporary tables of erasure.sql.

-- name: records
SELECT r.source, r.stream, r.source_key, r.payload, r.is_deleted, r.source_updated_at::text, r.ingested_at::text
FROM erased_raw AS e JOIN raw.record AS r ON r.record_id = e.record_id
WHERE e.is_current
ORDER BY r.source COLLATE "C", r.stream COLLATE "C", r.source_key COLLATE "C"

-- name: earlier_versions
-- Versions that are kept aside come last.
SELECT r.source, r.stream, r.source_key, v.payload, v.ingested_at::text, v.superseded_at::text
FROM erased_raw AS e
JOIN (
    SELECT version_key, record_id, payload, ingested_at, superseded_at FROM raw.record_version
    UNION ALL
    SELECT NULL, record_id, payload, ingested_at, NULL FROM raw.held_record
) AS v ON v.record_id = e.record_id
JOIN raw.record AS r ON r.record_id = e.record_id
WHERE e.is_current
ORDER BY v.version_key NULLS LAST

-- name: identifiers
SELECT DISTINCT i.type, i.value, i.is_valid, i.invalid_reason
FROM identity.identifier AS i JOIN erased_party AS p ON p.record_id = i.record_id
ORDER BY i.type, i.value

-- name: golden_versions
SELECT h.client_id::text, h.valid_from::text, h.valid_to::text, h.kind, h.role, h.display_name, h.attributes, h.is_deleted
FROM core.client_history AS h JOIN erased_client AS c ON c.client_id = h.client_id
ORDER BY h.valid_from, h.client_id

-- name: interactions
SELECT i.type, i.source, i.stream, i.source_key, i.occurred_at::text, i.channel, i.direction, i.document_number, i.summary,
    i.amount::text, i.currency, i.detail, i.is_deleted, (
        SELECT jsonb_agg(to_jsonb(l) - 'record_id' ORDER BY l.position)
        FROM core.interaction_line AS l WHERE l.record_id = i.record_id
    ) AS lines, (
        SELECT jsonb_agg(to_jsonb(p) - '{record_id,promise_key}'::text[] ORDER BY p.promise_key)
        FROM core.promise AS p WHERE p.record_id = i.record_id
    ) AS promises
FROM erased_fact AS f JOIN core.interaction AS i ON i.record_id = f.record_id
ORDER BY i.occurred_at NULLS LAST, i.record_id

-- name: judgements
SELECT j.verdict, j.attribute, j.value, j.reason, j.decided_by, j.decided_at::text
FROM identity.judgement AS j
WHERE j.left_ids && (SELECT array_agg(record_id) FROM erased_party)
    OR j.right_ids && (SELECT array_agg(record_id) FROM erased_party)
ORDER BY j.judgement_id

-- name: written_back
SELECT w.source, w.stream, w.source_key, w.fields, w.before, w.status, w.sent_at::text
FROM ops.write_receipt AS w JOIN erased_party AS p ON p.record_id = w.record_id
ORDER BY w.receipt_id

-- name: refused
SELECT r.source, r.stream, r.source_key, r.step, r.reason, r.path, r.first_at::text, r.is_open
FROM ops.reject AS r JOIN erased_raw AS e ON e.record_id = r.record_id
WHERE e.is_current
ORDER BY r.first_at, r.fingerprint

-- name: access_log
SELECT a.at::text, a.who, a.how, a.row_count, a.purpose
FROM ops.access_log AS a JOIN erased_client AS c ON c.client_id = a.client_id
ORDER BY a.access_id

-- name: log_access
INSERT INTO ops.access_log (at, who, how, client_id, row_count, purpose, fields)
SELECT %(at)s, %(who)s, %(how)s, client_id, %(rows)s, %(purpose)s, %(fields)s::text[]
FROM unnest(%(client_ids)s::uuid[]) AS client_id

-- name: begin_taking
INSERT INTO ops.access_log (at, who, how, scope, purpose) VALUES (%(at)s, %(who)s, %(how)s, %(view)s, %(purpose)s)
RETURNING access_id

-- name: end_taking
UPDATE ops.access_log SET row_count = %(rows)s WHERE access_id = %(access_id)s
