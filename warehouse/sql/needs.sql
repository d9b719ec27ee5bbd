-- What clients need: dealings are counted and looked at, what is seen is weighed against what is expected, and only
-- differences are written. All amounts are whole millionths in doubles: their sums are exact in any order.

-- name: much_memory
SET LOCAL work_mem = '256MB'

-- name: all_cores
-- What is asked of each dealing takes far longer than handing it on.
SELECT set_config('parallel_setup_cost', '10', true), set_config('parallel_tuple_cost', '0.001', true)

-- name: by_hash
-- Of how many clients the dealings are the server does not know: it takes them for 200, and would look each of them up.
SET LOCAL enable_nestloop = off

-- name: by_choice
SET LOCAL enable_nestloop = DEFAULT

-- name: lexemes
-- The stems of each form, by the dictionaries with which the texts are read.
SELECT f.form, tsvector_to_array(to_tsvector('russian', f.form)) FROM unnest(%(forms)s::text[]) AS f (form)

-- name: touched
-- Clients of facts that were published since, before and after; clients that changed themselves; and whoever had a fact
-- that waits to be published again.
CREATE TEMP TABLE need_client ON COMMIT DROP AS
SELECT DISTINCT t.client_id FROM (
    SELECT i.client_id FROM core.interaction AS i WHERE i.changed_seq > %(after)s
    UNION ALL
    SELECT v.client_id
    FROM core.interaction AS i
    JOIN core.interaction_version AS v ON v.record_id = i.record_id AND v.ended_seq > %(after)s
    WHERE i.changed_seq > %(after)s
    UNION ALL
    SELECT v.client_id
    FROM core.interaction AS i
    JOIN core.interaction_version AS v ON v.record_id = i.record_id
    WHERE i.changed_seq IS NULL AND (v.ended_seq IS NULL OR v.ended_seq > %(after)s)
    UNION ALL
    SELECT c.client_id FROM core.client AS c WHERE c.changed_seq > %(after)s
) AS t
WHERE t.client_id IS NOT NULL

-- name: analyse_touched
ANALYZE need_client

-- name: last
CREATE TEMP TABLE need_last ON COMMIT DROP AS
SELECT c.client_id, d.last_on
FROM (
    SELECT i.client_id, max(i.occurred_on) AS last_on
    FROM {dealings}
    WHERE NOT i.is_deleted AND i.type = ANY (%(types)s::text[])
    GROUP BY i.client_id
) AS d
JOIN core.client AS c ON c.client_id = d.client_id AND NOT c.is_deleted AND c.role IN ('client', 'prospect')
WHERE d.client_id NOT IN (SELECT unnest(e.client_ids) FROM ops.erasure AS e WHERE e.lifted_at IS NULL)

-- name: analyse_last
ANALYZE need_last

-- name: counts
-- {ages}: the aged weight of the dealings by type and half-life.
CREATE TEMP TABLE need_count ON COMMIT DROP AS
SELECT i.client_id, count(*)::integer AS dealings{ages}
FROM {dealings}
JOIN need_last AS l ON l.client_id = i.client_id
WHERE NOT i.is_deleted AND i.type = ANY (%(types)s::text[])
GROUP BY i.client_id

-- name: found
-- {columns}, {texts}, {words}, {seen}: need_rules.Look. OFFSET keeps a step from being done once for each place that
-- names it; of this type, since with a cast only one process would do it.
CREATE TEMP TABLE need_found ON COMMIT DROP AS
SELECT f.client_id, f.record_id, f.type, f.occurred_on, f.signal_key, s.channel, s.is_against, {aged} AS weight
FROM (
    SELECT i.client_id, i.record_id, i.type, i.occurred_on, unnest({seen}) AS signal_key
    FROM (
        SELECT i.client_id, i.record_id, i.type, i.occurred_on{columns}{words}
        FROM (
            SELECT i.client_id, i.record_id, i.type, i.occurred_on{columns}{texts}
            FROM {dealings}
            WHERE NOT i.is_deleted AND i.type = ANY (%(types)s::text[])
            OFFSET bigint '0'
        ) AS i
        OFFSET bigint '0'
    ) AS i
) AS f
-- Of suppliers, staff and those who are gone nothing is said. Afterwards: with a temporary table only one process reads.
JOIN need_last AS l ON l.client_id = f.client_id
JOIN unnest(%(keys)s::integer[], %(channels)s::integer[], %(against)s::boolean[], %(weights)s::double precision[])
    AS s (signal_key, channel, is_against, weight) ON s.signal_key = f.signal_key

