-- What resolve reads and writes.

-- name: records
SELECT {columns} FROM identity.standard_record AS r

-- name: records_of
SELECT {columns} FROM identity.standard_record AS r
WHERE r.record_id = ANY (%(record_ids)s::bigint[])

-- name: identifiers
SELECT {columns} FROM (
    SELECT record_id, type, value, is_valid, invalid_reason FROM identity.identifier
    UNION ALL
    {in_common}
) AS i
ORDER BY record_id, type COLLATE "C", value COLLATE "C"

-- name: identifiers_of
SELECT {columns} FROM (
    SELECT record_id, type, value, is_valid, invalid_reason FROM identity.identifier
    WHERE record_id = ANY (%(record_ids)s::bigint[])
    UNION ALL
    {in_common} AND s.record_id = ANY (%(record_ids)s::bigint[])
) AS i
ORDER BY record_id, type COLLATE "C", value COLLATE "C"

-- name: in_common
-- Documents in common as identifiers that two records alone bear (identity.documents.in_common). Those of a record that has
-- changed its identity may be of whom it was.
SELECT
    s.record_id, 'documents', s.level || ':' || least(s.record_id, s.other_record_id) || ':'
        || greatest(s.record_id, s.other_record_id), true, NULL
FROM identity.shared_document AS s
WHERE NOT EXISTS (SELECT FROM identity.former_record AS f WHERE f.record_id = s.record_id)

-- name: crosswalk
SELECT record_id, client_id FROM identity.crosswalk ORDER BY record_id

-- name: crosswalk_of
SELECT record_id, client_id FROM identity.crosswalk
WHERE record_id = ANY (%(record_ids)s::bigint[])
ORDER BY record_id

-- name: members_of
SELECT record_id FROM identity.crosswalk WHERE client_id = ANY (%(client_ids)s::uuid[]) ORDER BY record_id

-- name: record_count
SELECT count(*) FROM identity.standard_record

-- name: record_ids
SELECT record_id FROM identity.standard_record ORDER BY record_id

-- name: names_of
SELECT record_id, source || ':' || stream || ':' || source_key FROM raw.record
WHERE record_id = ANY (%(record_ids)s::bigint[])
UNION
SELECT record_id, source || ':' || stream || ':' || source_key FROM identity.standard_record
WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: named_crosswalk
SELECT r.source, r.stream, r.source_key, x.client_id::text
FROM identity.crosswalk AS x JOIN identity.standard_record AS r ON r.record_id = x.record_id

-- name: standing
-- Counted only where no run has kept the number yet.
SELECT coalesce(
        (SELECT clients FROM ops.hub_clock), (SELECT count(*) FROM (SELECT FROM identity.crosswalk GROUP BY client_id) AS c)
    ),
    (SELECT count(*) FROM identity.review_case WHERE status = 'open')

-- name: ledger
-- The records that an id held last are those whose history rows end with the id's last end.
WITH named AS (
    SELECT DISTINCT l.client_id
    FROM identity.client_id_ledger AS l
    WHERE %(everything)s
    UNION
    SELECT unnest(%(client_ids)s::uuid[])
    UNION
    SELECT h.client_id FROM identity.crosswalk_history AS h WHERE h.record_id = ANY (%(record_ids)s::bigint[])
    UNION
    SELECT m.client_id FROM identity.client_id_ledger AS m
    WHERE m.event = 'mint' AND m.founding_key = ANY (%(founding_keys)s::text[])
), wanted AS (
    SELECT client_id FROM named
    UNION
    SELECT l.client_id FROM identity.client_id_ledger AS l JOIN named AS n ON l.target_client_id = n.client_id
), latest AS (
    SELECT DISTINCT ON (l.client_id) l.client_id, l.founding_key, l.mint_number, l.event, l.target_client_id
    FROM identity.client_id_ledger AS l
    JOIN wanted USING (client_id)
    ORDER BY l.client_id, l.id DESC
), ended AS (
    SELECT latest.client_id, max(h.valid_to) AS at
    FROM latest
    JOIN identity.crosswalk_history AS h USING (client_id)
    WHERE latest.event IN ('redirect', 'retire')
    GROUP BY latest.client_id
), held AS (
    SELECT h.client_id, array_agg(h.record_id ORDER BY h.record_id) AS record_ids
    FROM identity.crosswalk_history AS h
    JOIN ended AS e ON e.client_id = h.client_id AND e.at = h.valid_to
    GROUP BY h.client_id
)
SELECT latest.client_id, latest.event, CASE latest.event WHEN 'redirect' THEN latest.target_client_id END,
    latest.founding_key, latest.mint_number, coalesce(held.record_ids, '{}')
