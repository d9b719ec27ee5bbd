-- Schemes, segments, and in which of them clients are: only differences are written, and what was stays, dated.

-- name: known
SELECT scheme, basis, is_served FROM core.segment_scheme

-- name: schemes
SELECT s.scheme, s.basis, s.label_en, s.label_ru, s.owner, s.review_on::text, s.is_served, s.checked_at::text, s.figures,
    (SELECT count(*) FROM core.client_segment AS c WHERE c.scheme = s.scheme AND c.left_at IS NULL AND c.segment IS NOT NULL)
        AS assigned,
    (SELECT count(*) FROM core.client_segment AS c WHERE c.scheme = s.scheme AND c.left_at IS NULL AND c.segment IS NULL)
        AS unknown
FROM core.segment_scheme AS s
ORDER BY s.scheme COLLATE "C"

-- name: segments
SELECT g.scheme, g.segment, g.label_en, g.label_ru, g.needs, g.policy, g.policy_field, g.policy_test, g.policy_value,
    g.policy_from::text,
    (SELECT count(*) FROM core.client_segment AS c
     WHERE c.scheme = g.scheme AND c.segment = g.segment AND c.left_at IS NULL) AS clients
FROM core.segment AS g
ORDER BY g.scheme COLLATE "C", g.position

-- name: forget_segments
DELETE FROM core.segment WHERE scheme = %(scheme)s

-- name: forget_scheme
DELETE FROM core.segment_scheme WHERE scheme = %(scheme)s

-- name: store_scheme
INSERT INTO core.segment_scheme (scheme, basis, label_en, label_ru, owner, review_on, is_served, checked_at, figures)
VALUES (%(scheme)s, %(basis)s, %(label_en)s, %(label_ru)s, %(owner)s, %(review_on)s, %(is_served)s, %(checked_at)s,
    %(figures)s)

-- name: store_segment
INSERT INTO core.segment (scheme, segment, position, label_en, label_ru, needs, policy, policy_field, policy_test,
    policy_value, policy_from)
VALUES (%(scheme)s, %(segment)s, %(position)s, %(label_en)s, %(label_ru)s, %(needs)s, %(policy)s, %(policy_field)s,
    %(policy_test)s, %(policy_value)s, %(policy_from)s)

-- name: close
WITH moved AS (
    UPDATE core.client_segment AS t
    SET left_at = %(at)s, left_reason = coalesce(%(why)s::text, n.entered_reason)
    FROM new_segment AS n
    WHERE n.client_id = t.client_id AND t.scheme = %(scheme)s AND t.left_at IS NULL
        AND n.segment IS DISTINCT FROM t.segment
    RETURNING t.segment
)
SELECT segment, count(*) FROM moved GROUP BY segment

-- name: close_gone
WITH moved AS (
    UPDATE core.client_segment AS t
    SET left_at = %(at)s, left_reason = coalesce(%(why)s::text, 'gone')
    FROM {scope}
    WHERE {in_scope} AND t.scheme = %(scheme)s AND t.left_at IS NULL
        AND NOT EXISTS (SELECT FROM new_segment AS n WHERE n.client_id = t.client_id)
    RETURNING t.segment
)
SELECT segment, count(*) FROM moved GROUP BY segment

-- name: refresh
UPDATE core.client_segment AS t
SET (entered_reason, probability, runner_up, runner_up_probability) =
    ROW(n.entered_reason, n.probability, n.runner_up, n.runner_up_probability)
FROM new_segment AS n
WHERE n.client_id = t.client_id AND t.scheme = %(scheme)s AND t.left_at IS NULL
    AND (t.entered_reason, t.probability, t.runner_up, t.runner_up_probability)
    IS DISTINCT FROM (n.entered_reason, n.probability, n.runner_up, n.runner_up_probability)

-- name: open
-- A client that left at this very moment enters just behind it.
WITH moved AS (
    INSERT INTO core.client_segment (client_id, scheme, entered_at, segment, entered_reason, probability, runner_up,
        runner_up_probability)
    SELECT n.client_id, %(scheme)s, %(at)s, n.segment, n.entered_reason, n.probability, n.runner_up,
        n.runner_up_probability
    FROM new_segment AS n
    ON CONFLICT DO NOTHING
    RETURNING segment
)
SELECT segment, count(*) FROM moved GROUP BY segment

