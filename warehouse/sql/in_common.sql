-- Documents that two registers keep in parallel, as evidence for their clients.

-- name: papers
SELECT
    i.record_id, i.party_record_id, i.source, t.money, coalesce(t.tax = 'net', false), {is_void},
    i.occurred_on - date '1970-01-01',
    CASE
        WHEN abs(i.amount) >= 90000000000 THEN NULL
        WHEN i.reverses_record_id IS NULL THEN round(i.amount * 10000)::bigint
        ELSE -abs(round(i.amount * 10000)::bigint)
    END,
    i.currency, i.document_number
FROM core.interaction AS i
JOIN core.interaction_type AS t ON t.code = i.type AND t.money IN ('quoted', 'ordered', 'invoiced')
WHERE NOT i.is_deleted AND {scope}

-- name: keys_of
SELECT record_id, face, party_id, source_id, money, day, number_key, day_key
FROM identity.document_key WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: neighbours
-- Documents that share a key with these; of each key at most so many.
WITH wanted AS (
    SELECT DISTINCT number_key, NULL::bigint AS day_key FROM identity.document_key
    WHERE record_id = ANY (%(record_ids)s::bigint[]) AND number_key IS NOT NULL
    UNION ALL
    SELECT DISTINCT NULL::bigint, day_key FROM identity.document_key
    WHERE record_id = ANY (%(record_ids)s::bigint[]) AND day_key IS NOT NULL
)
SELECT DISTINCT n.record_id
FROM wanted AS w
CROSS JOIN LATERAL (
    (SELECT k.record_id FROM identity.document_key AS k WHERE k.number_key = w.number_key LIMIT %(most)s)
    UNION ALL
    (SELECT k.record_id FROM identity.document_key AS k WHERE k.day_key = w.day_key LIMIT %(most)s)
) AS n

-- name: twins_of
SELECT left_record_id, right_record_id, left_party_id, right_party_id, left_source_id, right_source_id, worth
FROM identity.document_twin WHERE left_record_id = ANY (%(record_ids)s::bigint[])
UNION
SELECT left_record_id, right_record_id, left_party_id, right_party_id, left_source_id, right_source_id, worth
FROM identity.document_twin WHERE right_record_id = ANY (%(record_ids)s::bigint[])

-- name: twins_of_parties
SELECT left_record_id, right_record_id, left_party_id, right_party_id, left_source_id, right_source_id, worth
FROM identity.document_twin WHERE left_party_id = ANY (%(record_ids)s::bigint[])
UNION
SELECT left_record_id, right_record_id, left_party_id, right_party_id, left_source_id, right_source_id, worth
FROM identity.document_twin WHERE right_party_id = ANY (%(record_ids)s::bigint[])

-- name: find_changed
CREATE TEMP TABLE changed_common ON COMMIT DROP AS
SELECT coalesce(n.record_id, s.record_id) AS record_id
FROM new_shared AS n
FULL JOIN (
    SELECT record_id, other_record_id, level FROM identity.shared_document AS s
    WHERE %(record_ids)s::bigint[] IS NULL
        OR s.record_id = ANY (%(record_ids)s::bigint[]) OR s.other_record_id = ANY (%(record_ids)s::bigint[])
) AS s ON s.record_id = n.record_id AND s.other_record_id = n.other_record_id
WHERE n.level IS DISTINCT FROM s.level

-- name: queue_changed
INSERT INTO ops.pending (step, record_id)
SELECT DISTINCT 'resolve', c.record_id
FROM changed_common AS c JOIN identity.standard_record AS r ON r.record_id = c.record_id
ORDER BY c.record_id

-- name: drop_changed
DROP TABLE changed_common

-- name: everything
DELETE FROM ops.pending WHERE step = 'in_common'

-- name: shown
-- The twins of the documents of two client records, by date: names, numbers, days and amounts from both sides.
SELECT
    mine.source || ':' || mine.stream || ':' || mine.source_key, mine.document_number,
    theirs.source || ':' || theirs.stream || ':' || theirs.source_key, theirs.document_number,
    mine.occurred_on, mine.amount, mine.currency, t.worth
FROM (
    SELECT left_record_id AS mine, right_record_id AS theirs, worth FROM identity.document_twin
    WHERE left_party_id = %(left)s AND right_party_id = %(right)s
    UNION ALL
    SELECT right_record_id, left_record_id, worth FROM identity.document_twin
    WHERE left_party_id = %(right)s AND right_party_id = %(left)s
) AS t
JOIN core.interaction AS mine ON mine.record_id = t.mine
JOIN core.interaction AS theirs ON theirs.record_id = t.theirs
ORDER BY mine.occurred_on, mine.document_number COLLATE "C", t.mine
LIMIT %(limit)s
