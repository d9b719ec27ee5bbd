-- What worries: asked of what is served, and kept with the rows that prove it; only differences are written.

-- name: events
(
    SELECT i.record_id, i.client_id, i.occurred_on, i.reporting_amount
    FROM {interactions} AS i
    WHERE NOT i.is_deleted AND i.client_id {among} AND ({found})
)

-- name: promise_events
-- Of dealings that tell the same promise one, if it can be the one that tells what came of it.
(
    SELECT DISTINCT ON (coalesce(o.counted_by, i.record_id)) i.record_id, i.client_id, i.occurred_on, i.reporting_amount
    FROM {interactions} AS i
    LEFT JOIN (
        SELECT p.record_id, array_agg(p.outcome) AS outcomes, min(p.counted_by) AS counted_by
        FROM {promises} AS p
        WHERE p.client_id {among}
        GROUP BY p.record_id
    ) AS o ON o.record_id = i.record_id
    WHERE NOT i.is_deleted AND i.client_id {among} AND ({found})
    ORDER BY coalesce(o.counted_by, i.record_id), i.record_id IS DISTINCT FROM o.counted_by, i.record_id
)

-- name: none_of
SELECT y.client_id, y.record_id, NULL::text AS note
FROM {after} AS y
WHERE y.occurred_on >= %(today)s::date - {since} AND y.occurred_on + {within} < %(today)s::date
    AND NOT EXISTS (
        SELECT FROM {of} AS x
        WHERE x.client_id = y.client_id AND x.record_id <> y.record_id
            AND x.occurred_on BETWEEN y.occurred_on AND y.occurred_on + {within}
    )

-- name: more_than
SELECT c.client_id, c.record_id, NULL::text AS note
FROM (
    SELECT e.client_id, e.record_id, count(*) OVER (PARTITION BY e.client_id) AS found
    FROM {of} AS e
    WHERE e.occurred_on > %(today)s::date - {within} AND e.occurred_on <= %(today)s::date
) AS c
WHERE c.found > {count}

-- name: drifts_from
-- Where there is nothing now, what was before proves it.
WITH e AS (
    SELECT e.is_of, e.client_id, e.record_id, e.value, e.occurred_on > %(today)s::date - {window} AS is_now
    FROM ({sides}) AS e
    WHERE e.occurred_on > %(today)s::date - {reach} AND e.occurred_on <= %(today)s::date
), l AS (
    SELECT {key} AS key, sum(e.value) FILTER (WHERE e.is_of AND e.is_now) AS now_of,
        sum(e.value) FILTER (WHERE NOT e.is_of AND e.is_now) AS now_against,
        coalesce(sum(e.value) FILTER (WHERE e.is_of AND NOT e.is_now), 0) AS before_of,
        sum(e.value) FILTER (WHERE NOT e.is_of AND NOT e.is_now) AS before_against,
        count(*) FILTER (WHERE e.is_of AND e.is_now) AS now_count,
        count(*) FILTER (WHERE NOT e.is_of AND e.is_now) AS now_against_count,
        count(*) FILTER (WHERE e.is_of AND NOT e.is_now) AS before_count,
        count(*) FILTER (WHERE NOT e.is_of AND NOT e.is_now) AS before_against_count
    FROM e
    GROUP BY 1
), d AS (
    SELECT l.key, coalesce({now}, 0) AS now, {level} AS level, l.now_count + l.now_against_count = 0 AS is_silent
    FROM l
    WHERE {counted}
)
SELECT e.client_id, e.record_id, round(d.now, 3) || ' : ' || round(d.level, 3) AS note
FROM d
JOIN e ON d.key IS NULL OR e.client_id = d.key
WHERE d.level > 0 AND abs(d.now / d.level - 1) > {by} AND (e.is_now OR d.is_silent)

-- name: missed_and_silent
-- One row of each promise, however many of the dealings that are meant tell it.
SELECT DISTINCT ON (p.counted_key) i.client_id, i.record_id, NULL::text AS note
FROM {promised} AS i
JOIN {promises} AS p ON p.record_id = i.record_id
WHERE i.client_id IS NOT NULL AND {kinds}
    AND p.due_on >= %(today)s::date - {since} AND p.due_on + greatest({within}, {later_than}) < %(today)s::date
    AND CASE
        WHEN p.actual_on IS NOT NULL THEN p.actual_on > p.due_on + {later_than}
        ELSE p.actual_value IS NULL
    END
    AND NOT EXISTS (
        SELECT FROM {contact} AS x
        WHERE x.client_id = i.client_id AND x.occurred_on BETWEEN p.due_on - {before} AND p.due_on + {within}
    )
ORDER BY p.counted_key, NOT p.is_counted, p.promise_key

-- name: timeout
SELECT set_config('statement_timeout', %(milliseconds)s::bigint::text, true)

-- name: read_only
SET TRANSACTION READ ONLY

-- name: shape
SELECT * FROM ({query}) AS q LIMIT 0

-- name: limited
SELECT q.client_id::uuid::text, q.record_id::bigint, q.note::text FROM ({query}) AS q ORDER BY 1, 2, 3 LIMIT {most}

-- name: known
SELECT concern FROM core.concern

-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended('onefold concerns', 0))

-- name: stage
-- Of an erased client nothing is told, in whatever the question looked.
CREATE TEMP TABLE new_concern_row ON COMMIT DROP AS
SELECT DISTINCT ON (n.row_key) n.row_key, n.client_id, n.record_id, n.note
FROM (
    SELECT md5(concat_ws(':', r.client_id, r.record_id))::uuid AS row_key, r.client_id, r.record_id, r.note
    FROM unnest(%(client_ids)s::uuid[], %(record_ids)s::bigint[], %(notes)s::text[]) AS r (client_id, record_id, note)
) AS n
WHERE NOT EXISTS (
    SELECT FROM ops.erasure AS e WHERE e.lifted_at IS NULL AND e.client_ids @> ARRAY[n.client_id]
)
ORDER BY n.row_key, n.note

