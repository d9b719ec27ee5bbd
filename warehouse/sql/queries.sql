-- What people look at. UUIDs and times are given as text.

-- name: current_id
WITH RECURSIVE step AS (
    SELECT %(client_id)s::uuid AS client_id, 0 AS steps
    UNION ALL
    SELECT l.target_client_id, s.steps + 1
    FROM step AS s
    CROSS JOIN LATERAL (
        SELECT event, target_client_id FROM identity.client_id_ledger
        WHERE client_id = s.client_id ORDER BY id DESC LIMIT 1
    ) AS l
    WHERE l.event = 'redirect' AND s.steps < 100
)
SELECT client_id::text FROM step ORDER BY steps DESC LIMIT 1

-- name: client
SELECT client_id::text, kind, role, display_name, attributes, lineage, record_count, valid_from::text, changed_seq,
    is_deleted
FROM core.client
WHERE client_id = %(client_id)s::uuid

-- name: golden_record_of
-- The record that a golden value of a record's client comes from; of several values the first one's.
SELECT (c.lineage -> %(attribute)s ->> 'record_id')::bigint
FROM identity.crosswalk AS x
JOIN core.client AS c ON c.client_id = x.client_id
WHERE x.record_id = %(record_id)s

-- name: client_records
SELECT r.record_id, r.source, r.stream, r.source_key, r.kind, r.role, core.golden_text(r.attributes, 'url') AS url,
    r.attributes, r.source_updated_at::text, x.since::text, w.run_id, u.trace_id
FROM identity.crosswalk AS x
JOIN identity.standard_record AS r ON r.record_id = x.record_id
LEFT JOIN raw.record AS w ON w.record_id = r.record_id
LEFT JOIN ops.run AS u ON u.run_id = w.run_id
WHERE x.client_id = %(client_id)s::uuid
ORDER BY r.source COLLATE "C", r.stream COLLATE "C", r.source_key COLLATE "C"

-- name: interaction
-- What is told of an interaction `i` of type `t`, with its promises.
i.record_id, i.source, i.stream, i.source_key, i.type, t.label_en, t.label_ru, t.department, t.money,
    i.occurred_at::text, i.occurred_on::text, i.precision, i.channel, i.direction, i.document_number, i.summary,
    i.amount::text, i.currency, i.url, i.detail,
    (
        SELECT jsonb_agg(jsonb_build_object(
            'kind', p.kind, 'due_on', p.due_on, 'actual_on', p.actual_on, 'due_value', p.due_value,
            'actual_value', p.actual_value
        ) ORDER BY p.kind, p.due_on, p.promise_key)
        FROM core.promise AS p
        WHERE p.record_id = i.record_id AND NOT p.is_removed
    ) AS promises

-- name: client_interactions
SELECT
    -- as: queries.interaction
FROM (
    -- With and without a time apart: in this order the index has them, and who has thousands is not sorted.
    (
        SELECT * FROM core.interaction
        WHERE client_id = %(client_id)s::uuid AND NOT is_deleted AND occurred_at IS NOT NULL
            AND occurred_at <= coalesce(%(at)s::timestamptz, 'infinity')
            AND (%(at)s::timestamptz IS NULL OR occurred_at < %(at)s::timestamptz OR record_id > %(id)s::bigint)
            AND NOT %(is_undated)s
            AND (%(types)s::text[] IS NULL OR type = ANY (%(types)s::text[]))
        ORDER BY occurred_at DESC, record_id
        LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT * FROM core.interaction
        WHERE client_id = %(client_id)s::uuid AND NOT is_deleted AND occurred_at IS NULL
            AND (NOT %(is_undated)s OR record_id > %(id)s::bigint)
            AND (%(types)s::text[] IS NULL OR type = ANY (%(types)s::text[]))
        ORDER BY record_id
        LIMIT %(limit)s
    )
    ORDER BY occurred_at DESC NULLS LAST, record_id
    LIMIT %(limit)s
) AS i
LEFT JOIN core.interaction_type AS t ON t.code = i.type
ORDER BY i.occurred_at DESC NULLS LAST, i.source COLLATE "C", i.stream COLLATE "C", i.source_key COLLATE "C"

