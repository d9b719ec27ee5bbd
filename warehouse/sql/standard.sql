-- What standardise reads and writes.

-- name: pending_raw
SELECT r.record_id, r.source, r.stream, r.source_key, convert_to(r.payload::text, 'UTF8'), r.is_deleted,
    r.source_updated_at
FROM raw.record AS r
WHERE r.record_id = ANY (%(record_ids)s::bigint[])
    AND NOT EXISTS (SELECT FROM ops.suppression AS s WHERE s.record_id = r.record_id AND r.is_deleted AND NOT s.is_lifted)
ORDER BY r.record_id

-- name: existing
SELECT r.record_id FROM raw.record AS r
WHERE r.record_id = ANY (%(record_ids)s::bigint[]) AND NOT r.is_deleted
ORDER BY r.record_id

-- name: children
SELECT l.parent_record_id, r.record_id, r.stream, r.source_key, convert_to(r.payload::text, 'UTF8')
FROM identity.child_link AS l
JOIN raw.record AS r ON r.record_id = l.child_record_id AND NOT r.is_deleted
WHERE l.parent_record_id = ANY (%(parent_ids)s::bigint[])
ORDER BY l.parent_record_id, r.stream COLLATE "C", r.source_key COLLATE "C"

-- name: parents_of
SELECT DISTINCT parent_record_id FROM identity.child_link
WHERE child_record_id = ANY (%(child_ids)s::bigint[])
ORDER BY 1

-- name: drop_child_links
DELETE FROM identity.child_link AS l
WHERE l.child_record_id = ANY (%(child_ids)s::bigint[])
    AND NOT EXISTS (
        SELECT FROM unnest(%(children)s::bigint[], %(parents)s::bigint[]) AS n (child, parent)
        WHERE n.child = l.child_record_id AND n.parent = l.parent_record_id
    )

-- name: add_child_links
INSERT INTO identity.child_link (child_record_id, parent_record_id)
SELECT n.child, n.parent
FROM unnest(%(children)s::bigint[], %(parents)s::bigint[]) AS n (child, parent)
WHERE NOT EXISTS (
    SELECT FROM identity.child_link AS l WHERE l.child_record_id = n.child AND l.parent_record_id = n.parent
)

-- name: known_parties
SELECT record_id, content_hash, source_updated_at FROM identity.standard_record
WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: drop_parties
DELETE FROM identity.standard_record WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: identifiers_of
SELECT {columns} FROM identity.identifier WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: drop_identifiers
DELETE FROM identity.identifier WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: known_interactions
SELECT record_id, content_hash, is_deleted FROM core.interaction
WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: mark_interactions_deleted
UPDATE core.interaction SET is_deleted = true, changed_seq = NULL
WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: restate_interactions
UPDATE core.interaction AS i
SET type = s.type, party_record_id = s.party_record_id, occurred_at = s.occurred_at, occurred_on = s.occurred_on,
    time_zone = s.time_zone, precision = s.precision, channel = s.channel, direction = s.direction,
    document_number = s.document_number, summary = s.summary, amount = s.amount, currency = s.currency,
    parent_record_id = s.parent_record_id, reverses_record_id = s.reverses_record_id, url = s.url, detail = s.detail,
    content_hash = s.content_hash, changed_seq = NULL, is_deleted = false,
    -- A rate is frozen: it stays unless the day or the currency is another one.
    rate = CASE WHEN (s.currency, s.occurred_on) IS NOT DISTINCT FROM (i.currency, i.occurred_on) THEN i.rate END,
    rate_on = CASE WHEN (s.currency, s.occurred_on) IS NOT DISTINCT FROM (i.currency, i.occurred_on) THEN i.rate_on END,
    reporting_amount = CASE
        WHEN (s.currency, s.occurred_on, s.amount) IS NOT DISTINCT FROM (i.currency, i.occurred_on, i.amount)
        THEN i.reporting_amount
    END
FROM stated_interaction AS s
WHERE i.record_id = s.record_id

-- name: states_relationships
SELECT EXISTS (SELECT FROM core.relationship WHERE record_id = ANY (%(record_ids)s::bigint[]))

-- name: parts_of_cards
-- By their keys too, since a register may state relationships of the same name.
SELECT DISTINCT p.record_id
FROM core.relationship AS r
JOIN raw.record AS w ON w.record_id = r.record_id
JOIN identity.standard_record AS p ON p.record_id = r.from_record_id AND p.source = w.source AND p.stream = w.stream
WHERE r.record_id = ANY (%(record_ids)s::bigint[]) AND r.to_record_id = r.record_id AND r.type = 'card_of'
    AND NOT r.is_deleted AND starts_with(p.source_key, w.source_key || '#inn=')
