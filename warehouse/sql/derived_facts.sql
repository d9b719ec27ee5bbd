-- What follows from facts, for those that publish is about to write (temporary table moved_fact of facts.sql).

-- name: analyse
ANALYZE moved_fact

-- name: report_again
-- Published in another reporting currency, and queued for this one.
INSERT INTO moved_fact (record_id, client_id, changed_seq, seen)
SELECT i.record_id, i.client_id, i.changed_seq, i.xmin
FROM core.interaction AS i
WHERE i.record_id = ANY (%(record_ids)s::bigint[]) AND i.changed_seq IS NOT NULL
    AND i.reporting_currency IS DISTINCT FROM %(currency)s
    AND NOT EXISTS (SELECT FROM moved_fact AS m WHERE m.record_id = i.record_id)

-- name: is_concerned
SELECT EXISTS (SELECT FROM moved_fact WHERE record_id IS NOT NULL)
    OR EXISTS (SELECT FROM waiting_rate)
    OR EXISTS (
        SELECT FROM core.interaction
        WHERE record_id = ANY (%(record_ids)s::bigint[]) AND amount IS NOT NULL AND reporting_amount IS NULL
            AND changed_seq IS NOT NULL AND NOT is_deleted
    )

-- name: start_chains
-- Interactions that name a parent. All others are the top of their chain.
CREATE TEMP TABLE linked ON COMMIT DROP AS
SELECT i.record_id, i.parent_record_id, 0 AS level
FROM moved_fact AS m
JOIN core.interaction AS i ON i.record_id = m.record_id
WHERE i.parent_record_id IS NOT NULL

-- name: index_linked
CREATE UNIQUE INDEX ON linked (record_id)

-- name: children_of_moved
INSERT INTO linked
SELECT c.record_id, c.parent_record_id, 1
FROM moved_fact AS m
JOIN core.interaction AS c ON c.parent_record_id = m.record_id
WHERE NOT EXISTS (SELECT FROM linked AS l WHERE l.record_id = c.record_id)

-- name: children_of_level
INSERT INTO linked
SELECT c.record_id, c.parent_record_id, %(level)s::integer + 1
FROM linked AS p
JOIN core.interaction AS c ON c.parent_record_id = p.record_id
WHERE p.level = %(level)s AND NOT EXISTS (SELECT FROM linked AS l WHERE l.record_id = c.record_id)

-- name: find_tops
-- A parent outside has its top already; one that has not come is the top itself, so that its children are together.
CREATE TEMP TABLE climbed ON COMMIT DROP AS
SELECT l.record_id, l.level, l.record_id AS lowest,
    CASE
        WHEN q.record_id IS NULL AND p.parent_record_id IS NOT NULL THEN coalesce(p.chain_id, p.record_id)
        ELSE l.parent_record_id
    END AS top
FROM linked AS l
LEFT JOIN core.interaction AS p ON p.record_id = l.parent_record_id
LEFT JOIN linked AS q ON q.record_id = l.parent_record_id

-- name: index_climbed
CREATE UNIQUE INDEX ON climbed (record_id)

-- name: climb
-- Each step doubles the distance. What stands in a ring never arrives; `lowest` then is the lowest id of the ring.
UPDATE climbed AS a SET top = b.top, lowest = least(a.lowest, b.lowest)
FROM climbed AS b
WHERE b.record_id = a.top

-- name: found_chains
CREATE TEMP TABLE found_chain ON COMMIT DROP AS
SELECT a.record_id, a.level, coalesce(b.lowest, a.top) AS chain_id
FROM climbed AS a
LEFT JOIN climbed AS b ON b.record_id = a.top

-- name: add_moved_chains
INSERT INTO moved_fact (record_id, client_id, changed_seq, seen)
SELECT i.record_id, i.client_id, i.changed_seq, i.xmin
FROM found_chain AS f
JOIN core.interaction AS i ON i.record_id = f.record_id
WHERE f.level > 0 AND i.chain_id IS DISTINCT FROM f.chain_id AND i.changed_seq IS NOT NULL

-- name: start_reversals
-- Interactions that take back, or took back, another one: those that moved, and those whose original did.
CREATE TEMP TABLE reversing ON COMMIT DROP AS
SELECT i.record_id, i.reverses_record_id, i.reversal_of AS was_of, t.record_id AS reversal_of
FROM (
    SELECT i.record_id, i.reverses_record_id, i.reversal_of
    FROM moved_fact AS m
    JOIN core.interaction AS i ON i.record_id = m.record_id
    WHERE i.reverses_record_id IS NOT NULL OR i.reversal_of IS NOT NULL
    UNION
    SELECT i.record_id, i.reverses_record_id, i.reversal_of
    FROM moved_fact AS m
    JOIN core.interaction AS i ON i.reverses_record_id = m.record_id
) AS i
LEFT JOIN core.interaction AS t ON t.record_id = i.reverses_record_id AND t.record_id <> i.record_id

