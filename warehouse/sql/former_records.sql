-- Former versions of records that have changed their identity, kept as records of their own.

-- name: missing
-- Versions that a suspended judgement speaks of and that are not kept yet.
SELECT DISTINCT ON (v.record_id, v.content_hash) v.judgement_id, v.record_id, v.content_hash::text, s.source, s.stream,
    s.source_key
FROM identity.judged_record AS v
JOIN identity.standard_record AS s ON s.record_id = v.record_id
WHERE v.is_suspended
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = v.judgement_id)
    AND NOT EXISTS (
        SELECT FROM identity.former_record AS f WHERE f.record_id = v.record_id AND f.content_hash = v.content_hash
    )
ORDER BY v.record_id, v.content_hash, v.judgement_id

-- name: keep
-- What the record says now is somebody else's from the time that it gives itself, or else from when it was seen.
INSERT INTO identity.former_record (former_id, record_id, content_hash, until_at)
SELECT n.former_id, n.record_id, n.content_hash, coalesce(s.source_updated_at, %(at)s)
FROM unnest(%(former_ids)s::bigint[], %(record_ids)s::bigint[], %(hashes)s::uuid[])
    AS n (former_id, record_id, content_hash)
JOIN identity.standard_record AS s ON s.record_id = n.record_id

-- name: keep_records
INSERT INTO identity.standard_record
SELECT r.*
FROM unnest(%(former_ids)s::bigint[], %(record_ids)s::bigint[], %(judgement_ids)s::bigint[], %(keys)s::text[])
    AS n (former_id, record_id, judgement_id, source_key)
JOIN identity.judged_record AS v ON v.judgement_id = n.judgement_id AND v.record_id = n.record_id
CROSS JOIN LATERAL jsonb_populate_record(
    NULL::identity.standard_record,
    v.record || jsonb_build_object('record_id', n.former_id, 'source_key', n.source_key)
) AS r

-- name: keep_identifiers
INSERT INTO identity.identifier (record_id, type, value, is_valid, invalid_reason)
SELECT n.former_id, r.type, r.value, r.is_valid, r.invalid_reason
FROM unnest(%(former_ids)s::bigint[], %(record_ids)s::bigint[], %(judgement_ids)s::bigint[])
    AS n (former_id, record_id, judgement_id)
JOIN identity.judged_record AS v ON v.judgement_id = n.judgement_id AND v.record_id = n.record_id
CROSS JOIN LATERAL jsonb_to_recordset(v.identifiers)
    AS r (type text, value text, is_valid boolean, invalid_reason text)

-- name: drop_obsolete
-- No suspended judgement speaks of them any more, and nobody has said that they are somebody else.
DELETE FROM identity.former_record AS f
WHERE NOT f.is_confirmed
    AND NOT EXISTS (
        SELECT FROM identity.judged_record AS v
        WHERE v.record_id = f.record_id AND v.content_hash = f.content_hash AND v.is_suspended
            AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = v.judgement_id)
    )
RETURNING f.former_id, f.record_id

-- name: confirm
UPDATE identity.former_record SET is_confirmed = true WHERE record_id = %(record_id)s AND NOT is_confirmed
