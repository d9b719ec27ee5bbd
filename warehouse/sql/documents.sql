-- Documents that record one business event. A client is known by a hash of its id here, which only has to be equal.

-- name: pages
SELECT pg_relation_size('core.interaction') / current_setting('block_size')::int

-- name: of_pages
SELECT {columns}
FROM core.interaction AS i
JOIN core.interaction_type AS t ON t.code = i.type AND t.money <> 'none'
WHERE i.ctid >= {first}::tid AND i.ctid < {last}::tid AND NOT i.is_deleted AND i.changed_seq IS {published}

-- name: of_versions
-- Those that were changed and are not published yet, as they are still served.
SELECT {columns}
FROM core.interaction_version AS v
JOIN core.published_interaction AS i ON i.record_id = v.record_id
JOIN core.interaction_type AS t ON t.code = i.type AND t.money <> 'none'
WHERE v.ended_seq IS NULL AND NOT i.is_deleted

-- name: of_records
SELECT {columns}
FROM core.published_interaction AS i
JOIN core.interaction_type AS t ON t.code = i.type AND t.money <> 'none'
WHERE i.record_id = ANY (%(record_ids)s::bigint[]) AND NOT i.is_deleted

-- name: columns
i.record_id, i.source, i.type, i.occurred_on - date '1970-01-01' AS day,
CASE
    WHEN abs(i.amount) >= 90000000000 THEN NULL
    WHEN i.reverses_record_id IS NULL THEN round(i.amount * 10000)::bigint
    ELSE -abs(round(i.amount * 10000)::bigint)
END AS amount, i.currency, i.document_number AS number, uuid_hash_extended(i.client_id, 0) AS client,
i.parent_record_id, {state} AS state

-- name: types
SELECT code, money, tax FROM core.interaction_type WHERE money <> 'none'

-- name: places
SELECT {columns} FROM core.document_place AS p WHERE p.record_id = ANY (%(record_ids)s::bigint[]) {faces}

-- name: first_faces
AND p.face = 0

-- name: registers
SELECT DISTINCT i.source, i.type FROM core.published_interaction AS i WHERE i.record_id = ANY (%(record_ids)s::bigint[])

-- name: members
-- How many there are, the index tells: what is over its limit is not read.
SELECT b.n - 1 AS block, m.*
FROM unnest(%(keys)s::bigint[], %(firsts)s::int[], %(lasts)s::int[], %(limits)s::int[])
    WITH ORDINALITY AS b (key, first, last, most, n)
CROSS JOIN LATERAL (
    SELECT count(*) > b.most AS is_over
    FROM (
        SELECT FROM core.document_place AS p
        WHERE p.{column} = b.key AND p.day >= b.first AND p.day < b.last
        LIMIT b.most + 1
    ) AS counted
) AS c
CROSS JOIN LATERAL (
    SELECT 0::bigint AS is_over, {columns} FROM core.document_place AS p
    WHERE NOT c.is_over AND p.{column} = b.key AND p.day >= b.first AND p.day < b.last
    UNION ALL
    SELECT 1, {nothing} WHERE c.is_over
) AS m

-- name: kin
-- Documents that name these as theirs, and those that these name, as far as they are documents.
SELECT c.record_id FROM core.document_place AS c WHERE c.parent_record_id = ANY (%(record_ids)s::bigint[])
UNION ALL
SELECT p.record_id FROM core.document_place AS p WHERE p.record_id = ANY (%(parents)s::bigint[]) AND p.face = 0

-- name: count_documents
-- Of each client how many documents it has, counted no further than a limit.
SELECT c.client, (
    SELECT count(*) FROM (SELECT FROM core.document_place AS d WHERE d.client = c.client LIMIT %(most)s) AS counted
)
FROM unnest(%(clients)s::bigint[]) AS c (client)

-- name: open_papers
SELECT {columns} FROM core.document_open AS o WHERE o.{column} = ANY (%(ids)s::bigint[])

-- name: links_of
-- Words as their places in lists: a hundred thousand integers come in one piece.
SELECT l.left_record_id, l.right_record_id, array_position(%(kinds)s::text[], l.kind)::bigint - 1 AS kind,
    array_position(%(statuses)s::text[], l.status)::bigint - 1 AS status
FROM (
    SELECT left_record_id, right_record_id, kind, status FROM core.document_link
    WHERE left_record_id = ANY (%(record_ids)s::bigint[]) {which}
    UNION ALL
    SELECT left_record_id, right_record_id, kind, status FROM core.document_link
    WHERE right_record_id = ANY (%(record_ids)s::bigint[]) {which}
) AS l