-- name: start_reversed
-- A reversal without an amount takes everything back; none takes back more than there was.
CREATE TEMP TABLE reversed ON COMMIT DROP AS
SELECT t.record_id, array_agg(r.record_id ORDER BY r.record_id) FILTER (WHERE r.record_id IS NOT NULL) AS reversed_by,
    CASE
        WHEN count(r.record_id) = 0 THEN NULL
        WHEN bool_or(r.amount IS NULL) THEN abs(t.amount)
        ELSE least(abs(t.amount), coalesce(sum(abs(r.amount)) FILTER (WHERE r.currency = t.currency), 0))
    END AS reversed_amount
FROM (
    SELECT reversal_of AS record_id FROM reversing WHERE reversal_of IS NOT NULL
    UNION
    SELECT was_of FROM reversing WHERE was_of IS NOT NULL
) AS w
JOIN core.interaction AS t ON t.record_id = w.record_id
LEFT JOIN core.interaction AS r
    ON r.reverses_record_id = t.record_id AND r.record_id <> t.record_id AND NOT r.is_deleted
GROUP BY t.record_id, t.amount

-- name: add_moved_reversals
INSERT INTO moved_fact (record_id, client_id, changed_seq, seen)
SELECT i.record_id, i.client_id, i.changed_seq, i.xmin
FROM (
    SELECT g.record_id FROM reversing AS g WHERE g.was_of IS DISTINCT FROM g.reversal_of
    UNION
    SELECT v.record_id
    FROM reversed AS v
    JOIN core.interaction AS t ON t.record_id = v.record_id
    WHERE (t.reversed_by, t.reversed_amount) IS DISTINCT FROM (v.reversed_by, v.reversed_amount)
) AS w
JOIN core.interaction AS i ON i.record_id = w.record_id
WHERE i.changed_seq IS NOT NULL AND NOT EXISTS (SELECT FROM moved_fact AS m WHERE m.record_id = i.record_id)

-- name: start_rates
-- The last rate on the day of the document or before it, stated either way round; a rate once taken stays. New rates
-- are for the documents too that had none.
CREATE TEMP TABLE found_rate ON COMMIT DROP AS
WITH wanted AS MATERIALIZED (
    SELECT i.record_id, i.currency, i.occurred_on
    FROM moved_fact AS m
    JOIN core.interaction AS i ON i.record_id = m.record_id
    WHERE i.amount IS NOT NULL AND i.currency <> %(currency)s AND i.occurred_on IS NOT NULL
        AND (i.rate IS NULL OR i.reporting_currency IS DISTINCT FROM %(currency)s)
    UNION
    SELECT i.record_id, i.currency, i.occurred_on
    FROM core.interaction AS i
    WHERE i.record_id = ANY (%(record_ids)s::bigint[]) AND i.amount IS NOT NULL AND i.currency <> %(currency)s
        AND i.reporting_amount IS NULL AND i.changed_seq IS NOT NULL AND NOT i.is_deleted
    UNION
    SELECT i.record_id, i.currency, i.occurred_on
    FROM waiting_rate AS w
    JOIN core.exchange_rate AS r ON r.record_id = w.record_id
    JOIN core.interaction AS i
        ON i.currency = CASE r.to_currency WHEN %(currency)s THEN r.from_currency ELSE r.to_currency END
        AND i.occurred_on BETWEEN r.on_date AND r.on_date + %(days)s::integer
    WHERE %(currency)s IN (r.from_currency, r.to_currency) AND i.amount IS NOT NULL
        AND i.reporting_amount IS NULL AND i.changed_seq IS NOT NULL AND NOT i.is_deleted
), asked AS (
    SELECT DISTINCT currency, occurred_on FROM wanted
), answered AS MATERIALIZED (
    SELECT a.currency, a.occurred_on, f.rate, f.on_date
    FROM asked AS a
    CROSS JOIN LATERAL (
        SELECT r.on_date, r.source, r.stream, r.source_key,
            CASE r.to_currency
                WHEN %(currency)s THEN round(r.rate / r.nominal, 15)
                ELSE round(r.nominal / r.rate, 15)
            END AS rate
        FROM core.exchange_rate AS r
        WHERE (
                (r.from_currency = a.currency AND r.to_currency = %(currency)s)
                OR (r.from_currency = %(currency)s AND r.to_currency = a.currency)
            )
            AND r.on_date BETWEEN a.occurred_on - %(days)s::integer AND a.occurred_on
            AND NOT r.is_deleted
        ORDER BY r.on_date DESC, r.to_currency = %(currency)s DESC, r.source COLLATE "C", r.stream COLLATE "C",
            r.source_key COLLATE "C"
        LIMIT 1
    ) AS f
)
SELECT w.record_id, a.rate, a.on_date
FROM wanted AS w
JOIN answered AS a ON a.currency = w.currency AND a.occurred_on = w.occurred_on