-- name: client_totals
SELECT i.type, t.label_en, t.label_ru, t.department, i.currency, count(*) AS interactions, sum(i.amount)::text AS amount,
    min(i.occurred_on)::text AS first_on, max(i.occurred_on)::text AS last_on
FROM core.interaction AS i
LEFT JOIN core.interaction_type AS t ON t.code = i.type
WHERE i.client_id = %(client_id)s::uuid AND NOT i.is_deleted
GROUP BY i.type, t.label_en, t.label_ru, t.department, i.currency
ORDER BY i.type, i.currency

-- name: moving_interactions
-- What happened before a record changed its identity is with its former version.
SELECT m.from_id::text, m.to_id::text, i.type, t.label_en, t.label_ru, i.currency, count(*) AS interactions,
    sum(i.amount)::text AS amount
FROM unnest(%(record_ids)s::bigint[], %(from_ids)s::uuid[], %(to_ids)s::uuid[]) AS m (record_id, from_id, to_id)
LEFT JOIN identity.former_record AS f ON f.former_id = m.record_id
JOIN core.interaction AS i
    ON i.party_record_id = coalesce(f.record_id, m.record_id) AND i.client_id = m.from_id AND NOT i.is_deleted
LEFT JOIN core.interaction_type AS t ON t.code = i.type
GROUP BY m.from_id, m.to_id, i.type, t.label_en, t.label_ru, i.currency
ORDER BY m.from_id, m.to_id, i.type, i.currency

-- name: client_relationships
SELECT DISTINCT r.type, r.role, r.valid_from::text, r.valid_to::text,
    CASE WHEN f.client_id = %(client_id)s::uuid THEN 'to' ELSE 'from' END AS direction,
    o.client_id::text AS client_id, o.display_name
FROM identity.crosswalk AS x
JOIN core.relationship AS r ON x.record_id IN (r.from_record_id, r.to_record_id) AND NOT r.is_deleted
LEFT JOIN identity.crosswalk AS f ON f.record_id = r.from_record_id
LEFT JOIN identity.crosswalk AS t ON t.record_id = r.to_record_id
LEFT JOIN core.client AS o
    ON o.client_id = CASE WHEN f.client_id = %(client_id)s::uuid THEN t.client_id ELSE f.client_id END
WHERE x.client_id = %(client_id)s::uuid
ORDER BY r.type, direction, client_id

-- name: client_former_ids
-- Backwards from the client: the view of all redirects reads the whole ledger.
WITH RECURSIVE former AS (
    SELECT %(client_id)s::uuid AS client_id, 0 AS steps
    UNION ALL
    SELECT l.client_id, f.steps + 1
    FROM former AS f
    JOIN identity.client_id_ledger AS l ON l.target_client_id = f.client_id AND l.event = 'redirect'
    WHERE f.steps < 100 AND NOT EXISTS (
        SELECT FROM identity.client_id_ledger AS n
        WHERE n.client_id = l.client_id AND n.id > l.id AND n.event <> 'mint'
    )
)
SELECT DISTINCT client_id::text AS old_client_id FROM former WHERE steps > 0 ORDER BY 1

-- name: client_cases
SELECT DISTINCT c.fingerprint::text, c.kind, c.weight, c.impact, c.record_ids
FROM identity.crosswalk AS x
JOIN identity.review_case AS c ON c.record_ids && ARRAY[x.record_id] AND c.status = 'open'
WHERE x.client_id = %(client_id)s::uuid
ORDER BY c.impact DESC, fingerprint

-- name: trace_raw
SELECT source, stream, source_key, payload, is_deleted, is_deletion_inferred, source_updated_at::text,
    ingested_at::text, run_id
FROM raw.record
WHERE record_id = %(record_id)s

-- name: trace_versions
SELECT payload, is_deleted, is_deletion_inferred, source_updated_at::text, ingested_at::text, superseded_at::text, run_id
FROM raw.record_version
WHERE record_id = %(record_id)s
ORDER BY version_key DESC