FROM latest
LEFT JOIN held USING (client_id)
ORDER BY latest.client_id

-- name: find_moves
CREATE TEMP TABLE move ON COMMIT DROP AS
SELECT a.record_id, c.client_id AS old_client_id, a.client_id AS new_client_id
FROM assignment AS a
LEFT JOIN identity.crosswalk AS c ON c.record_id = a.record_id
WHERE a.client_id IS DISTINCT FROM c.client_id

-- name: count_moves
SELECT
    count(*) FILTER (WHERE old_client_id IS NULL),
    count(*) FILTER (WHERE old_client_id IS NOT NULL AND new_client_id IS NOT NULL),
    count(*) FILTER (WHERE new_client_id IS NULL)
FROM move

-- name: close_history
-- Readers see the link until its end is published.
UPDATE identity.crosswalk_history AS h SET valid_to = %(as_of)s
FROM move AS m
WHERE h.record_id = m.record_id AND h.valid_to IS NULL AND m.old_client_id IS NOT NULL

-- name: unlink
DELETE FROM identity.crosswalk AS c USING move AS m WHERE c.record_id = m.record_id AND m.new_client_id IS NULL

-- name: relink
UPDATE identity.crosswalk AS c SET client_id = m.new_client_id, since = %(as_of)s, changed_seq = NULL
FROM move AS m
WHERE c.record_id = m.record_id AND m.new_client_id IS NOT NULL AND m.old_client_id IS NOT NULL

-- name: link
INSERT INTO identity.crosswalk (record_id, client_id, since, changed_seq)
SELECT m.record_id, m.new_client_id, %(as_of)s, %(link_seq)s FROM move AS m
WHERE m.old_client_id IS NULL AND m.new_client_id IS NOT NULL
ORDER BY m.record_id

-- name: open_history
INSERT INTO identity.crosswalk_history (record_id, valid_from, client_id, opened_seq)
SELECT m.record_id, %(as_of)s, m.new_client_id, CASE WHEN m.old_client_id IS NULL THEN %(link_seq)s::bigint END
FROM move AS m
WHERE m.new_client_id IS NOT NULL
ORDER BY m.record_id

-- name: links_event
INSERT INTO ops.change_event (id, at, kind, payload)
VALUES (%(seq)s, %(as_of)s, 'links', jsonb_build_object('records', %(count)s::bigint))

-- name: queue_publish
INSERT INTO ops.pending (step, record_id)
SELECT 'publish', q.record_id
FROM (SELECT record_id FROM move UNION SELECT unnest(%(changed)s::bigint[])) AS q
ORDER BY q.record_id

-- name: count_clients
-- How many of the clients that records come to or leave have records now.
SELECT count(*)
FROM (SELECT old_client_id AS client_id FROM move UNION SELECT new_client_id FROM move) AS m
WHERE EXISTS (SELECT FROM identity.crosswalk AS x WHERE x.client_id = m.client_id)

-- name: keep_clients
-- All are counted where nobody knows how many there were, or how many more there are now.
INSERT INTO ops.hub_clock AS c (clients) VALUES (%(more)s::bigint)
ON CONFLICT (only_row) DO UPDATE
SET clients = coalesce(
    c.clients + %(more)s::bigint, (SELECT count(*) FROM (SELECT FROM identity.crosswalk GROUP BY client_id) AS x)
)

-- name: set_clients
INSERT INTO ops.hub_clock (clients) VALUES (%(clients)s::bigint)
ON CONFLICT (only_row) DO UPDATE SET clients = excluded.clients

-- name: drop_moves
DROP TABLE move

