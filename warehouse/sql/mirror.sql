-- What the clients of a scheme got, read over the served views: of each client one row for each outcome.

-- name: clients
-- first_on: of the first dealing ever on its own account.
-- Who is in the scheme now, or surely in none of its segments: of those that are unknown for another reason many belong
-- to one, and would be compared with it.
CREATE TEMP TABLE mirror_client ON COMMIT DROP AS
SELECT (row_number() OVER (ORDER BY b.client_id) - 1)::bigint AS place, b.client_id, b.segment,
    coalesce(c.country || ' ', '') || coalesce(c.region, c.city) AS region, f.first_on
FROM onefold_v1.bridge_client_segment AS b
JOIN onefold_v1.dim_client AS c ON c.client_id = b.client_id AND NOT c.is_deleted
LEFT JOIN (
    SELECT i.client_id, min(i.occurred_on) AS first_on
    FROM onefold_v1.fct_interaction AS i
    JOIN onefold_v1.dim_interaction_type AS t ON t.type = i.type
    WHERE NOT i.is_deleted AND coalesce(i.is_counted, true)
        AND (t.money IN ('ordered', 'invoiced') OR coalesce(i.direction, t.direction) = 'inbound')
    GROUP BY i.client_id
) AS f ON f.client_id = b.client_id
WHERE b.scheme = %(scheme)s AND b.is_current AND b.entered_reason NOT IN ('few', 'close')
-- Ids are as good as drawn by lot.
ORDER BY b.client_id
LIMIT %(most)s

-- name: analyse_clients
ANALYZE mirror_client

-- name: read_clients
SELECT m.place, m.segment, m.region, m.first_on FROM mirror_client AS m ORDER BY m.place

-- name: drop_clients
DROP TABLE mirror_client

-- name: business
-- What clients deal with the company on their own account; what it sends them is what they get. Years: since the first.
SELECT m.place, count(*) AS dealings, coalesce(sum(i.reporting_amount) FILTER (WHERE t.money IN ('ordered', 'invoiced')), 0)::double precision AS amount,
    count(*) FILTER (WHERE t.money IN ('ordered', 'invoiced')) AS sales,
    (%(until)s::date - min(i.occurred_on))::double precision / 365.25 AS years
FROM mirror_client AS m
JOIN onefold_v1.fct_interaction AS i ON i.client_id = m.client_id AND NOT i.is_deleted
JOIN onefold_v1.dim_interaction_type AS t ON t.type = i.type
WHERE i.occurred_on >= %(since)s AND i.occurred_on < %(until)s AND coalesce(i.is_counted, true)
    AND (t.money IN ('ordered', 'invoiced') OR coalesce(i.direction, t.direction) = 'inbound')
GROUP BY m.place

-- name: items
-- Which of the items that most clients take, and how large a part of a client's lines each is.
WITH line AS MATERIALIZED (
    SELECT m.place, lower(coalesce(l.item_code, l.item_name)) AS item, count(*) AS lines
    FROM mirror_client AS m
    JOIN onefold_v1.fct_interaction_line AS l ON l.client_id = m.client_id AND NOT l.is_deleted
    WHERE l.occurred_on >= %(since)s AND l.occurred_on < %(until)s AND coalesce(l.item_code, l.item_name) IS NOT NULL
    GROUP BY m.place, 2
), frequent AS (
    SELECT f.item, row_number() OVER (ORDER BY f.clients DESC, f.item COLLATE "C") - 1 AS item_place
    FROM (SELECT l.item, count(*) AS clients FROM line AS l GROUP BY l.item HAVING count(*) >= %(fewest)s) AS f
    ORDER BY 2
    LIMIT %(most)s
)
SELECT l.place, f.item_place, (l.lines / t.lines)::double precision AS share
FROM line AS l
JOIN frequent AS f ON f.item = l.item
JOIN (SELECT l.place, sum(l.lines) AS lines FROM line AS l GROUP BY l.place) AS t ON t.place = l.place