-- name: trace_standard_record
SELECT to_jsonb(r) - 'record_id' AS columns FROM identity.standard_record AS r WHERE r.record_id = %(record_id)s

-- name: trace_identifiers
SELECT type, value, is_valid, invalid_reason FROM identity.identifier
WHERE record_id = %(record_id)s
ORDER BY type, value

-- name: trace_blocking
SELECT coalesce(sum(cardinality(keys)), 0)::bigint AS keys FROM identity.key_list WHERE record_id = %(record_id)s

-- name: trace_pairs
SELECT p.other AS record_id, r.source, r.stream, r.source_key, p.weight, p.model_version, x.client_id::text
FROM (
    SELECT right_id AS other, weight, model_version FROM identity.pair WHERE left_id = %(record_id)s
    UNION ALL
    SELECT left_id, weight, model_version FROM identity.pair WHERE right_id = %(record_id)s
) AS p
LEFT JOIN identity.standard_record AS r ON r.record_id = p.other
LEFT JOIN identity.crosswalk AS x ON x.record_id = p.other
ORDER BY p.weight DESC, p.other

-- name: trace_crosswalk
SELECT x.client_id::text, x.since::text, c.display_name, c.is_deleted
FROM identity.crosswalk AS x
LEFT JOIN core.client AS c ON c.client_id = x.client_id
WHERE x.record_id = %(record_id)s

-- name: trace_crosswalk_history
SELECT client_id::text, valid_from::text, valid_to::text FROM identity.crosswalk_history
WHERE record_id = %(record_id)s
ORDER BY valid_from

-- name: trace_interaction
SELECT i.type, i.party_record_id, p.source || ':' || p.stream || ':' || p.source_key AS party, i.client_id::text,
    i.occurred_at::text, i.document_number, i.summary, i.amount::text, i.currency, i.detail, i.changed_seq, i.is_deleted
FROM core.interaction AS i
LEFT JOIN raw.record AS p ON p.record_id = i.party_record_id
WHERE i.record_id = %(record_id)s

-- name: trace_pending
SELECT id, step FROM ops.pending WHERE record_id = %(record_id)s ORDER BY id

-- name: trace_rejects
SELECT step, reason, detail, place, path, first_at::text, is_open, is_retried, closed_at::text FROM ops.reject
WHERE record_id = %(record_id)s
ORDER BY first_at, fingerprint

-- name: trace_cases
SELECT fingerprint::text, kind, record_ids, status, weight, impact, evidence, opened_at::text, closed_at::text
FROM identity.review_case
WHERE record_ids && ARRAY[%(record_id)s::bigint]
ORDER BY opened_at, fingerprint

-- name: trace_judgements
SELECT j.judgement_id, j.verdict, j.left_ids, j.right_ids, j.attribute, j.value, j.reason, j.decided_by,
    j.decided_at::text, l.judgement_id AS lifted_by, nullif(v.is_suspended, false) AS is_suspended
FROM identity.judgement AS j
LEFT JOIN identity.judged_record AS v ON v.judgement_id = j.judgement_id AND v.record_id = %(record_id)s
LEFT JOIN identity.judgement AS l ON l.lifts = j.judgement_id
WHERE j.left_ids && ARRAY[%(record_id)s::bigint] OR j.right_ids && ARRAY[%(record_id)s::bigint]
ORDER BY j.judgement_id

-- name: trace_relationships
-- The other record may be one that was made of a card, and then is no source's own.
SELECT r.type, r.role, r.direction, coalesce(w.source, s.source) AS source, coalesce(w.stream, s.stream) AS stream,
    coalesce(w.source_key, s.source_key) AS source_key, r.other AS record_id, x.client_id::text, r.valid_from::text,
    r.valid_to::text