-- name: open_cases
INSERT INTO identity.review_case (fingerprint, kind, record_ids, weight, impact, evidence, opened_at)
SELECT n.fingerprint, n.kind, n.record_ids, n.weight, n.impact, n.evidence, %(as_of)s
FROM new_case AS n
WHERE NOT EXISTS (SELECT FROM identity.review_case AS c WHERE c.fingerprint = n.fingerprint)
ORDER BY n.fingerprint

-- name: reopen_cases
-- Of what nobody could tell it is asked again when it has become that much likelier than it was then; its row keeps the
-- weight of that day.
UPDATE identity.review_case AS c
SET status = 'open', kind = n.kind, weight = n.weight, impact = n.impact, evidence = n.evidence,
    opened_at = %(as_of)s, closed_at = NULL
FROM new_case AS n
WHERE c.fingerprint = n.fingerprint
    AND (
        c.status = 'closed'
        OR c.status = 'decided' AND (
            n.weight >= c.weight + %(new_evidence)s
            -- Of what is told apart there is no question, unless the word speaks no more of who they are now.
            OR EXISTS (
                SELECT FROM identity.judgement AS j WHERE j.judgement_id = c.judgement_id AND j.verdict <> 'cannot_tell'
            )
        )
    )

-- name: reopen_told_apart
-- Of two that somebody has told apart it is asked again when they have become that much likelier than they were then;
-- the word holds until it is taken back.
UPDATE identity.review_case AS c SET status = 'open', weight = p.weight, opened_at = %(as_of)s, closed_at = NULL
FROM identity.judgement AS j, identity.pair AS p
WHERE c.status = 'decided' AND j.judgement_id = c.judgement_id AND j.verdict = 'not_same'
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = j.judgement_id)
    AND p.left_id = least(c.record_ids[1], c.record_ids[2]) AND p.right_id = greatest(c.record_ids[1], c.record_ids[2])
    AND p.weight >= c.weight + %(new_evidence)s

-- name: note_sources
-- A case keeps its records, and a record its source. Of those that an older version stored some at a time, open ones
-- (the last status there is) first.
UPDATE identity.review_case AS c
SET sources = ARRAY(
    SELECT DISTINCT r.source FROM identity.standard_record AS r WHERE r.record_id = ANY (c.record_ids) ORDER BY r.source
)
WHERE c.fingerprint IN (
    SELECT n.fingerprint FROM identity.review_case AS n WHERE n.sources IS NULL
    ORDER BY n.status DESC, n.fingerprint DESC
    LIMIT %(most)s
)

-- name: sources_of
SELECT record_id, source FROM identity.standard_record WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: update_cases
UPDATE identity.review_case AS c
SET kind = n.kind, weight = n.weight, impact = n.impact, evidence = n.evidence
FROM new_case AS n
WHERE c.fingerprint = n.fingerprint AND c.status = 'open'
    AND (c.kind, c.weight, c.impact, c.evidence) IS DISTINCT FROM (n.kind, n.weight, n.impact, n.evidence)

-- name: close_cases
-- One hash join over all open cases: a sub-query per case would scan the assignments once for each.
UPDATE identity.review_case AS c SET status = 'closed', closed_at = %(as_of)s
FROM (
    SELECT DISTINCT o.fingerprint
    FROM identity.review_case AS o
    CROSS JOIN LATERAL unnest(o.record_ids) AS r (record_id)
    JOIN assignment AS a ON a.record_id = r.record_id
    WHERE o.status = 'open' AND NOT EXISTS (SELECT FROM new_case AS n WHERE n.fingerprint = o.fingerprint)
        -- But for two that were told apart and are asked about again, until somebody answers.
        AND NOT (
            EXISTS (
                SELECT FROM identity.judgement AS j
                WHERE j.judgement_id = o.judgement_id AND j.verdict = 'not_same' AND j.decided_at < o.opened_at
                    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = j.judgement_id)
            )
            AND EXISTS (
                SELECT FROM identity.pair AS p
                WHERE p.left_id = least(o.record_ids[1], o.record_ids[2])
                    AND p.right_id = greatest(o.record_ids[1], o.record_ids[2])
            )
            AND NOT EXISTS (
                SELECT FROM ops.case_event AS e
                WHERE e.fingerprint = o.fingerprint AND e.action = 'decided' AND e.at >= o.opened_at
            )
        )
) AS settled
WHERE c.fingerprint = settled.fingerprint