-- name: said
SELECT l.record_id, r.record_id, j.verdict = 'same_document'
FROM identity.judgement AS j
CROSS JOIN unnest(j.left_ids) AS l (record_id)
CROSS JOIN unnest(j.right_ids) AS r (record_id)
WHERE j.verdict IN ('same_document', 'not_same_document')
    AND NOT EXISTS (SELECT FROM identity.judgement AS u WHERE u.lifts = j.judgement_id)
ORDER BY j.judgement_id

-- name: related
SELECT DISTINCT uuid_hash_extended(f.client_id, 0), uuid_hash_extended(t.client_id, 0)
FROM core.relationship AS r
JOIN identity.crosswalk AS f ON f.record_id = r.from_record_id
JOIN identity.crosswalk AS t ON t.record_id = r.to_record_id
WHERE r.type IN ('member_of', 'branch_of', 'owner_of') AND NOT r.is_deleted AND f.client_id <> t.client_id

-- name: related_of
-- The same for the clients of these documents alone: one after the other, by keys, for how few relationships a client
-- has is guessed wrong, and all that there are would be read.
SELECT DISTINCT uuid_hash_extended(m.client_id, 0), uuid_hash_extended(t.client_id, 0)
FROM (
    SELECT DISTINCT i.client_id FROM core.published_interaction AS i
    WHERE i.record_id = ANY (%(record_ids)s::bigint[]) AND i.client_id IS NOT NULL
) AS m
CROSS JOIN LATERAL (
    SELECT x.record_id FROM identity.crosswalk AS x WHERE x.client_id = m.client_id OFFSET 0
) AS f
CROSS JOIN LATERAL (
    SELECT r.to_record_id FROM core.relationship AS r
    WHERE r.from_record_id = f.record_id AND r.type IN ('member_of', 'branch_of', 'owner_of') AND NOT r.is_deleted
    OFFSET 0
) AS r
CROSS JOIN LATERAL (
    SELECT x.client_id FROM identity.crosswalk AS x
    WHERE x.record_id = r.to_record_id AND x.client_id <> m.client_id
    OFFSET 0
) AS t

-- name: in_one_process
-- Many small questions: to start others for one of them takes longer than to answer it.
SET LOCAL max_parallel_workers_per_gather = 0

-- name: wait_no_longer
SET LOCAL lock_timeout = '30s'

-- name: drop_places
DELETE FROM core.document_place AS p
WHERE p.record_id = ANY (%(record_ids)s::bigint[])
    AND NOT EXISTS (SELECT FROM new_place AS n WHERE n.record_id = p.record_id AND n.face = p.face)

-- name: change_places
UPDATE core.document_place AS p
SET ({values}) = ROW ({new_values})
FROM new_place AS n
WHERE n.record_id = p.record_id AND n.face = p.face AND ({new_values}) IS DISTINCT FROM ({old_values})

-- name: add_places
INSERT INTO core.document_place ({columns})
SELECT {columns} FROM new_place AS p
WHERE NOT EXISTS (SELECT FROM core.document_place AS h WHERE h.record_id = p.record_id AND h.face = p.face)

-- name: drop_links
DELETE FROM core.document_link AS l
WHERE NOT EXISTS (
    SELECT FROM new_document_link AS n
    WHERE n.left_record_id = l.left_record_id AND n.right_record_id = l.right_record_id
)

-- name: drop_these_links
DELETE FROM core.document_link AS l
USING unnest(%(lefts)s::bigint[], %(rights)s::bigint[]) AS d (left_record_id, right_record_id)
WHERE l.left_record_id = d.left_record_id AND l.right_record_id = d.right_record_id

-- name: change_links
UPDATE core.document_link AS l
SET kind = n.kind, status = n.status, bits = n.bits, amount = n.amount, evidence = n.evidence,
    since = CASE WHEN (n.kind, n.status) = (l.kind, l.status) THEN l.since ELSE n.since END
FROM new_document_link AS n
WHERE n.left_record_id = l.left_record_id AND n.right_record_id = l.right_record_id
    AND (n.kind, n.status, n.bits, n.amount, n.evidence) IS DISTINCT FROM
        (l.kind, l.status, l.bits, l.amount, l.evidence)

-- name: add_links
INSERT INTO core.document_link (left_record_id, right_record_id, kind, status, bits, amount, evidence, since)
SELECT left_record_id, right_record_id, kind, status, bits, amount, evidence, since FROM new_document_link AS n
WHERE NOT EXISTS (
    SELECT FROM core.document_link AS l
    WHERE l.left_record_id = n.left_record_id AND l.right_record_id = n.right_record_id
)