FROM (
    SELECT type, role, 'to' AS direction, to_record_id AS other, valid_from, valid_to FROM core.relationship
    WHERE from_record_id = %(record_id)s AND NOT is_deleted
    UNION
    SELECT type, role, 'from', from_record_id, valid_from, valid_to FROM core.relationship
    WHERE to_record_id = %(record_id)s AND NOT is_deleted
) AS r
LEFT JOIN raw.record AS w ON w.record_id = r.other
LEFT JOIN identity.standard_record AS s ON s.record_id = r.other
LEFT JOIN identity.crosswalk AS x ON x.record_id = r.other
ORDER BY r.type, r.direction, r.other, r.role

-- name: trace_feeds
SELECT r.record_id, r.source, r.stream, r.source_key
FROM identity.child_link AS l JOIN raw.record AS r ON r.record_id = l.parent_record_id
WHERE l.child_record_id = %(record_id)s
ORDER BY r.record_id

-- name: trace_fed_by
SELECT r.record_id, r.source, r.stream, r.source_key, r.is_deleted
FROM identity.child_link AS l JOIN raw.record AS r ON r.record_id = l.child_record_id
WHERE l.parent_record_id = %(record_id)s
ORDER BY r.record_id

-- name: status_totals
SELECT
    (SELECT count(*) FROM core.client WHERE NOT is_deleted AND role IN ('client', 'prospect')) AS clients,
    (SELECT count(*) FROM core.client WHERE NOT is_deleted) AS parties,
    (SELECT count(*) FROM identity.standard_record) AS records,
    (SELECT count(*) FROM core.interaction WHERE NOT is_deleted) AS interactions,
    (
        SELECT count(*) FROM core.interaction
        WHERE NOT is_deleted AND party_record_id IS NOT NULL AND client_id IS NULL
    ) AS open_references,
    (SELECT count(*) FROM identity.review_case WHERE status = 'open') AS open_cases,
    (SELECT count(*) FROM ops.reject WHERE is_open) AS open_rejects,
    (SELECT max(last_event_id) FROM ops.hub_clock) AS last_change,
    (SELECT version FROM identity.model WHERE is_current) AS model_version

-- name: status_streams
SELECT coalesce(c.source, r.source) AS source, coalesce(c.stream, r.stream) AS stream,
    coalesce(r.records, 0) AS records, coalesce(r.deleted, 0) AS deleted, c.at::text AS synced_at,
    r.newest::text AS newest_record_at,
    (SELECT count(*) FROM ops.reject AS x WHERE x.is_open AND x.source = c.source AND x.stream = c.stream) AS rejects
FROM ops.checkpoint AS c
FULL JOIN (
    SELECT source, stream, count(*) FILTER (WHERE NOT is_deleted) AS records,
        count(*) FILTER (WHERE is_deleted) AS deleted, max(source_updated_at) AS newest
    FROM raw.record
    GROUP BY source, stream
) AS r ON (r.source, r.stream) = (c.source, c.stream)
ORDER BY 1, 2

-- name: status_queues
SELECT step, count(*) AS entries FROM ops.pending GROUP BY step ORDER BY step

-- name: status_rejects
SELECT source, stream, step, reason, count(*) AS rejects FROM ops.reject
WHERE is_open
GROUP BY source, stream, step, reason
ORDER BY source, stream, step, reason

-- name: status_cases
SELECT kind, count(*) AS cases FROM identity.review_case WHERE status = 'open' GROUP BY kind ORDER BY kind

-- name: status_runs
SELECT DISTINCT ON (command, source) run_id, command, source, status, started_at::text, finished_at::text
FROM ops.run
ORDER BY command, source, run_id DESC

-- name: register_overlap
WITH held AS (
    SELECT DISTINCT r.source, x.client_id
    FROM identity.crosswalk AS x
    JOIN identity.standard_record AS r ON r.record_id = x.record_id
    JOIN core.client AS c ON c.client_id = x.client_id AND c.role IN ('client', 'prospect') AND NOT c.is_deleted
), size AS (
    SELECT source, count(*) AS clients FROM held GROUP BY source
), both_of AS (
    SELECT a.source AS left_source, b.source AS right_source, count(*) AS clients
    FROM held AS a JOIN held AS b ON b.client_id = a.client_id AND a.source COLLATE "C" < b.source COLLATE "C"
    GROUP BY a.source, b.source
)
SELECT a.source AS left_source, b.source AS right_source, a.clients - coalesce(n.clients, 0) AS only_left,
    b.clients - coalesce(n.clients, 0) AS only_right, coalesce(n.clients, 0) AS both
