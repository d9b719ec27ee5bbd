-- What the pages of one client ask beside queries.sql. UUIDs and times are given as text.

-- name: story
-- Latest first, without a time last; each half as its index has it.
SELECT i.is_counted,
    -- as: queries.interaction
FROM (
    (
        SELECT * FROM core.interaction AS i
        WHERE client_id = %(client_id)s::uuid AND NOT is_deleted AND occurred_at IS NOT NULL
            AND occurred_at <= coalesce(%(at)s::timestamptz, 'infinity')
            AND (%(at)s::timestamptz IS NULL OR occurred_at < %(at)s::timestamptz OR record_id > %(id)s::bigint)
            AND NOT %(is_undated)s
            AND {fits}
        ORDER BY occurred_at DESC, record_id
        LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT * FROM core.interaction AS i
        WHERE client_id = %(client_id)s::uuid AND NOT is_deleted AND occurred_at IS NULL
            AND (NOT %(is_undated)s OR record_id > %(id)s::bigint)
            AND {fits}
        ORDER BY record_id
        LIMIT %(limit)s
    )
    ORDER BY occurred_at DESC NULLS LAST, record_id
    LIMIT %(limit)s
) AS i
LEFT JOIN core.interaction_type AS t ON t.code = i.type
ORDER BY i.occurred_at DESC NULLS LAST, i.record_id

-- name: fits
(%(types)s::text[] IS NULL OR type = ANY (%(types)s::text[]))
    AND (%(source)s::text IS NULL OR source = %(source)s::text)
    AND (%(since)s::date IS NULL OR occurred_on >= %(since)s::date)
    AND (%(until)s::date IS NULL OR occurred_on <= %(until)s::date)
    AND (NOT %(with_amount)s OR amount IS NOT NULL)
    AND (
        %(words)s::text[] IS NULL
        OR concat_ws(' ', document_number, summary, channel, source_key, detail) ILIKE ALL (%(words)s::text[])
    )

-- name: entry
SELECT i.is_counted, i.chain_id, i.event_id, i.is_deleted, i.reporting_amount::text, i.reporting_currency,
    i.reversed_amount::text, i.party_record_id,
    -- as: queries.interaction
FROM core.interaction AS i
LEFT JOIN core.interaction_type AS t ON t.code = i.type
WHERE i.record_id = %(record_id)s AND i.client_id = %(client_id)s::uuid

-- name: lines
SELECT position, item_code, item_name, quantity::text, unit, unit_price::text, amount::text
FROM core.interaction_line
WHERE record_id = %(record_id)s AND NOT is_removed
ORDER BY position
LIMIT %(limit)s

-- name: chain
-- From the topmost one down over parents, as far as it is this client's.
WITH RECURSIVE step AS (
    SELECT i.record_id, 0 AS depth FROM core.interaction AS i WHERE i.record_id = %(chain_id)s
    UNION
    SELECT i.record_id, s.depth + 1
    FROM step AS s
    JOIN core.interaction AS i ON i.parent_record_id = s.record_id AND i.record_id <> s.record_id
    WHERE s.depth < 20
)
SELECT i.record_id, i.source, i.stream, i.source_key, i.type, t.label_en, t.label_ru, i.document_number,
    i.occurred_on::text, i.amount::text, i.currency, i.occurred_on - p.occurred_on AS days_elapsed,
    i.occurred_on - c.occurred_on AS days_since_start
FROM (SELECT DISTINCT record_id FROM step LIMIT %(limit)s) AS s
JOIN core.interaction AS i ON i.record_id = s.record_id AND NOT i.is_deleted AND i.client_id = %(client_id)s::uuid
LEFT JOIN core.interaction AS p ON p.record_id = i.parent_record_id
LEFT JOIN core.interaction AS c ON c.record_id = %(chain_id)s
LEFT JOIN core.interaction_type AS t ON t.code = i.type
ORDER BY i.occurred_on NULLS LAST, i.occurred_at, i.record_id