-- name: size_segments
-- By how many clients more or fewer; all are counted where nobody has counted them yet.
UPDATE core.segment AS g
SET clients = {known} + coalesce((%(more)s::jsonb ->> g.segment)::bigint, 0)
WHERE g.scheme = %(scheme)s AND (g.clients IS NULL OR %(is_whole)s OR %(more)s::jsonb ? g.segment)

-- name: size_of_segment
coalesce(g.clients, (
    SELECT count(*) FROM core.client_segment AS c
    WHERE c.scheme = g.scheme AND c.segment = g.segment AND c.left_at IS NULL
) - coalesce((%(more)s::jsonb ->> g.segment)::bigint, 0))

-- name: size_unknown
UPDATE core.segment_scheme AS s
SET unknown = {known} + %(unknown)s::bigint
WHERE s.scheme = %(scheme)s AND (s.unknown IS NULL OR %(is_whole)s OR %(unknown)s::bigint <> 0)

-- name: size_of_unknown
coalesce(s.unknown, (
    SELECT count(*) FROM core.client_segment AS c WHERE c.scheme = s.scheme AND c.segment IS NULL AND c.left_at IS NULL
) - %(unknown)s::bigint)

-- name: sizes_of_new
SELECT segment, count(*) FROM new_segment GROUP BY segment

-- name: moment
-- After all that was entered or left before. {of}: whose.
SELECT greatest(%(now)s::timestamptz, max(greatest(t.entered_at, t.left_at)) + interval '1 microsecond')
FROM core.client_segment AS t
{of}

-- name: of_client
SELECT c.scheme, s.basis, c.segment, g.label_en, g.label_ru, c.entered_at::text, c.entered_reason, c.probability,
    c.runner_up, c.runner_up_probability, c.left_at::text, c.left_reason
FROM core.client_segment AS c
JOIN core.segment_scheme AS s ON s.scheme = c.scheme AND s.is_served
LEFT JOIN core.segment AS g ON g.scheme = c.scheme AND g.segment = c.segment
WHERE c.client_id = %(client_id)s
ORDER BY c.scheme COLLATE "C", c.entered_at

-- name: of_records
SELECT x.source || ':' || x.stream || ':' || x.source_key, b.segment
FROM onefold_v1.bridge_client_segment AS b
JOIN onefold_v1.xref_client_record AS x ON x.client_id = b.client_id AND NOT x.is_deleted
WHERE b.scheme = %(scheme)s AND b.is_current

-- name: figures
-- How lately, how often and for how much clients buy, as of a day.
CREATE TEMP TABLE client_figure ON COMMIT DROP AS
SELECT c.client_id, coalesce(d.dealings, 0) AS dealings, coalesce(d.dealings_12m, 0) AS dealings_12m,
    %(day)s::date - d.last_on AS days_since_last, %(day)s::date - d.first_on AS days_since_first,
    coalesce(r.amount, 0) AS amount, coalesce(r.amount_12m, 0) AS amount_12m
FROM core.client AS c
LEFT JOIN (
    SELECT i.client_id, count(*) AS dealings, max(i.occurred_on) AS last_on, min(i.occurred_on) AS first_on,
        count(*) FILTER (WHERE i.occurred_on > %(day)s::date - 365) AS dealings_12m
    FROM core.published_interaction AS i
    WHERE NOT i.is_deleted
    GROUP BY i.client_id
) AS d ON d.client_id = c.client_id
LEFT JOIN (
    SELECT v.client_id, sum(v.reporting_amount) AS amount,
        sum(v.reporting_amount) FILTER (WHERE v.occurred_on > %(day)s::date - 365) AS amount_12m
    FROM onefold_v1.fct_revenue AS v
    WHERE NOT v.is_deleted
    GROUP BY v.client_id
) AS r ON r.client_id = c.client_id
WHERE NOT c.is_deleted AND c.role IN ('client', 'prospect')
    AND c.client_id NOT IN (SELECT unnest(e.client_ids) FROM ops.erasure AS e WHERE e.lifted_at IS NULL)

-- name: by_figures
-- {segment}: the first one that fits.
CREATE TEMP TABLE new_segment ON COMMIT DROP AS
SELECT t.client_id, t.segment, CASE WHEN t.segment IS NULL THEN 'none' ELSE 'rule' END AS entered_reason,
    1::double precision AS probability, NULL::text AS runner_up, NULL::double precision AS runner_up_probability
FROM (SELECT f.client_id, {segment} AS segment FROM client_figure AS f) AS t

-- name: analyse_new
ANALYZE new_segment

-- name: drop_new
DROP TABLE new_segment

-- name: drop_figures
DROP TABLE client_figure
