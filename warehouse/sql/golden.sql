-- What publish reads and writes.

-- name: touched_clients
-- Current links stand in the history too, as its open rows.
SELECT c.client_id::text FROM (
    SELECT DISTINCT client_id FROM identity.crosswalk_history WHERE record_id = ANY (%(record_ids)s::bigint[])
) AS c
ORDER BY c.client_id

-- name: waiting_records
SELECT record_id FROM identity.crosswalk WHERE changed_seq IS NULL AND client_id = ANY (%(client_ids)s::uuid[])

-- name: contributions
SELECT c.client_id, r.record_id, r.source, r.stream, r.source_key, r.kind, r.role, r.is_own, r.attributes,
    r.source_updated_at
FROM identity.crosswalk AS c
JOIN identity.standard_record AS r ON r.record_id = c.record_id
WHERE c.client_id = ANY (%(client_ids)s::uuid[])

-- name: contributions_of_range
SELECT c.client_id, r.record_id, r.source, r.stream, r.source_key, r.kind, r.role, r.is_own, r.attributes,
    r.source_updated_at
FROM identity.crosswalk AS c
JOIN identity.standard_record AS r ON r.record_id = c.record_id
WHERE c.client_id BETWEEN %(first)s::uuid AND %(last)s::uuid

-- name: count_links
SELECT count(*) FROM identity.crosswalk

-- name: stored
SELECT client_id::text, kind, display_name, attributes, record_count
FROM core.client
WHERE client_id = ANY (%(client_ids)s::uuid[]) AND NOT is_deleted

-- name: known
SELECT client_id::text, golden_hash::text, is_deleted, CASE WHEN is_redirected THEN redirected_to::text END
FROM core.client
WHERE client_id = ANY (%(client_ids)s::uuid[])

-- name: still_linked
-- Also one that readers still see a record with, because the client that it has moved on to is not there: the record is
-- deleted, and resolve has yet to hear of that.
SELECT client_id::text FROM identity.crosswalk WHERE client_id = ANY (%(client_ids)s::uuid[])
UNION
SELECT h.client_id::text
FROM identity.crosswalk_history AS h
JOIN identity.crosswalk AS x ON x.record_id = h.record_id
WHERE h.client_id = ANY (%(client_ids)s::uuid[]) AND h.valid_to IS NOT NULL AND h.ended_seq IS NULL
    AND h.opened_seq IS NOT NULL AND NOT x.client_id = ANY (%(found)s::uuid[])
    AND NOT EXISTS (SELECT FROM core.client AS c WHERE c.client_id = x.client_id AND NOT c.is_deleted)

-- name: redirects
SELECT l.client_id::text, l.target_client_id::text, l.at
FROM (
    SELECT DISTINCT ON (client_id) client_id, event, target_client_id, at
    FROM identity.client_id_ledger
    WHERE client_id = ANY (%(client_ids)s::uuid[])
    ORDER BY client_id, id DESC
) AS l
WHERE l.event = 'redirect'

-- name: open_created
-- The documents go on as the table holds them; parsed again they would take twice the time. The first version holds
-- from the beginning of time, so that older facts find theirs. In order of client_id, as their events are numbered.
INSERT INTO core.client_history (
    client_id, valid_from, kind, role, display_name, attributes, lineage, record_count, golden_hash, changed_seq
)
SELECT client_id, '-infinity', kind, role, display_name, attributes, lineage, record_count, golden_hash, changed_seq
FROM core.client
WHERE changed_seq BETWEEN %(first)s AND %(last)s
ORDER BY changed_seq

-- name: created_events
INSERT INTO ops.change_event (id, at, kind, client_id, payload)
SELECT changed_seq, %(as_of)s, 'created', client_id, '{}'
FROM core.client
WHERE changed_seq BETWEEN %(first)s AND %(last)s
ORDER BY changed_seq