-- name: count_staged
SELECT count(DISTINCT client_id), count(*) FROM new_concern_row

-- name: drop_staged
DROP TABLE new_concern_row

-- name: drop_rows
DELETE FROM core.concern_row AS t
WHERE t.concern = %(concern)s AND NOT EXISTS (SELECT FROM new_concern_row AS n WHERE n.row_key = t.row_key)

-- name: change_rows
UPDATE core.concern_row AS t SET note = n.note
FROM new_concern_row AS n
WHERE t.concern = %(concern)s AND n.row_key = t.row_key AND t.note IS DISTINCT FROM n.note

-- name: add_rows
INSERT INTO core.concern_row (concern, row_key, client_id, record_id, note, since)
SELECT %(concern)s, n.row_key, n.client_id, n.record_id, n.note, %(at)s
FROM new_concern_row AS n
ON CONFLICT DO NOTHING

-- name: forget_rows
DELETE FROM core.concern_row WHERE concern = %(concern)s

-- name: store
INSERT INTO core.concern AS t (concern, position, question_en, question_ru, owner, template, threshold, is_shipped,
    state, why, clients, row_count, is_cut, types)
VALUES (%(concern)s, %(position)s, %(question_en)s, %(question_ru)s, %(owner)s, %(template)s, %(threshold)s,
    %(is_shipped)s, %(state)s, %(why)s, %(clients)s, %(row_count)s, %(is_cut)s, %(types)s)
ON CONFLICT (concern) DO UPDATE
SET (position, question_en, question_ru, owner, template, threshold, is_shipped, state, why, clients, row_count, is_cut, types) =
    ROW(excluded.position, excluded.question_en, excluded.question_ru, excluded.owner, excluded.template,
        excluded.threshold, excluded.is_shipped, excluded.state, excluded.why, excluded.clients, excluded.row_count,
        excluded.is_cut, excluded.types)

-- name: stored
SELECT concern, position, question_en, question_ru, owner, template, threshold, is_shipped, state, why, clients,
    row_count, is_cut, types
FROM core.concern
WHERE concern = %(concern)s

-- name: raise
-- A time that was before is not used again, whatever the clock says.
INSERT INTO core.concern_raise (concern, raised_at, clients, row_count, threshold)
SELECT %(concern)s, greatest(%(at)s::timestamptz, max(greatest(r.raised_at, r.closed_at)) + interval '1 microsecond'),
    %(clients)s, %(row_count)s, %(threshold)s
FROM core.concern_raise AS r
WHERE r.concern = %(concern)s
ON CONFLICT (concern) WHERE closed_at IS NULL DO NOTHING

-- name: close
UPDATE core.concern_raise SET closed_at = greatest(%(at)s, raised_at), closed_as = %(why)s
WHERE concern = %(concern)s AND closed_at IS NULL

-- name: forget
DELETE FROM core.concern WHERE concern = %(concern)s

-- name: acknowledge
UPDATE core.concern_raise SET acknowledged_at = %(at)s, acknowledged_by = %(by)s, acknowledge_reason = %(reason)s
WHERE concern = %(concern)s AND closed_at IS NULL
RETURNING raised_at::text

-- name: list
SELECT c.concern, c.question_en, c.question_ru, c.owner, c.template, c.threshold, c.is_shipped, c.state, c.why,
    c.clients, c.row_count, c.is_cut, r.raised_at::text, r.acknowledged_at::text, r.acknowledged_by,
    r.acknowledge_reason
FROM core.concern AS c
LEFT JOIN core.concern_raise AS r ON r.concern = c.concern AND r.closed_at IS NULL
ORDER BY c.position

-- name: raises
SELECT r.raised_at::text, r.clients, r.row_count, r.threshold, r.closed_at::text, r.closed_as, r.acknowledged_at::text,
    r.acknowledged_by, r.acknowledge_reason
FROM core.concern_raise AS r
WHERE r.concern = %(concern)s
ORDER BY r.raised_at DESC
LIMIT 50

-- name: rows
SELECT w.row_key::text, w.client_id::text, c.kind, c.display_name, w.record_id, w.note, w.since::text, i.type,
    i.occurred_on::text, i.summary, i.source, i.stream, i.source_key
FROM core.concern_row AS w
LEFT JOIN core.client AS c ON c.client_id = w.client_id
LEFT JOIN core.published_interaction AS i ON i.record_id = w.record_id
WHERE w.concern = %(concern)s AND (%(after)s::uuid IS NULL OR w.row_key > %(after)s)
    AND (%(client_id)s::uuid IS NULL OR w.client_id = %(client_id)s)
ORDER BY w.row_key
LIMIT %(limit)s

-- name: of_client
SELECT DISTINCT c.concern, c.question_en, c.question_ru, c.position, r.raised_at::text, r.acknowledged_at::text
FROM core.concern_row AS w
JOIN core.concern AS c ON c.concern = w.concern AND c.state = 'raised'
LEFT JOIN core.concern_raise AS r ON r.concern = c.concern AND r.closed_at IS NULL
WHERE w.client_id = %(client_id)s
ORDER BY c.position

-- name: columns
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass(%(view)s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum

-- name: example_table
CREATE TEMP TABLE {table} ON COMMIT DROP AS SELECT * FROM {view} WITH NO DATA

-- name: fill_example
INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %(rows)s::jsonb)

-- name: settle_example
UPDATE {table} SET outcome = core.promise_outcome(due_on, actual_on, due_value, actual_value, %(today)s::date)
WHERE outcome IS NULL
