-- The queue of review cases: filters, pages on from a place, counts (case_queue.py).

-- name: told
c.fingerprint::text, c.kind, c.status, c.weight, c.impact, c.evidence, c.opened_at::text, c.record_ids,
    q.assignee, q.deferred_until::text, q.one, q.two, coalesce(
        (SELECT p.proposed_by FROM ops.case_proposal AS p WHERE p.fingerprint = c.fingerprint AND p.state = 'open'),
        (
            SELECT e.done_by FROM (
                -- as: desk.undo_proposals
            ) AS e
            WHERE e.fingerprint = c.fingerprint
            ORDER BY e.event_id
            LIMIT 1
        )
    ) AS proposed_by, (
        SELECT jsonb_agg(jsonb_build_object(
            'record_id', r.record_id, 'source', r.source, 'stream', r.stream, 'source_key', r.source_key,
            'client_id', x.client_id, 'display_name', k.display_name, 'kind', k.kind, 'changed_seq', k.changed_seq
        ) ORDER BY r.source COLLATE "C", r.stream COLLATE "C", r.source_key COLLATE "C")
        FROM (
            SELECT record_id, source, stream, source_key FROM raw.record WHERE record_id = ANY (c.record_ids)
            UNION
            SELECT record_id, source, stream, source_key FROM identity.standard_record
            WHERE record_id = ANY (c.record_ids)
        ) AS r
        LEFT JOIN identity.crosswalk AS x ON x.record_id = r.record_id
        LEFT JOIN core.client AS k ON k.client_id = x.client_id
    ) AS records

-- name: page
-- Chosen and ordered first, and only then with its records and its evidence: a queue may hold ten thousand.
SELECT
    -- as: case_queue.told
FROM (
    -- as: case_queue.chosen
    ORDER BY one, two, c.fingerprint
    LIMIT %(limit)s
) AS q
JOIN identity.review_case AS c ON c.fingerprint = q.fingerprint
ORDER BY q.one, q.two, c.fingerprint

-- name: behind
({one}, {two}, c.fingerprint) > (%(after_one)s::bigint, %(after_two)s::bigint, %(after)s::uuid)

-- name: page_and_kinds
-- A page of some kinds, and how many there are of every kind, chosen once for both; one row at least.
WITH chosen AS MATERIALIZED (
    -- as: case_queue.chosen
)
SELECT k.counts, p.*
FROM (
    SELECT coalesce(jsonb_object_agg(n.kind, n.cases), '{{}}') AS counts
    FROM (SELECT kind, count(*) AS cases FROM chosen GROUP BY kind) AS n
) AS k
LEFT JOIN (
    SELECT
        -- as: case_queue.told
    FROM (
        SELECT * FROM chosen
        WHERE (%(only)s::text[] IS NULL OR kind = ANY (%(only)s::text[]))
            AND (
                %(after)s::uuid IS NULL
                OR (one, two, fingerprint) > (%(after_one)s::bigint, %(after_two)s::bigint, %(after)s::uuid)
            )
        ORDER BY one, two, fingerprint
        LIMIT %(limit)s
    ) AS q
    JOIN identity.review_case AS c ON c.fingerprint = q.fingerprint
) AS p ON true
ORDER BY p.one, p.two, p.fingerprint COLLATE "C"

-- name: pairs
-- Without their clients, which thousands of cases would bring for a few that are shown.
SELECT c.fingerprint::text, c.kind, c.weight, c.record_ids FROM (
    -- as: case_queue.chosen
    ORDER BY one, two, c.fingerprint
    LIMIT %(limit)s
) AS q
JOIN identity.review_case AS c ON c.fingerprint = q.fingerprint
WHERE cardinality(c.record_ids) = 2
ORDER BY q.one, q.two, c.fingerprint

-- name: chosen
SELECT c.fingerprint, c.kind, d.assignee, d.deferred_until, {one} AS one, {two} AS two
FROM (
    -- By themselves first: joined in one go, all that were ever closed are read in the order of their fingerprints. And
    -- no more of them than ix_review_case_queue holds, so that of open ones it is read alone.
    SELECT fingerprint, kind, weight, impact, opened_at FROM identity.review_case
    WHERE {which}
    OFFSET 0
) AS c
LEFT JOIN ops.case_desk AS d ON d.fingerprint = c.fingerprint
WHERE {whose}

