-- What is measured of clients (metrics.py): observations are summed by client and month, and only differences are
-- written.

-- name: make_found
-- Of one session: definitions write into it in a transaction that can write nothing else.
CREATE TEMP TABLE metric_found (
    client_id uuid NOT NULL, metric text NOT NULL, month date NOT NULL, observations integer NOT NULL,
    total numeric NOT NULL, weight numeric NOT NULL, squares numeric NOT NULL,
    -- PostgreSQL orders infinity and NaN after every number.
    CONSTRAINT numbers_below_1e22 CHECK (abs(total) < 1e22 AND abs(weight) < 1e22 AND squares < 1e44)
)

-- name: drop_found
DROP TABLE IF EXISTS metric_found

-- name: let_in
GRANT SELECT, INSERT ON metric_found TO {role}

-- name: read_only
SET TRANSACTION READ ONLY

-- name: role
SET LOCAL ROLE {role}

-- name: limit_time
SELECT set_config('statement_timeout', %(milliseconds)s::text, true), set_config('search_path', 'pg_catalog, pg_temp', true)

-- name: observe
-- Around the user's SELECT, of all clients or of some; a comment that named it would be filled with it.
INSERT INTO pg_temp.metric_found (client_id, metric, month, observations, total, weight, squares)
WITH hub_day (today) AS (VALUES ({today}::date)), mailing AS ({mailing}), promise AS ({promise})
SELECT o.client_id, {metric}, o.month, count(*), sum(o.value), sum(o.weight), sum(o.value * o.value)
FROM (
    SELECT q.client_id::uuid AS client_id, date_trunc('month', q.occurred_on)::date AS month, {value} AS value,
        {weight} AS weight
    FROM (
        {definition}
    ) AS q
    WHERE q.client_id IS NOT NULL AND q.occurred_on IS NOT NULL AND q.value IS NOT NULL {among}
) AS o
WHERE o.weight IS NOT NULL
GROUP BY o.client_id, o.month

-- name: explain
EXPLAIN {statement}

-- name: columns
WITH hub_day (today) AS (VALUES ({today}::date)), mailing AS ({mailing}), promise AS ({promise})
SELECT * FROM (
    {definition}
) AS q LIMIT 0

-- name: analyse_found
ANALYZE metric_found

-- name: index_found
CREATE UNIQUE INDEX ON metric_found (client_id, metric, month)

-- name: touched
SELECT client_id FROM need_client

-- name: take_touched
CREATE TEMP TABLE need_client ON COMMIT DROP AS SELECT unnest(%(clients)s::uuid[]) AS client_id

-- name: analyse_touched
ANALYZE need_client

-- name: drop_months
-- Of suppliers, staff and those who are gone nothing is measured.
DELETE FROM core.client_metric_month AS t
WHERE {in_scope} AND t.metric <> ALL (%(failed)s::text[]) AND NOT EXISTS (
    SELECT FROM metric_found AS n
    JOIN core.client AS c ON c.client_id = n.client_id AND NOT c.is_deleted AND c.role IN ('client', 'prospect')
    WHERE n.client_id = t.client_id AND n.metric = t.metric AND n.month = t.month
)

-- name: drop_failed
DELETE FROM core.client_metric_month WHERE metric = ANY (%(failed)s::text[])

-- name: change_months
UPDATE core.client_metric_month AS t
SET observations = n.observations, total = n.total, weight = n.weight, squares = n.squares
FROM metric_found AS n
WHERE n.client_id = t.client_id AND n.metric = t.metric AND n.month = t.month
    AND (t.observations, t.total, t.weight, t.squares) IS DISTINCT FROM (n.observations, n.total, n.weight, n.squares)

-- name: add_months
INSERT INTO core.client_metric_month (client_id, metric, month, observations, total, weight, squares)
SELECT n.client_id, n.metric, n.month, n.observations, n.total, n.weight, n.squares
FROM metric_found AS n
JOIN core.client AS c ON c.client_id = n.client_id AND NOT c.is_deleted AND c.role IN ('client', 'prospect')
ON CONFLICT DO NOTHING

-- name: sums
-- By place: observations, clients, and over clients the sums that an interval asks for.
WITH client_sum AS (
    SELECT m.client_id, m.metric, sum(m.observations) AS n, sum(m.total) AS t, sum(m.weight) AS w
    FROM core.client_metric_month AS m
    GROUP BY m.client_id, m.metric
), placed AS (
    SELECT s.metric, 'hub' AS scope, NULL::date AS month, NULL::text AS scheme, NULL::text AS segment, s.n, s.t, s.w
    FROM client_sum AS s
    UNION ALL
    SELECT s.metric, 'segment', NULL, b.scheme, b.segment, s.n, s.t, s.w
    FROM client_sum AS s
    JOIN core.client_segment AS b ON b.client_id = s.client_id AND b.left_at IS NULL AND b.segment IS NOT NULL
    JOIN core.segment_scheme AS c ON c.scheme = b.scheme AND c.is_served
    UNION ALL
    SELECT m.metric, 'month', m.month, NULL, NULL, m.observations, m.total, m.weight
    FROM core.client_metric_month AS m
)
SELECT p.metric, p.scope, p.month, p.scheme, p.segment, sum(p.n)::bigint AS n, count(*) AS m, sum(p.t) AS t,
    sum(p.w) AS w, sum(p.t * p.t) AS tt, sum(p.t * p.w) AS tw, sum(p.w * p.w) AS ww