-- name: days
-- Half a day more, so that the same day has a logarithm. What has not ended yet is left out. {met}: which dealings.
-- What the client writes on its own matter ends nothing, unless it is always the client who does such a thing.
SELECT d.place, avg(ln(greatest(d.days, 0) + 0.5))::double precision AS value, count(*) AS dealings
FROM (
    SELECT m.place, least(chain.days, promised.actual_on - i.occurred_on) AS days
    FROM mirror_client AS m
    JOIN onefold_v1.fct_interaction AS i ON i.client_id = m.client_id AND NOT i.is_deleted
    LEFT JOIN (
        SELECT s.parent_record_id, min(coalesce(s.hours_elapsed / 24, s.days_elapsed)) AS days
        FROM onefold_v1.fct_chain_step AS s
        JOIN onefold_v1.fct_interaction AS e ON e.record_id = s.record_id
        JOIN onefold_v1.dim_interaction_type AS t ON t.type = s.to_type
        WHERE s.from_type = ANY (%(types)s::text[]) AND s.from_on >= %(since)s AND s.from_on < %(until)s
            AND s.to_type = ANY (%(ends)s::text[]) AND NOT s.is_deleted
            AND (e.direction IS DISTINCT FROM 'inbound' OR t.direction = 'inbound')
        GROUP BY s.parent_record_id
    ) AS chain ON chain.parent_record_id = i.record_id
    LEFT JOIN (
        SELECT p.record_id, min(p.actual_on) AS actual_on
        FROM onefold_v1.fct_promise AS p
        JOIN onefold_v1.fct_interaction AS o ON o.record_id = p.record_id
        WHERE p.type = ANY (%(types)s::text[]) AND o.occurred_on >= %(since)s AND o.occurred_on < %(until)s
            AND p.kind = %(promise)s AND p.actual_on IS NOT NULL AND NOT p.is_deleted
        GROUP BY p.record_id
    ) AS promised ON promised.record_id = i.record_id
    WHERE i.type = ANY (%(types)s::text[]) AND i.occurred_on >= %(since)s AND i.occurred_on < %(until)s AND {met}
) AS d
WHERE d.days IS NOT NULL
GROUP BY d.place

-- name: share
SELECT m.place, avg(({met})::integer)::double precision AS value, count(*) AS dealings
FROM mirror_client AS m
JOIN onefold_v1.fct_interaction AS i ON i.client_id = m.client_id AND NOT i.is_deleted
WHERE i.type = ANY (%(types)s::text[]) AND i.occurred_on >= %(since)s AND i.occurred_on < %(until)s
GROUP BY m.place

-- name: rate
-- From the first dealing on, as its years are counted.
SELECT m.place, count(*)::double precision AS value, count(*) AS dealings
FROM mirror_client AS m
JOIN onefold_v1.fct_interaction AS i ON i.client_id = m.client_id AND NOT i.is_deleted
WHERE i.type = ANY (%(types)s::text[]) AND i.occurred_on >= %(since)s AND i.occurred_on < %(until)s AND i.occurred_on >= m.first_on AND {met}
GROUP BY m.place

-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended('onefold mirror', 0))

-- name: forget
DELETE FROM core.segment_mirror WHERE scheme <> ALL (%(schemes)s::text[])

-- name: forget_scheme
DELETE FROM core.segment_mirror WHERE scheme = %(scheme)s

-- name: verdicts
SELECT segment, outcome, verdict, former_verdict FROM core.segment_mirror WHERE scheme = %(scheme)s

-- name: decayed
SELECT m.scheme, m.segment, g.label_en AS segment_en, g.label_ru AS segment_ru, m.outcome, m.label_en, m.label_ru,
    m.looked_at::text
FROM core.segment_mirror AS m
JOIN core.segment AS g ON g.scheme = m.scheme AND g.segment = m.segment
JOIN core.segment_scheme AS s ON s.scheme = m.scheme AND s.is_served
WHERE m.verdict = 'decorative' AND m.former_verdict = 'as_promised'
ORDER BY m.scheme COLLATE "C", g.position, m.position

-- name: found
SELECT v.scheme, v.segment, v.segment_label_en, v.segment_label_ru, v.outcome, v.label_en, v.label_ru, v.measure,
    v.is_less_better, v.is_promised, v.verdict, v.clients, v.compared, v.typical, v.typical_elsewhere, v.difference,
    v.difference_low, v.difference_high, v.p_value, v.meets_promise, v.effect, v.effect_difference, v.effect_low,
    v.effect_high, v.since_on::text, v.looked_at::text
FROM onefold_v1.segment_mirror AS v
JOIN core.segment AS g ON g.scheme = v.scheme AND g.segment = v.segment
ORDER BY v.scheme COLLATE "C", g.position, v.position