-- name: of_status
status = {status}

-- name: of_kinds
kind = ANY (%(kinds)s::text[])

-- name: of_impact
impact >= %(least_impact)s

-- name: of_before
opened_at < %(opened_before)s

-- name: of_after
opened_at >= %(opened_after)s

-- name: of_cases
fingerprint = ANY (%(cases)s::uuid[])

-- name: of_source
-- Of what was stored by an older version nobody has noted the sources yet.
(
    sources @> ARRAY[%(source)s::text] OR sources IS NULL AND fingerprint IN (
        SELECT o.fingerprint FROM (
            SELECT fingerprint, unnest(record_ids) AS record_id FROM identity.review_case
            WHERE sources IS NULL AND ({same})
        ) AS o
        JOIN identity.standard_record AS r ON r.record_id = o.record_id
        WHERE r.source = %(source)s
    )
)

-- name: of_undo
fingerprint IN (
    SELECT e.fingerprint FROM (
        -- as: desk.undo_proposals
    ) AS e
)

-- name: of_assignee
d.assignee = %(assignee)s

-- name: of_nobody
d.assignee IS NULL

-- name: is_deferred
d.deferred_until > %(today)s

-- name: is_open
coalesce(d.deferred_until <= %(today)s, true)
    AND c.fingerprint NOT IN (SELECT p.fingerprint FROM ops.case_proposal AS p WHERE p.state = 'open')

-- name: is_proposed
coalesce(d.deferred_until <= %(today)s, true)
    AND c.fingerprint IN (SELECT p.fingerprint FROM ops.case_proposal AS p WHERE p.state = 'open')

-- name: place
-- Where a case stands in an order, whatever has become of it.
SELECT c.fingerprint::text, {one} AS one, {two} AS two FROM identity.review_case AS c WHERE c.fingerprint = %(case)s::uuid

-- name: next
SELECT c.fingerprint::text FROM (
    -- as: case_queue.chosen
    AND c.fingerprint <> coalesce(%(after)s::uuid, '00000000-0000-0000-0000-000000000000')
) AS c
ORDER BY (%(after)s::uuid IS NULL
        OR (c.one, c.two, c.fingerprint) > (%(after_one)s::bigint, %(after_two)s::bigint, %(after)s::uuid)) DESC,
    c.one, c.two, c.fingerprint
LIMIT 1

-- name: count
SELECT count(*) AS cases FROM (
    -- as: case_queue.chosen
) AS c

-- name: states
SELECT count(*) FILTER (WHERE NOT q.is_deferred AND NOT q.is_proposed) AS all,
    count(*) FILTER (WHERE NOT q.is_deferred AND NOT q.is_proposed AND q.assignee = %(login)s) AS mine,
    count(*) FILTER (WHERE NOT q.is_deferred AND NOT q.is_proposed AND q.assignee IS NULL) AS unassigned,
    count(*) FILTER (WHERE q.is_deferred) AS deferred,
    count(*) FILTER (WHERE NOT q.is_deferred AND q.is_proposed) AS proposed,
    (
        SELECT count(DISTINCT e.fingerprint) FROM (
            -- as: desk.undo_proposals
        ) AS e
    ) AS undo
FROM (
    SELECT d.assignee, coalesce(d.deferred_until > %(today)s, false) AS is_deferred, p.fingerprint IS NOT NULL AS is_proposed
    FROM (SELECT fingerprint FROM identity.review_case WHERE status = 'open' OFFSET 0) AS c
    LEFT JOIN ops.case_desk AS d ON d.fingerprint = c.fingerprint
    LEFT JOIN ops.case_proposal AS p ON p.fingerprint = c.fingerprint AND p.state = 'open'
) AS q

-- name: records_of
SELECT fingerprint::text, status, record_ids FROM identity.review_case WHERE fingerprint = ANY (%(cases)s::uuid[])

-- name: asked_about
SELECT fingerprint::text FROM identity.review_case
WHERE status = 'open' AND record_ids && %(left_ids)s::bigint[] AND record_ids && %(right_ids)s::bigint[]
ORDER BY impact DESC, weight DESC NULLS LAST, fingerprint
LIMIT 1

-- name: asked_pairs
SELECT count(*), coalesce(sum((evidence ->> 'pairs')::bigint), 0)::bigint
FROM identity.review_case WHERE status = 'open' AND kind = 'between'