FROM size AS a
JOIN size AS b ON a.source COLLATE "C" < b.source COLLATE "C"
LEFT JOIN both_of AS n ON n.left_source = a.source AND n.right_source = b.source
ORDER BY a.source COLLATE "C", b.source COLLATE "C"

-- name: source_counts
WITH held AS (
    SELECT r.source, x.client_id, count(*) AS records
    FROM identity.crosswalk AS x JOIN identity.standard_record AS r ON r.record_id = x.record_id
    GROUP BY r.source, x.client_id
), known AS (
    SELECT client_id, count(*) AS sources FROM held GROUP BY client_id
)
SELECT h.source, sum(h.records)::bigint AS records, count(*) AS clients,
    count(*) FILTER (WHERE k.sources = 1) AS only_here
FROM held AS h JOIN known AS k ON k.client_id = h.client_id
GROUP BY h.source
ORDER BY h.source COLLATE "C"

-- name: streams
SELECT source, stream FROM ops.checkpoint

-- name: find_clients
WITH hit AS (
    SELECT %(client_id)s::uuid AS client_id, 'client id' AS why, 0 AS rank
    UNION ALL
    SELECT x.client_id, i.type, 1
    FROM identity.identifier AS i JOIN identity.crosswalk AS x ON x.record_id = i.record_id
    WHERE i.is_valid AND i.value = ANY (%(values)s::text[])
    UNION ALL
    SELECT x.client_id, 'source key', 2
    FROM identity.crosswalk AS x
    WHERE x.record_id = ANY (%(record_ids)s::bigint[])
    UNION ALL
    (
        -- Asked of several words only: many bear one of them, and nobody has it as the whole name.
        SELECT client_id, 'name', 3 FROM core.client
        WHERE NOT is_deleted AND display_name ILIKE %(whole)s
        LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT n.client_id, 'name', 4
        FROM (
            SELECT client_id, display_name FROM core.client
            -- Each condition by itself is found by the trigram index; what a name has beyond three words is looked at.
            WHERE NOT is_deleted AND display_name ILIKE %(part1)s AND display_name ILIKE %(part2)s
                AND display_name ILIKE %(part3)s AND display_name ILIKE ALL (%(parts)s::text[])
            LIMIT 1000
        ) AS n
        ORDER BY length(n.display_name), n.client_id
        LIMIT %(limit)s
    )
)
SELECT c.client_id::text, c.kind, c.role, c.display_name, c.record_count, b.why,
    core.golden_text(c.attributes, 'email') AS email, core.golden_text(c.attributes, 'phone') AS phone,
    core.golden_text(c.attributes, 'inn') AS inn, core.golden_text(c.attributes, 'city') AS city
FROM (SELECT DISTINCT ON (client_id) client_id, why, rank FROM hit ORDER BY client_id, rank, why) AS b
JOIN core.client AS c ON c.client_id = b.client_id
WHERE NOT c.is_deleted
ORDER BY b.rank, length(c.display_name), c.display_name COLLATE "C", c.client_id
LIMIT %(limit)s

-- name: open_rejects
SELECT source, stream, source_key, record_id, step, reason, detail, place, path, first_at::text, is_retried,
    length(payload) AS bytes
FROM ops.reject
WHERE is_open AND (%(source)s::text IS NULL OR source = %(source)s)
ORDER BY first_at DESC, fingerprint
LIMIT %(limit)s

-- name: review_case
SELECT c.fingerprint::text, c.kind, c.status, c.weight, c.impact, c.opened_at::text, c.record_ids
FROM identity.review_case AS c
WHERE c.fingerprint = %(fingerprint)s::uuid