ORDER BY p.record_id

-- name: find_turned
-- Stated no more, or again.
SELECT r.relationship_key, r.record_id FROM core.relationship AS r
WHERE r.record_id = ANY (%(record_ids)s::bigint[])
    AND r.is_deleted = EXISTS (
        SELECT FROM stated_relationship AS s
        WHERE (s.record_id, s.from_record_id, s.to_record_id, s.type) = (r.record_id, r.from_record_id, r.to_record_id, r.type)
            AND (s.role, s.valid_from, s.valid_to) IS NOT DISTINCT FROM (r.role, r.valid_from, r.valid_to)
    )

-- name: turn_relationships
UPDATE core.relationship SET is_deleted = NOT is_deleted, changed_seq = NULL
WHERE relationship_key = ANY (%(relationship_keys)s::bigint[])

-- name: add_relationships
INSERT INTO core.relationship (record_id, from_record_id, to_record_id, type, role, valid_from, valid_to)
SELECT DISTINCT s.record_id, s.from_record_id, s.to_record_id, s.type, s.role, s.valid_from, s.valid_to
FROM stated_relationship AS s
WHERE s.record_id = ANY (%(record_ids)s::bigint[])
    AND NOT EXISTS (
        SELECT FROM core.relationship AS r
        WHERE (s.record_id, s.from_record_id, s.to_record_id, s.type) = (r.record_id, r.from_record_id, r.to_record_id, r.type)
            AND (s.role, s.valid_from, s.valid_to) IS NOT DISTINCT FROM (r.role, r.valid_from, r.valid_to)
    )
ORDER BY s.record_id, s.from_record_id, s.to_record_id, s.type
RETURNING record_id

-- name: groups_of
WITH touched AS (
    SELECT DISTINCT to_record_id FROM core.relationship
    WHERE record_id = ANY (%(record_ids)s::bigint[]) AND type = 'member_of'
), member AS (
    SELECT to_record_id AS record_id FROM touched
    UNION
    SELECT r.from_record_id FROM touched AS t JOIN core.relationship AS r ON r.to_record_id = t.to_record_id
    WHERE r.type = 'member_of'
)
SELECT m.record_id FROM member AS m JOIN identity.standard_record AS s ON s.record_id = m.record_id
ORDER BY m.record_id

-- name: close_rejects
UPDATE ops.reject SET is_open = false, is_retried = true, closed_at = %(now)s
WHERE record_id = ANY (%(record_ids)s::bigint[]) AND step = 'standardise' AND is_open
    AND NOT fingerprint = ANY (%(fingerprints)s::uuid[])

-- name: reopen_rejects
UPDATE ops.reject SET is_open = true, closed_at = NULL
WHERE fingerprint = ANY (%(fingerprints)s::uuid[]) AND NOT is_open

-- name: add_rejects
INSERT INTO ops.reject (
    fingerprint, source, stream, source_key, record_id, step, reason, detail, place, path, payload, run_id, first_at
)
SELECT DISTINCT ON (n.fingerprint) n.fingerprint, r.source, r.stream, r.source_key, n.record_id, 'standardise',
    n.reason, n.detail, 'key ' || r.source_key, n.path, convert_to(r.payload::text, 'UTF8'), %(run_id)s, %(now)s
FROM unnest(
    %(fingerprints)s::uuid[], %(rejected_ids)s::bigint[], %(reasons)s::text[], %(details)s::text[], %(paths)s::text[]
) AS n (fingerprint, record_id, reason, detail, path)
JOIN raw.record AS r ON r.record_id = n.record_id
WHERE NOT EXISTS (SELECT FROM ops.reject AS x WHERE x.fingerprint = n.fingerprint)

-- name: interaction_types
SELECT code, department, label_en, label_ru, direction, detail_schema, money, tax, has_lines
FROM core.interaction_type

-- name: store_interaction_type
INSERT INTO core.interaction_type (
    code, department, label_en, label_ru, direction, detail_schema, money, tax, has_lines
)
VALUES (
    %(code)s, %(department)s, %(label_en)s, %(label_ru)s, %(direction)s, %(detail_schema)s, %(money)s, %(tax)s,
    %(has_lines)s
)
ON CONFLICT (code) DO UPDATE
SET department = excluded.department, label_en = excluded.label_en, label_ru = excluded.label_ru,
    direction = excluded.direction, detail_schema = excluded.detail_schema, money = excluded.money, tax = excluded.tax,
    has_lines = excluded.has_lines
