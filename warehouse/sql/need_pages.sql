-- What the pages of one client tell of its needs and segments; each by an index of the client.

-- name: is_known
SELECT EXISTS (SELECT FROM core.need), EXISTS (SELECT FROM core.segment_scheme WHERE is_served)

-- name: needs
SELECT n.need, n.label_en, n.label_ru, n.job_en, n.job_ru, n.dimension, n.origin, n.is_held, n.is_disputed,
    n.sightings_for, n.sightings_against, n.weight_for::double precision, n.weight_against::double precision,
    n.expected_for::double precision, n.expected_against::double precision, n.lift::double precision, n.dealings,
    n.first_on, n.last_on
FROM onefold_v1.client_need AS n
WHERE n.client_id = %(client_id)s
ORDER BY n.need COLLATE "C", array_position(ARRAY['declared', 'observed', 'inferred'], n.origin)

-- name: signals
-- Of each signal how often it is seen, of how many dealings of its types, and how often so many let expect, in sightings
-- that are not aged. What would speak for a need and is not seen is told where at least one sighting was to be expected.
WITH dealt AS (
    SELECT i.type, count(*) AS dealings
    FROM core.published_interaction AS i
    WHERE i.client_id = %(client_id)s AND NOT i.is_deleted
    GROUP BY i.type
)
SELECT s.signal_key, s.need, s.code AS signal, s.label_en, s.label_ru, s.origin, s.is_against,
    coalesce(e.sightings, 0) AS sightings, e.last_on, r.dealings, r.expected, coalesce(r.types, ARRAY[]::text[]) AS types
FROM core.need_signal AS s
LEFT JOIN (
    SELECT e.signal_key, count(*) AS sightings, max(e.occurred_on) AS last_on
    FROM core.client_need_evidence AS e
    WHERE e.client_id = %(client_id)s
    GROUP BY e.signal_key
) AS e ON e.signal_key = s.signal_key
CROSS JOIN LATERAL (
    SELECT sum(d.dealings)::bigint AS dealings, sum(r.rate * d.dealings / s.weight::double precision) AS expected,
        array_agg(d.type ORDER BY d.dealings DESC, d.type COLLATE "C") AS types
    FROM core.need_rate AS r
    JOIN dealt AS d ON d.type = r.type
    WHERE r.signal_key = s.signal_key
) AS r
WHERE e.sightings > 0 OR (r.expected >= 1 AND NOT s.is_against)
ORDER BY s.need COLLATE "C", s.is_against, e.sightings DESC NULLS LAST, s.signal_key

-- name: latest
-- Of each signal its latest sightings.
SELECT e.signal_key, s.word_starts, e.record_id, i.type, i.occurred_on, i.document_number, i.summary, i.detail, i.channel
FROM core.need_signal AS s
CROSS JOIN LATERAL (
    SELECT e.signal_key, e.record_id, e.occurred_on
    FROM core.client_need_evidence AS e
    WHERE e.client_id = %(client_id)s AND e.signal_key = s.signal_key
    ORDER BY e.occurred_on DESC NULLS LAST, e.record_id DESC
    LIMIT %(limit)s
) AS e
JOIN core.published_interaction AS i ON i.record_id = e.record_id AND i.client_id = %(client_id)s
ORDER BY e.signal_key, e.occurred_on DESC NULLS LAST, e.record_id DESC

-- name: evidence
-- A page of the sightings of one need, latest first; without a day last.
SELECT e.signal_key, s.word_starts, e.record_id, e.day::text, s.need, s.code AS signal, s.label_en, s.label_ru, s.origin,
    s.is_against, i.type, i.occurred_on, i.document_number, i.summary, i.detail, i.channel
FROM (
    SELECT e.signal_key, e.record_id, coalesce(e.occurred_on, '-infinity') AS day
    FROM core.client_need_evidence AS e
    WHERE e.client_id = %(client_id)s
        AND e.signal_key IN (SELECT s.signal_key FROM core.need_signal AS s WHERE s.need = %(need)s)
        AND (%(day)s::date IS NULL
            OR (coalesce(e.occurred_on, '-infinity'), e.record_id, e.signal_key) < (%(day)s::date, %(record)s::bigint, %(key)s))
    ORDER BY day DESC, e.record_id DESC, e.signal_key DESC
    LIMIT %(limit)s
) AS e
JOIN core.need_signal AS s ON s.signal_key = e.signal_key
JOIN core.published_interaction AS i ON i.record_id = e.record_id AND i.client_id = %(client_id)s
ORDER BY e.day DESC, e.record_id DESC, e.signal_key DESC

-- name: segments
-- In which segments of the served schemes the client is, and which it has left, the latest first.
SELECT c.scheme, s.basis, s.label_en AS scheme_label_en, s.label_ru AS scheme_label_ru, c.segment, g.label_en, g.label_ru,
    g.policy, c.entered_at, c.entered_reason, c.probability, c.runner_up, r.label_en AS runner_up_label_en,
    r.label_ru AS runner_up_label_ru, c.runner_up_probability, c.left_at, c.left_reason
FROM core.client_segment AS c
JOIN core.segment_scheme AS s ON s.scheme = c.scheme AND s.is_served
LEFT JOIN core.segment AS g ON g.scheme = c.scheme AND g.segment = c.segment
LEFT JOIN core.segment AS r ON r.scheme = c.scheme AND r.segment = c.runner_up
WHERE c.client_id = %(client_id)s
ORDER BY c.left_at IS NOT NULL, s.basis <> 'needs', c.scheme COLLATE "C", c.entered_at DESC
LIMIT %(limit)s