-- name: changed_events
INSERT INTO ops.change_event (id, at, kind, client_id, payload)
SELECT n.changed_seq, %(as_of)s, CASE WHEN c.is_deleted THEN 'revived' ELSE 'changed' END, n.client_id,
    jsonb_build_object('fields', (
        SELECT coalesce(jsonb_agg(f.key ORDER BY f.key COLLATE "C"), '[]')
        FROM (
            SELECT key FROM jsonb_object_keys(c.attributes) AS key
            UNION
            SELECT key FROM jsonb_object_keys(n.attributes) AS key
        ) AS f
        WHERE c.attributes -> f.key IS DISTINCT FROM n.attributes -> f.key
    ))
FROM new_golden AS n
JOIN core.client AS c ON c.client_id = n.client_id
ORDER BY n.changed_seq

-- name: rewrite
UPDATE core.client AS c
SET kind = n.kind, role = n.role, display_name = n.display_name, attributes = n.attributes, lineage = n.lineage,
    record_count = n.record_count, golden_hash = n.golden_hash, valid_from = %(as_of)s, changed_seq = n.changed_seq,
    is_deleted = false, is_redirected = false
FROM new_golden AS n
WHERE c.client_id = n.client_id

-- name: close_rewritten
UPDATE core.client_history AS h
SET valid_to = %(as_of)s, changed_seq = n.changed_seq, opened_seq = coalesce(h.opened_seq, h.changed_seq)
FROM new_golden AS n
WHERE h.client_id = n.client_id AND h.valid_to IS NULL

-- name: open_rewritten
INSERT INTO core.client_history (
    client_id, valid_from, kind, role, display_name, attributes, lineage, record_count, golden_hash, changed_seq,
    redirected_to, redirected_at
)
SELECT n.client_id, %(as_of)s, n.kind, n.role, n.display_name, n.attributes, n.lineage, n.record_count, n.golden_hash,
    n.changed_seq, c.redirected_to, c.redirected_at
FROM new_golden AS n
JOIN core.client AS c ON c.client_id = n.client_id
ORDER BY n.client_id

-- name: gone_events
INSERT INTO ops.change_event (id, at, kind, client_id, payload)
SELECT g.seq, %(as_of)s, CASE WHEN g.target IS NULL THEN 'retired' ELSE 'redirected' END, g.client_id,
    CASE WHEN g.target IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('target', g.target) END
FROM unnest(%(client_ids)s::uuid[], %(seqs)s::bigint[], %(targets)s::uuid[]) AS g (client_id, seq, target)
ORDER BY g.seq

-- name: bury
UPDATE core.client AS c
SET is_deleted = true, valid_from = %(as_of)s, changed_seq = g.seq, is_redirected = g.target IS NOT NULL,
    redirected_to = coalesce(g.target, c.redirected_to), redirected_at = coalesce(g.at, c.redirected_at)
FROM unnest(%(client_ids)s::uuid[], %(seqs)s::bigint[], %(targets)s::uuid[], %(redirected_at)s::timestamptz[])
    AS g (client_id, seq, target, at)
WHERE c.client_id = g.client_id

-- name: close_gone
UPDATE core.client_history AS h
SET valid_to = %(as_of)s, changed_seq = g.seq, opened_seq = coalesce(h.opened_seq, h.changed_seq)
FROM unnest(%(client_ids)s::uuid[], %(seqs)s::bigint[]) AS g (client_id, seq)
WHERE h.client_id = g.client_id AND h.valid_to IS NULL

-- name: open_gone
INSERT INTO core.client_history (
    client_id, valid_from, kind, role, display_name, attributes, lineage, record_count, golden_hash, changed_seq,
    is_deleted, redirected_to, redirected_at, is_redirected
)
SELECT c.client_id, %(as_of)s, c.kind, c.role, c.display_name, c.attributes, c.lineage, c.record_count,
    c.golden_hash, c.changed_seq, true, c.redirected_to, c.redirected_at, c.is_redirected
FROM core.client AS c
WHERE c.client_id = ANY (%(client_ids)s::uuid[])
ORDER BY c.client_id