-- name: analyse_found
ANALYZE need_found

-- name: drop_rates
DELETE FROM core.need_rate

-- name: rates
-- Where all dealings of a type have aged to nothing, nothing is to be expected of them.
INSERT INTO core.need_rate (signal_key, type, rate)
SELECT f.signal_key, f.type, coalesce(f.weight / nullif({dealings_of}, 0), 0)
FROM (
    SELECT f.signal_key, f.type, sum(f.weight) AS weight
    FROM need_found AS f
    WHERE f.signal_key = ANY (%(counted)s::integer[])
    GROUP BY f.signal_key, f.type
) AS f
CROSS JOIN (SELECT {totals} FROM need_count AS n) AS n

-- name: rates_of
SELECT signal_key, type, rate FROM core.need_rate ORDER BY signal_key, type COLLATE "C"

-- name: expected
-- {sums}: of each channel what is expected for and against it.
CREATE TEMP TABLE need_expected ON COMMIT DROP AS
SELECT l.client_id, coalesce(n.dealings, 0) AS dealings{sums}
FROM need_last AS l
LEFT JOIN need_count AS n ON n.client_id = l.client_id

-- name: words
-- Each client's last word of a need; of two on one day the one with the larger id.
CREATE TEMP TABLE need_word ON COMMIT DROP AS
SELECT DISTINCT ON (f.client_id, f.channel) f.client_id, f.channel, NOT f.is_against AS says_so
FROM need_found AS f
WHERE f.channel = ANY (%(declared)s::integer[])
ORDER BY f.client_id, f.channel, f.occurred_on DESC NULLS LAST, f.record_id DESC, f.is_against

-- name: analyse_words
ANALYZE need_word

-- name: weights
CREATE TEMP TABLE need_weight ON COMMIT DROP AS
SELECT w.client_id, w.channel, w.sightings_for, w.sightings_against, w.weight_for, w.weight_against, w.first_on,
    w.last_on, d.says_so
FROM (
    SELECT f.client_id, f.channel,
        count(*) FILTER (WHERE NOT f.is_against)::integer AS sightings_for,
        count(*) FILTER (WHERE f.is_against)::integer AS sightings_against,
        coalesce(sum(f.weight) FILTER (WHERE NOT f.is_against), 0) AS weight_for,
        coalesce(sum(f.weight) FILTER (WHERE f.is_against), 0) AS weight_against,
        min(f.occurred_on) AS first_on, max(f.occurred_on) AS last_on
    FROM need_found AS f
    GROUP BY f.client_id, f.channel
) AS w
LEFT JOIN need_word AS d ON d.client_id = w.client_id AND d.channel = w.channel

-- name: analyse_weights
ANALYZE need_weight, need_expected

-- name: rows
-- A need of which the client speaks has a row of what is observed too, also where nothing is: that may contradict it.
SELECT w.client_id, w.need, w.origin,
    CASE WHEN w.origin = 'declared' THEN w.says_so
        ELSE w.sightings_for >= %(sightings)s
            AND (w.weight_for + 1000000) / (w.expected_for + 1000000) >= %(lift)s
            AND (w.weight_against + 1000000) / (w.expected_against + 1000000) < %(lift)s
    END AS is_held,
    w.sightings_for, w.sightings_against, w.weight_for::bigint AS weight_for, w.weight_against::bigint AS weight_against,
    w.expected_for::bigint AS expected_for, w.expected_against::bigint AS expected_against, w.dealings, w.first_on, w.last_on