-- name: add_moved_rates
INSERT INTO moved_fact (record_id, client_id, changed_seq, seen)
SELECT i.record_id, i.client_id, i.changed_seq, i.xmin
FROM found_rate AS f
JOIN core.interaction AS i ON i.record_id = f.record_id
WHERE i.changed_seq IS NOT NULL AND NOT EXISTS (SELECT FROM moved_fact AS m WHERE m.record_id = f.record_id)

-- name: gather
-- One row for each interaction where something was found, for the one statement that writes them.
CREATE TEMP TABLE derived_fact ON COMMIT DROP AS
SELECT record_id, c.chain_id, g.record_id IS NOT NULL AS is_reversing, g.reversal_of, v.record_id IS NOT NULL AS is_target,
    v.reversed_by, v.reversed_amount, r.rate, r.on_date AS rate_on
FROM found_chain AS c
FULL JOIN reversing AS g USING (record_id)
FULL JOIN reversed AS v USING (record_id)
FULL JOIN found_rate AS r USING (record_id)

-- name: nothing
CREATE TEMP TABLE derived_fact (
    record_id bigint, chain_id bigint, is_reversing boolean, reversal_of bigint, is_target boolean,
    reversed_by bigint[], reversed_amount numeric, rate numeric, rate_on date
) ON COMMIT DROP

-- name: drop
DROP TABLE linked, climbed, found_chain, reversing, reversed, found_rate

-- name: drop_derived
DROP TABLE derived_fact, waiting_rate

-- name: find_waiting_rates
CREATE TEMP TABLE waiting_rate ON COMMIT DROP AS
SELECT record_id, xmin AS seen FROM core.exchange_rate WHERE changed_seq IS NULL

-- name: publish_rates
-- One that came or changed meanwhile is looked at with its own entry in the queue.
UPDATE core.exchange_rate AS r SET changed_seq = %(seq)s, served = NULL
FROM waiting_rate AS w
WHERE r.record_id = w.record_id AND r.xmin = w.seen

-- name: reporting
SELECT currency, rate_days FROM core.reporting

-- name: store_reporting
INSERT INTO core.reporting (currency, rate_days) VALUES (%(currency)s, %(days)s)
ON CONFLICT (is_only) DO UPDATE SET currency = excluded.currency, rate_days = excluded.rate_days

-- name: report_anew
-- Whatever was published in another currency; and amounts without a rate, where it may be older now.
INSERT INTO ops.pending (step, record_id)
SELECT 'publish', record_id FROM core.interaction
WHERE changed_seq IS NOT NULL
    AND (reporting_currency IS DISTINCT FROM %(currency)s OR (amount IS NOT NULL AND reporting_amount IS NULL))

-- name: missing_rates
SELECT i.currency, count(*) AS interactions, min(i.occurred_on)::text AS first_on, max(i.occurred_on)::text AS last_on
FROM core.interaction AS i
WHERE i.amount IS NOT NULL AND i.reporting_amount IS NULL AND i.changed_seq IS NOT NULL AND NOT i.is_deleted
GROUP BY i.currency
ORDER BY i.currency

-- name: has_rates
SELECT EXISTS (SELECT FROM core.exchange_rate)

-- name: end_rates
-- Readers see it as it was published until this is, here and below.
UPDATE core.exchange_rate AS r
SET is_deleted = true, changed_seq = NULL, served = CASE WHEN changed_seq IS NULL THEN served ELSE to_jsonb(r) END
WHERE record_id = ANY (%(record_ids)s::bigint[]) AND NOT is_deleted
    AND NOT record_id IN (SELECT record_id FROM stated_rate)
RETURNING record_id

-- name: change_rates
UPDATE core.exchange_rate AS r
SET from_currency = s.from_currency, to_currency = s.to_currency, on_date = s.on_date, rate = s.rate,
    nominal = s.nominal, is_deleted = false, changed_seq = NULL,
    served = CASE WHEN r.changed_seq IS NULL THEN r.served ELSE to_jsonb(r) END
FROM stated_rate AS s
WHERE r.record_id = s.record_id
    AND (r.from_currency, r.to_currency, r.on_date, r.rate, r.nominal, r.is_deleted)
        IS DISTINCT FROM (s.from_currency, s.to_currency, s.on_date, s.rate, s.nominal, false)
RETURNING r.record_id

-- name: add_rates
INSERT INTO core.exchange_rate (
    record_id, source, stream, source_key, from_currency, to_currency, on_date, rate, nominal
)
SELECT s.record_id, s.source, s.stream, s.source_key, s.from_currency, s.to_currency, s.on_date, s.rate, s.nominal
FROM stated_rate AS s
WHERE NOT EXISTS (SELECT FROM core.exchange_rate AS r WHERE r.record_id = s.record_id)
RETURNING record_id