-- name: copies
-- The documents that record the same business event, in whatever register.
SELECT i.record_id, i.source, i.stream, i.source_key, i.type, t.label_en, t.label_ru, t.money, i.document_number,
    i.occurred_on::text, i.amount::text, i.currency, i.is_counted, i.url,
    i.client_id = %(client_id)s::uuid AS is_theirs
FROM core.interaction AS i
LEFT JOIN core.interaction_type AS t ON t.code = i.type
WHERE i.event_id = %(event_id)s AND NOT i.is_deleted
ORDER BY i.is_counted DESC NULLS LAST, i.occurred_on, i.record_id
LIMIT %(limit)s

-- name: is_of_client
-- A record of the client, now or then, or an interaction of it.
SELECT EXISTS (
    SELECT FROM identity.crosswalk_history AS h
    WHERE h.record_id = %(record_id)s AND h.client_id = %(client_id)s::uuid
) OR EXISTS (
    SELECT FROM core.interaction AS i WHERE i.record_id = %(record_id)s AND i.client_id = %(client_id)s::uuid
)

-- name: payloads
-- What the register said, latest first, and the client that holds the record now.
SELECT r.source, r.stream, r.source_key, v.payload, v.is_deleted, v.is_deletion_inferred, v.source_updated_at::text,
    v.ingested_at::text, v.superseded_at::text,
    (SELECT x.client_id::text FROM identity.crosswalk AS x WHERE x.record_id = r.record_id) AS holder
FROM raw.record AS r
CROSS JOIN LATERAL (
    SELECT r.payload, r.is_deleted, r.is_deletion_inferred, r.source_updated_at, r.ingested_at,
        NULL::timestamptz AS superseded_at, 9223372036854775807 AS version_key
    UNION ALL
    (
        SELECT o.payload, o.is_deleted, o.is_deletion_inferred, o.source_updated_at, o.ingested_at, o.superseded_at,
            o.version_key
        FROM raw.record_version AS o
        WHERE o.record_id = r.record_id
        ORDER BY o.version_key DESC
        LIMIT %(limit)s
    )
) AS v
WHERE r.record_id = %(record_id)s
ORDER BY v.version_key DESC

-- name: outcomes
SELECT p.outcome, count(*) AS promises, round(avg(p.days_late) FILTER (WHERE p.days_late > 0), 1)::text AS days_late
FROM (
    -- as: as_client.promised
) AS p
GROUP BY p.outcome
ORDER BY p.outcome

-- name: counted
-- Of each business event the documents that count; what reverses another one is negative.
SELECT i.currency,
    sum(v.amount) FILTER (WHERE t.money IN ('quoted', 'ordered', 'invoiced'))::text AS sold,
    sum(v.amount) FILTER (WHERE t.money = 'paid')::text AS paid,
    sum(v.amount) FILTER (WHERE t.money = 'credited')::text AS credited,
    count(*) AS documents, count(DISTINCT i.event_id) AS events
FROM core.interaction AS i
JOIN core.interaction_type AS t ON t.code = i.type AND t.money <> 'none'
CROSS JOIN LATERAL (
    SELECT CASE WHEN i.reverses_record_id IS NULL THEN i.amount ELSE -abs(i.amount) END AS amount
) AS v
WHERE i.client_id = %(client_id)s::uuid AND NOT i.is_deleted AND i.is_counted
GROUP BY i.currency
ORDER BY count(*) DESC, i.currency

-- name: former_names
SELECT h.display_name, h.kind, max(h.valid_to)::text AS until
FROM core.client_history AS h
JOIN core.client AS c ON c.client_id = h.client_id
WHERE h.client_id = ANY (%(client_ids)s::uuid[]) AND h.display_name IS NOT NULL AND h.valid_to IS NOT NULL
    AND h.display_name IS DISTINCT FROM %(name)s