FROM (
    SELECT t.*, c.need, c.origin, e.dealings, {expected_for} AS expected_for, {expected_against} AS expected_against
    FROM (
        SELECT w.client_id, w.channel, w.sightings_for, w.sightings_against, w.weight_for, w.weight_against, w.first_on,
            w.last_on, w.says_so
        FROM need_weight AS w
        UNION ALL
        SELECT d.client_id, o.observed, 0, 0, 0, 0, NULL, NULL, NULL
        FROM need_word AS d
        JOIN unnest(%(observed)s::integer[]) WITH ORDINALITY AS o (observed, channel) ON o.channel - 1 = d.channel
        WHERE o.observed IS NOT NULL AND NOT EXISTS (
            SELECT FROM need_weight AS w WHERE w.client_id = d.client_id AND w.channel = o.observed
        )
    ) AS t
    JOIN unnest(%(needs)s::text[], %(origins)s::text[]) WITH ORDINALITY AS c (need, origin, channel)
        ON c.channel - 1 = t.channel
    JOIN need_expected AS e ON e.client_id = t.client_id
) AS w

-- name: new_needs
CREATE TEMP TABLE new_need ON COMMIT DROP AS {rows}

-- name: index_new_needs
ALTER TABLE new_need ADD PRIMARY KEY (client_id, need, origin)

-- name: drop_new_needs
DROP TABLE new_need

-- name: drop_needs
DELETE FROM core.client_need AS t
USING {scope}
WHERE {in_scope} AND NOT EXISTS (
    SELECT FROM new_need AS n WHERE n.client_id = t.client_id AND n.need = t.need AND n.origin = t.origin
)

-- name: change_needs
UPDATE core.client_need AS t
SET (is_held, sightings_for, sightings_against, weight_for, weight_against, expected_for, expected_against, dealings,
    first_on, last_on) = ROW(n.is_held, n.sightings_for, n.sightings_against, n.weight_for, n.weight_against,
    n.expected_for, n.expected_against, n.dealings, n.first_on, n.last_on)
FROM new_need AS n
WHERE n.client_id = t.client_id AND n.need = t.need AND n.origin = t.origin
    AND (t.is_held, t.sightings_for, t.sightings_against, t.weight_for, t.weight_against, t.expected_for,
        t.expected_against, t.dealings, t.first_on, t.last_on)
    IS DISTINCT FROM (n.is_held, n.sightings_for, n.sightings_against, n.weight_for, n.weight_against, n.expected_for,
        n.expected_against, n.dealings, n.first_on, n.last_on)

-- name: add_needs
-- By the key and not NOT EXISTS, here and for evidence: a table that is known to be empty would be read for each row.
INSERT INTO core.client_need (client_id, need, origin, is_held, sightings_for, sightings_against, weight_for,
    weight_against, expected_for, expected_against, dealings, first_on, last_on)
SELECT n.client_id, n.need, n.origin, n.is_held, n.sightings_for, n.sightings_against, n.weight_for,
    n.weight_against, n.expected_for, n.expected_against, n.dealings, n.first_on, n.last_on
FROM {rows} AS n
ON CONFLICT DO NOTHING

-- name: drop_evidence
DELETE FROM core.client_need_evidence AS t
USING {scope}
WHERE {in_scope} AND NOT EXISTS (
    SELECT FROM need_found AS n
    WHERE n.client_id = t.client_id AND n.signal_key = t.signal_key AND n.record_id = t.record_id
)

-- name: change_evidence
UPDATE core.client_need_evidence AS t SET occurred_on = n.occurred_on
FROM need_found AS n
WHERE n.client_id = t.client_id AND n.signal_key = t.signal_key AND n.record_id = t.record_id
    AND t.occurred_on IS DISTINCT FROM n.occurred_on

-- name: add_evidence
INSERT INTO core.client_need_evidence (client_id, signal_key, record_id, occurred_on)
SELECT n.client_id, n.signal_key, n.record_id, n.occurred_on
FROM need_found AS n
ON CONFLICT DO NOTHING

-- name: forget_catalogue
DELETE FROM core.need

-- name: forget_signals
DELETE FROM core.need_signal

-- name: store_need
INSERT INTO core.need (code, label_en, label_ru, job_en, job_ru, dimension, half_life_days)
VALUES (%(code)s, %(label_en)s, %(label_ru)s, %(job_en)s, %(job_ru)s, %(dimension)s, %(half_life_days)s)

-- name: store_signal
INSERT INTO core.need_signal (signal_key, need, code, origin, is_against, weight, label_en, label_ru, word_starts,
    word_query)