-- name: find_moved
-- Who waits to be published is looked at again then. An event that a document leaves is another one too: it says so by
-- the document that it is named after.
CREATE TEMP TABLE moved_document ON COMMIT DROP AS
WITH moved AS (
    SELECT i.record_id, i.event_id AS former_id, n.event_id, n.is_counted, n.counted_by
    FROM new_event AS n
    JOIN core.interaction AS i ON i.record_id = n.record_id AND i.changed_seq IS NOT NULL
    WHERE (i.event_id, i.is_counted, i.counted_by) IS DISTINCT FROM (n.event_id, n.is_counted, n.counted_by)
)
SELECT record_id, event_id, is_counted, counted_by FROM moved
UNION ALL
SELECT h.record_id, h.event_id, h.is_counted, h.counted_by
FROM core.interaction AS h
WHERE h.changed_seq IS NOT NULL
    AND h.record_id IN (SELECT former_id FROM moved WHERE former_id IS NOT NULL AND former_id IS DISTINCT FROM event_id)
    AND NOT EXISTS (SELECT FROM moved AS m WHERE m.record_id = h.record_id)

-- name: were_published
SELECT EXISTS (SELECT FROM core.interaction WHERE changed_seq <= %(after)s)

-- name: count_moved
SELECT count(*) FROM moved_document

-- name: move
UPDATE core.interaction AS i
SET event_id = m.event_id, is_counted = m.is_counted, counted_by = m.counted_by, changed_seq = %(seq)s
FROM moved_document AS m
WHERE i.record_id = m.record_id AND i.changed_seq IS NOT NULL

-- name: drop_moved
DROP TABLE moved_document

-- name: event
INSERT INTO ops.change_event (id, at, kind, payload)
VALUES (%(seq)s, %(as_of)s, 'facts', jsonb_build_object('documents', %(count)s::bigint))

-- name: enqueue_moved
-- Before anything was linked one entry is enough: everything is looked at then.
INSERT INTO ops.pending (step, record_id)
SELECT 'documents', f.record_id
FROM (
    SELECT m.record_id FROM moved_fact AS m WHERE m.record_id IS NOT NULL
    UNION
    SELECT i.record_id
    FROM moved_fact AS m
    JOIN core.relationship AS r ON r.relationship_key = m.relationship_key
        AND r.type IN ('member_of', 'branch_of', 'owner_of')
    JOIN identity.crosswalk AS x ON x.record_id IN (r.from_record_id, r.to_record_id)
    JOIN core.interaction AS i ON i.client_id = x.client_id
) AS f
JOIN core.interaction AS i ON i.record_id = f.record_id
JOIN core.interaction_type AS t ON t.code = i.type AND (t.money <> 'none' OR i.event_id IS NOT NULL)
ORDER BY f.record_id
LIMIT CASE WHEN EXISTS (SELECT FROM core.document_place) THEN NULL ELSE 1 END

-- name: everything
DELETE FROM ops.pending WHERE step = 'documents'

-- name: no_documents
SELECT i.record_id FROM core.interaction AS i
WHERE i.event_id IS NOT NULL AND (%(record_ids)s::bigint[] IS NULL OR i.record_id = ANY (%(record_ids)s::bigint[]))

-- name: shown
SELECT i.record_id, i.source, i.stream, i.source_key, i.type, t.money, i.occurred_on, i.amount, i.currency,
    i.document_number, i.client_id::text, c.display_name, i.event_id, i.is_counted, i.counted_by
FROM (
    SELECT record_id FROM core.published_interaction WHERE record_id = %(record_id)s
    UNION
    SELECT o.record_id FROM core.published_interaction AS m JOIN core.published_interaction AS o ON o.event_id = m.event_id
    WHERE m.record_id = %(record_id)s
) AS e
JOIN core.published_interaction AS i ON i.record_id = e.record_id
JOIN core.interaction_type AS t ON t.code = i.type AND t.money <> 'none'
LEFT JOIN core.client AS c ON c.client_id = i.client_id
ORDER BY i.occurred_on, i.source COLLATE "C", i.stream COLLATE "C", i.source_key COLLATE "C"

-- name: shown_links
SELECT l.left_record_id, l.right_record_id, l.kind, l.status, l.bits, l.amount, l.evidence, l.since
FROM core.document_link AS l
WHERE l.left_record_id = ANY (%(record_ids)s::bigint[]) OR l.right_record_id = ANY (%(record_ids)s::bigint[])
ORDER BY l.status, l.bits DESC, l.left_record_id, l.right_record_id

-- name: cases
SELECT l.left_record_id, l.right_record_id, l.kind, l.status, l.bits, l.amount, l.evidence, l.since
FROM core.document_link AS l
JOIN core.published_interaction AS i ON i.record_id = l.left_record_id
WHERE l.status = 'review'
ORDER BY abs(i.amount) DESC NULLS LAST, l.bits DESC, l.left_record_id
LIMIT %(limit)s