GROUP BY h.display_name, h.kind
ORDER BY max(h.valid_to) DESC, h.display_name, h.kind
LIMIT %(limit)s

-- name: judged
-- What people said of the client's records, latest first, and what became of it.
SELECT j.judgement_id, j.verdict, j.attribute, j.value, j.policy, j.until::text, j.reason, j.decided_by,
    j.decided_at::text, l.decided_by AS lifted_by, l.decided_at::text AS lifted_at, l.reason AS lifted_because,
    (SELECT c.fingerprint::text FROM identity.review_case AS c
        WHERE c.record_ids && (j.left_ids || j.right_ids) AND c.judgement_id = j.judgement_id LIMIT 1) AS case,
    (SELECT jsonb_agg(r.source || ':' || r.stream || ':' || r.source_key ORDER BY r.record_id)
        FROM identity.standard_record AS r WHERE r.record_id = ANY (j.left_ids)) AS left_names,
    (SELECT jsonb_agg(r.source || ':' || r.stream || ':' || r.source_key ORDER BY r.record_id)
        FROM identity.standard_record AS r WHERE r.record_id = ANY (j.right_ids)) AS right_names
FROM identity.judgement AS j
LEFT JOIN identity.judgement AS l ON l.lifts = j.judgement_id
WHERE j.verdict <> 'lift' AND (j.left_ids && %(record_ids)s::bigint[] OR j.right_ids && %(record_ids)s::bigint[])
ORDER BY j.judgement_id DESC
LIMIT %(limit)s

-- name: versions
SELECT h.valid_from::text, h.valid_to::text, h.kind, h.display_name, h.record_count, h.is_deleted
FROM core.client_history AS h
WHERE h.client_id = %(client_id)s::uuid
ORDER BY h.valid_from DESC
LIMIT %(limit)s

-- name: version_at
-- Its golden record as it was known at a moment. The first version holds from the beginning of time, and was known when
-- its event was.
SELECT h.client_id::text, h.valid_from::text, h.valid_to::text, h.kind, h.role, h.display_name, h.attributes, h.lineage,
    h.record_count, h.is_deleted, CASE WHEN h.is_redirected THEN h.redirected_to::text END AS redirected_to
FROM core.client_history AS h
WHERE h.client_id = %(client_id)s::uuid AND h.valid_from <= %(at)s::timestamptz
    AND (h.valid_to IS NULL OR h.valid_to > %(at)s::timestamptz)
    AND (h.valid_from > '-infinity' OR NOT EXISTS (
        SELECT FROM ops.change_event AS e
        WHERE e.id = coalesce(h.opened_seq, h.changed_seq) AND e.at > %(at)s::timestamptz
    ))

-- name: records_at
-- All records that it had at a moment, and when their registers had said what was known by then.
SELECT h.record_id, coalesce(w.source, s.source) AS source, coalesce(w.stream, s.stream) AS stream,
    coalesce(w.source_key, s.source_key) AS source_key, h.valid_from::text AS since,
    v.ingested_at::text AS said_at
FROM identity.crosswalk_history AS h
LEFT JOIN raw.record AS w ON w.record_id = h.record_id
LEFT JOIN identity.standard_record AS s ON s.record_id = h.record_id
LEFT JOIN LATERAL (
    SELECT max(n.ingested_at) AS ingested_at FROM (
        SELECT w.ingested_at
        UNION ALL
        SELECT o.ingested_at FROM raw.record_version AS o WHERE o.record_id = h.record_id
    ) AS n
    WHERE n.ingested_at <= %(at)s::timestamptz
) AS v ON true
WHERE h.client_id = %(client_id)s::uuid AND h.valid_from <= %(at)s::timestamptz
    AND (h.valid_to IS NULL OR h.valid_to > %(at)s::timestamptz)
ORDER BY coalesce(w.source, s.source) COLLATE "C", coalesce(w.stream, s.stream) COLLATE "C",
    coalesce(w.source_key, s.source_key) COLLATE "C"