VALUES (%(signal_key)s, %(need)s, %(code)s, %(origin)s, %(is_against)s, %(weight)s, %(label_en)s, %(label_ru)s,
    %(starts)s, %(query)s)

-- name: searches
SELECT signal_key, word_starts, word_query FROM core.need_signal WHERE word_query IS NOT NULL

-- name: compositions
-- A client's dealings, and of each need what is seen and expected for and against it; the client's own word as -1, 0, 1.
SELECT e.client_id, e.dealings{columns}
FROM need_expected AS e
LEFT JOIN (SELECT w.client_id{pivot} FROM need_weight AS w GROUP BY w.client_id) AS w ON w.client_id = e.client_id

-- name: looked_at
SELECT count(*) FROM need_last

-- name: sample
CREATE TEMP TABLE need_sample ON COMMIT DROP AS
SELECT e.client_id, (row_number() OVER (ORDER BY e.client_id) - 1)::integer AS place
FROM need_expected AS e
WHERE e.dealings >= %(minimum)s
ORDER BY e.client_id
LIMIT %(most)s

-- name: analyse_sample
ANALYZE need_sample

-- name: sampled_dealings
-- Ids are hashes, so that the first ones are a fair sample.
SELECT c.place, coalesce(array_position(%(types)s::text[], i.type), 0) - 1 AS type,
    coalesce(l.last_on - i.occurred_on, 0) AS age, i.record_id
FROM need_sample AS c
JOIN need_last AS l ON l.client_id = c.client_id
JOIN core.published_interaction AS i ON i.client_id = c.client_id
WHERE NOT i.is_deleted AND i.type = ANY (%(types)s::text[])
ORDER BY c.place, i.record_id

-- name: sampled_sightings
SELECT f.record_id, f.signal_key
FROM need_sample AS c
JOIN need_found AS f ON f.client_id = c.client_id
WHERE f.type = ANY (%(types)s::text[])
ORDER BY f.record_id, f.signal_key

-- name: drop_sample
DROP TABLE need_sample

-- name: of_client
SELECT n.need, d.label_en, d.label_ru, d.job_en, d.job_ru, d.dimension, n.origin, n.is_held, n.sightings_for,
    n.sightings_against, n.weight_for / 1e6 AS weight_for, n.weight_against / 1e6 AS weight_against,
    n.expected_for / 1e6 AS expected_for, n.expected_against / 1e6 AS expected_against, n.dealings,
    n.first_on::text, n.last_on::text
FROM core.client_need AS n
JOIN core.need AS d ON d.code = n.need
WHERE n.client_id = %(client_id)s
ORDER BY n.need COLLATE "C", array_position(ARRAY['declared', 'observed', 'inferred'], n.origin)

-- name: evidence_of
SELECT s.need, s.code AS signal, s.label_en, s.label_ru, s.origin, s.is_against, i.source, i.stream, i.source_key, i.type,
    i.occurred_on::text, i.summary
FROM core.client_need_evidence AS e
JOIN core.need_signal AS s ON s.signal_key = e.signal_key
JOIN core.published_interaction AS i ON i.record_id = e.record_id
WHERE e.client_id = %(client_id)s AND (%(need)s::text IS NULL OR s.need = %(need)s)
ORDER BY e.occurred_on DESC NULLS LAST, e.record_id, e.signal_key
LIMIT %(limit)s

-- name: overview
SELECT d.code, d.label_en, d.label_ru, d.job_en, d.dimension,
    count(*) FILTER (WHERE n.origin = 'declared' AND n.is_held) AS declared,
    count(*) FILTER (WHERE n.origin = 'observed' AND n.is_held) AS observed,
    count(*) FILTER (WHERE n.origin = 'inferred' AND n.is_held) AS inferred,
    count(*) FILTER (WHERE n.origin = 'observed' AND o.is_held <> n.is_held) AS disagreeing,
    coalesce(sum(n.sightings_for + n.sightings_against), 0)::bigint AS sightings
FROM core.need AS d
LEFT JOIN core.client_need AS n ON n.need = d.code
LEFT JOIN core.client_need AS o ON o.client_id = n.client_id AND o.need = n.need AND o.origin = 'declared'
GROUP BY d.code, d.label_en, d.label_ru, d.job_en, d.dimension
ORDER BY d.code COLLATE "C"