FROM placed AS p
GROUP BY p.metric, p.scope, p.month, p.scheme, p.segment

-- name: standing
-- What sums are made of, in short: how many rows, and who came to and left which segments.
SELECT md5(concat_ws(' ', (SELECT count(*) FROM core.client_metric_month),
    (SELECT string_agg(s.scheme, ',' ORDER BY s.scheme COLLATE "C") FROM core.segment_scheme AS s WHERE s.is_served),
    count(*), extract(epoch FROM max(b.entered_at)), extract(epoch FROM max(b.left_at))))::uuid
FROM core.client_segment AS b

-- name: metrics
SELECT metric, version, label_en, label_ru, perspective, unit, direction AS better, kind AS aggregation,
    types AS interaction_types, breakdowns, minimum, minimum_per_client, definition, is_available, why_en, why_ru
FROM core.metric
ORDER BY perspective COLLATE "C", metric COLLATE "C"

-- name: values
SELECT metric, place, scope, month::text, scheme, segment, version, observations, clients, value, low, high
FROM core.metric_value
ORDER BY metric COLLATE "C", scope COLLATE "C", month, scheme COLLATE "C", segment COLLATE "C"

-- name: of_client
SELECT c.metric, m.label_en, m.label_ru, m.perspective, m.unit, m.good_is AS better, c.observations, c.value, c.low, c.high,
    v.value AS of_all
FROM onefold_v1.client_metric AS c
JOIN onefold_v1.metric AS m ON m.metric = c.metric
LEFT JOIN core.metric_value AS v ON v.metric = c.metric AND v.place = 'hub'
WHERE c.client_id = %(client_id)s
ORDER BY m.perspective COLLATE "C", c.metric COLLATE "C"

-- name: grounds
-- Of each client who bought in the two years before a day: the band of a ground then, the stratum of volume (whole
-- binary logarithm of the purchases), and whether it bought in the year after the day, once or more often.
SELECT g.metric, g.band, b.stratum, count(*)::integer AS clients,
    (count(*) FILTER (WHERE b.after >= 1))::integer AS retained, (count(*) FILTER (WHERE b.after >= 2))::integer AS repeated
FROM (
    SELECT m.client_id, m.metric,
        CASE
            WHEN sum(m.total) >= sum(m.weight) THEN 3 WHEN sum(m.total) >= 0.8 * sum(m.weight) THEN 2
            WHEN sum(m.total) >= 0.5 * sum(m.weight) THEN 1 ELSE 0
        END AS band
    FROM core.client_metric_month AS m
    WHERE m.metric = ANY (%(grounds)s::text[]) AND m.month >= date_trunc('month', %(since)s::date - 730)
        AND m.month < date_trunc('month', %(since)s::date)
    GROUP BY m.client_id, m.metric
    HAVING sum(m.observations) >= %(minimum)s
) AS g
JOIN (
    SELECT r.client_id,
        floor(log(2.0, (count(*) FILTER (WHERE r.occurred_on <= %(since)s::date))::numeric))::integer AS stratum,
        count(*) FILTER (WHERE r.occurred_on > %(since)s::date) AS after
    FROM onefold_v1.fct_revenue AS r
    WHERE r.measure IN ('ordered', 'invoiced') AND NOT r.is_deleted
        AND r.occurred_on > %(since)s::date - 730 AND r.occurred_on <= %(since)s::date + 365
    GROUP BY r.client_id
    HAVING count(*) FILTER (WHERE r.occurred_on <= %(since)s::date) > 0
) AS b ON b.client_id = g.client_id
GROUP BY g.metric, g.band, b.stratum

-- name: loyalty
SELECT ground, outcome AS loyalty, since::text AS split_on, clients, difference, low, high, trend_p, verdict, why_en, why_ru
FROM core.loyalty
ORDER BY ground COLLATE "C", outcome COLLATE "C" DESC

-- name: loyalty_bands
SELECT ground, loyalty, band, label_en, label_ru, clients, came_back, share, low, high
FROM onefold_v1.loyalty_band
ORDER BY ground COLLATE "C", loyalty COLLATE "C" DESC, band

-- name: clear
DELETE FROM core.{table}