-- name: case_before
-- The open case before this one in the order of the queue; the last of all where there is none before.
SELECT c.fingerprint::text
FROM identity.review_case AS c
LEFT JOIN identity.review_case AS o ON o.fingerprint = %(case)s::uuid
WHERE c.status = 'open' AND c.fingerprint <> %(case)s::uuid
ORDER BY (o.fingerprint IS NULL OR (-c.impact, -coalesce(c.weight, -2147483647), c.fingerprint)
        < (-o.impact, -coalesce(o.weight, -2147483647), o.fingerprint)) DESC,
    c.impact, coalesce(c.weight, -2147483647), c.fingerprint DESC
LIMIT 1

-- name: records_side_by_side
SELECT r.record_id, r.source, r.stream, r.source_key, r.kind, r.role, core.golden_text(r.attributes, 'url') AS url,
    r.attributes, r.source_updated_at::text, x.client_id::text, c.display_name, c.changed_seq
FROM identity.standard_record AS r
LEFT JOIN identity.crosswalk AS x ON x.record_id = r.record_id
LEFT JOIN core.client AS c ON c.client_id = x.client_id
WHERE r.record_id = ANY (%(record_ids)s::bigint[])
ORDER BY array_position(%(record_ids)s::bigint[], r.record_id)

-- name: records_with
-- These records, then the others of their clients, by client and natural key.
SELECT r.record_id
FROM identity.standard_record AS r
JOIN identity.crosswalk AS x ON x.record_id = r.record_id
WHERE x.client_id IN (SELECT client_id FROM identity.crosswalk WHERE record_id = ANY (%(record_ids)s::bigint[]))
    AND r.record_id <> ALL (%(record_ids)s::bigint[])
ORDER BY x.client_id, r.source COLLATE "C", r.stream COLLATE "C", r.source_key COLLATE "C"
LIMIT %(limit)s

-- name: decisions_about
-- What people said of these records, latest first, whether or not it still holds; of cases what all of them were told.
SELECT j.judgement_id, j.verdict, j.relationship, j.attribute, j.reason, j.decided_by, j.decided_at::text,
    l.decided_by AS lifted_by, l.decided_at::text AS lifted_at,
    EXISTS (SELECT FROM identity.judged_record AS v WHERE v.judgement_id = j.judgement_id AND v.is_suspended)
        AS is_suspended
FROM identity.judgement AS j
LEFT JOIN identity.judgement AS l ON l.lifts = j.judgement_id
WHERE j.verdict <> 'lift'
    AND (j.left_ids && %(record_ids)s::bigint[] OR j.right_ids && %(record_ids)s::bigint[])
ORDER BY j.judgement_id DESC
LIMIT %(limit)s

-- name: open_cases
-- A case is closed by the resolution that follows a decision: until then its history says that it is decided.
SELECT c.fingerprint::text FROM identity.review_case AS c
WHERE c.status = 'open' AND c.fingerprint = ANY (%(fingerprints)s::uuid[]) AND NOT EXISTS (
    SELECT FROM ops.case_event AS e
    JOIN identity.judgement AS j ON j.judgement_id = e.judgement_id
    WHERE e.fingerprint = c.fingerprint AND e.action = 'decided' AND e.at >= c.opened_at
        -- A word about others of its records, such as a split, decides nothing of the case itself.
        AND CASE j.verdict
            WHEN 'pin' THEN false
            WHEN 'same' THEN c.record_ids <@ (j.left_ids || j.right_ids)
            ELSE c.record_ids && j.left_ids AND c.record_ids && j.right_ids
        END
        AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = e.judgement_id)
)

-- name: change_numbers
SELECT client_id::text, changed_seq FROM core.client WHERE client_id = ANY (%(client_ids)s::uuid[])

-- name: identity_cases
SELECT record_ids[1], evidence -> 'compared' FROM identity.review_case
WHERE kind = 'changed_identity' AND status = 'open' AND record_ids && %(record_ids)s::bigint[]

-- name: clients_of_records
SELECT record_id, client_id::text FROM identity.crosswalk WHERE record_id = ANY (%(record_ids)s::bigint[])
