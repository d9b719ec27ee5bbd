-- What the pages of segments ask. Ids of clients are hashes: those up to %(until)s are a fair sample, and a bounded one.

-- name: schemes
SELECT s.scheme, s.basis, s.label_en, s.label_ru, s.owner, s.is_served, s.checked_at, s.figures
FROM core.segment_scheme AS s
ORDER BY s.basis <> 'needs', s.scheme COLLATE "C"

-- name: used
-- Of each served scheme when it was used last; and when the first client of the sample entered it, where nobody has.
SELECT s.scheme, s.review_on, u.at AS used_at,
    CASE WHEN u.at IS NULL THEN (
        SELECT min(c.entered_at) FROM core.client_segment AS c WHERE c.client_id <= %(until)s AND c.scheme = s.scheme
    ) END AS began_at
FROM core.segment_scheme AS s
LEFT JOIN LATERAL (SELECT max(u.at) AS at FROM ops.segment_use AS u WHERE u.scheme = s.scheme) AS u ON true
WHERE s.is_served

-- name: segments
SELECT g.scheme, g.segment, g.label_en, g.label_ru, g.needs, g.policy
FROM core.segment AS g
WHERE %(scheme)s::text IS NULL OR g.scheme = %(scheme)s
ORDER BY g.scheme COLLATE "C", g.position

-- name: sizes
-- Of each scheme and segment the clients in it now; without a segment: those that are unknown.
SELECT g.scheme, g.segment, n.clients
FROM (
    SELECT g.scheme, g.segment FROM core.segment AS g WHERE %(scheme)s::text IS NULL OR g.scheme = %(scheme)s
) AS g
CROSS JOIN LATERAL (
    SELECT count(*) AS clients FROM core.client_segment AS c
    WHERE c.scheme = g.scheme AND c.segment = g.segment AND c.left_at IS NULL AND c.client_id <= %(until)s
) AS n
UNION ALL
SELECT s.scheme, NULL, n.clients
FROM core.segment_scheme AS s
CROSS JOIN LATERAL (
    SELECT count(*) AS clients FROM core.client_segment AS c
    WHERE c.scheme = s.scheme AND c.segment IS NULL AND c.left_at IS NULL AND c.client_id <= %(until)s
) AS n
WHERE %(scheme)s::text IS NULL OR s.scheme = %(scheme)s

-- name: counts
-- As the last look noted it; null: none has yet.
SELECT g.scheme, g.segment, g.clients FROM core.segment AS g WHERE %(scheme)s::text IS NULL OR g.scheme = %(scheme)s
UNION ALL
SELECT s.scheme, NULL, s.unknown FROM core.segment_scheme AS s WHERE %(scheme)s::text IS NULL OR s.scheme = %(scheme)s

-- name: reasons
-- Why clients of a scheme are unknown.
SELECT c.entered_reason AS reason, count(*) AS clients
FROM core.client_segment AS c
WHERE c.scheme = %(scheme)s AND c.left_at IS NULL AND c.segment IS NULL AND c.client_id <= %(until)s
GROUP BY c.entered_reason
ORDER BY clients DESC, c.entered_reason

-- name: needs
-- The catalogue, and how many clients have each need.
SELECT d.code AS need, d.label_en, d.label_ru, d.job_en, d.job_ru, d.dimension, coalesce(n.declared, 0) AS declared,
    coalesce(n.observed, 0) AS observed, coalesce(n.inferred, 0) AS inferred, coalesce(n.disagreeing, 0) AS disagreeing
FROM core.need AS d
LEFT JOIN (
    SELECT n.need,
        count(*) FILTER (WHERE n.origin = 'declared' AND n.is_held) AS declared,
        count(*) FILTER (WHERE n.origin = 'observed' AND n.is_held) AS observed,
        count(*) FILTER (WHERE n.origin = 'inferred' AND n.is_held) AS inferred,
        count(*) FILTER (WHERE n.origin = 'observed' AND o.is_held <> n.is_held
            AND (n.is_held OR n.expected_for >= 1000000)) AS disagreeing
    FROM core.client_need AS n
    LEFT JOIN core.client_need AS o ON o.client_id = n.client_id AND o.need = n.need AND o.origin = 'declared'
        AND n.origin = 'observed' AND o.client_id <= %(until)s
    WHERE n.client_id <= %(until)s
    GROUP BY n.need
) AS n ON n.need = d.code
ORDER BY d.code COLLATE "C"

-- name: moves
-- Who entered and left each segment, month by month; `reason`: why they left.
SELECT m.segment, date_trunc('month', m.at AT TIME ZONE 'UTC')::date AS month, m.reason, count(*) FILTER (WHERE m.is_in) AS entered,
    count(*) FILTER (WHERE NOT m.is_in) AS left_it
FROM (
    SELECT c.segment, c.entered_at AS at, NULL::text AS reason, true AS is_in
    FROM core.client_segment AS c
    WHERE c.client_id <= %(until)s AND c.scheme = %(scheme)s AND c.segment IS NOT NULL AND c.entered_at >= %(since)s
    UNION ALL
    SELECT c.segment, c.left_at, c.left_reason, false
    FROM core.client_segment AS c
    WHERE c.client_id <= %(until)s AND c.scheme = %(scheme)s AND c.segment IS NOT NULL AND c.left_at >= %(since)s
) AS m
GROUP BY m.segment, 2, m.reason
ORDER BY 2, m.segment COLLATE "C", m.reason COLLATE "C"

-- name: composition
-- Of each segment in how many clients each need is held to be there, by whatever origin; need null: none is.
SELECT c.segment, n.need, count(*) AS clients
FROM core.client_segment AS c
LEFT JOIN LATERAL (
    SELECT DISTINCT n.need FROM core.client_need AS n WHERE n.client_id = c.client_id AND n.is_held
) AS n ON true
WHERE c.scheme = %(scheme)s AND c.left_at IS NULL AND c.client_id <= %(until)s
GROUP BY c.segment, n.need

-- name: dots
-- Clients in whose dealings a need is seen at all, with how many times as often as expected.
SELECT c.segment, n.needs, n.lifts
FROM core.client_segment AS c
CROSS JOIN LATERAL (
    SELECT array_agg(n.need) AS needs,
        array_agg((n.weight_for + 1000000.0)::double precision / (n.expected_for + 1000000.0)) AS lifts
    FROM core.client_need AS n
    WHERE n.client_id = c.client_id AND n.origin = 'observed' AND n.expected_for IS NOT NULL
) AS n
WHERE c.scheme = %(scheme)s AND c.left_at IS NULL AND c.client_id <= %(until)s AND n.needs IS NOT NULL
ORDER BY c.client_id
LIMIT %(limit)s

-- name: members
-- A page of the clients of a segment. {of}: which.
SELECT c.client_id::text AS client_id, g.display_name, g.kind, c.entered_at, c.entered_reason, c.probability, c.runner_up,
    r.label_en, r.label_ru, c.runner_up_probability
FROM (
    SELECT * FROM core.client_segment AS c
    WHERE c.scheme = %(scheme)s AND {of} AND c.left_at IS NULL AND c.client_id > %(after)s
    ORDER BY c.client_id
    LIMIT %(limit)s
) AS c
JOIN core.client AS g ON g.client_id = c.client_id
LEFT JOIN core.segment AS r ON r.scheme = c.scheme AND r.segment = c.runner_up
ORDER BY c.client_id
