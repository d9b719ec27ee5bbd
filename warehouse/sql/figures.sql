-- What is watched (figures.py): by indexes, catalogues and the last rows only, so that it may be asked every few seconds.

-- name: hub
SELECT (SELECT clients FROM ops.hub_clock) AS clients, (SELECT last_event_id FROM ops.hub_clock) AS change_events,
    (SELECT version FROM identity.model WHERE is_current) AS model_version,
    (SELECT count(*) FROM ops.hold WHERE state = 'open') AS holds,
    (SELECT min(held_at) FROM ops.hold WHERE state = 'open') AS held_at

-- name: streams
SELECT source, stream, at AS synced_at FROM ops.checkpoint ORDER BY source COLLATE "C", stream COLLATE "C"

-- name: queues
-- Counted up to a limit: a first load queues millions.
SELECT s.step, (SELECT count(*) FROM (SELECT FROM ops.pending AS p WHERE p.step = s.step LIMIT %(most)s) AS waiting) AS records
FROM unnest(%(steps)s::text[]) AS s (step)

-- name: rejects
SELECT source, stream, count(*) AS rejects FROM ops.reject WHERE is_open GROUP BY source, stream
ORDER BY source COLLATE "C", stream COLLATE "C"

-- name: cases
SELECT kind, count(*) AS cases, min(opened_at) AS oldest_at FROM identity.review_case WHERE status = 'open'
GROUP BY kind ORDER BY kind COLLATE "C"

-- name: case_ages
-- Open cases by how long they wait, per kind. The moments are given: worked out here, they are for every row.
SELECT kind, count(*) FILTER (WHERE opened_at > %(day)s) AS day,
    count(*) FILTER (WHERE opened_at <= %(day)s AND opened_at > %(week)s) AS week,
    count(*) FILTER (WHERE opened_at <= %(week)s AND opened_at > %(month)s) AS month,
    count(*) FILTER (WHERE opened_at <= %(month)s) AS older, min(opened_at) AS oldest_at
FROM identity.review_case WHERE status = 'open'
GROUP BY kind ORDER BY kind COLLATE "C"

-- name: writes
-- What was written back and no system has confirmed.
SELECT source, count(*) AS writes FROM ops.write_receipt WHERE status IN ('sent', 'unknown')
GROUP BY source ORDER BY source COLLATE "C"

-- name: last_runs
-- The last run of each step (of each source), and when one last ended well. Both halves have the index; an OR has not, nor
-- has an order by run alone where there is no source: all runs are gone through backwards for a step that never ran.
WITH asked AS (
    SELECT command, NULL::text AS source FROM unnest(%(steps)s::text[]) AS s (command)
    UNION ALL
    SELECT c.command, n.source FROM unnest(%(source_steps)s::text[]) AS c (command), unnest(%(sources)s::text[]) AS n (source)
)
SELECT a.command, a.source, l.run_id, l.status, l.started_at, l.finished_at, w.finished_at AS well_at
FROM asked AS a
CROSS JOIN LATERAL (
    (
        SELECT run_id, status, started_at,
            -- When one that died ended nobody knows.
            CASE WHEN status <> 'failed' OR NOT coalesce(report, '{}') ? 'died' THEN finished_at END AS finished_at
        FROM ops.run AS r
        WHERE r.command = a.command AND r.source = a.source
        ORDER BY run_id DESC LIMIT 1
    )
    UNION ALL
    (
        SELECT run_id, status, started_at,
            -- When one that died ended nobody knows.
            CASE WHEN status <> 'failed' OR NOT coalesce(report, '{}') ? 'died' THEN finished_at END AS finished_at
        FROM ops.run AS r
        WHERE a.source IS NULL AND r.command = a.command AND r.source IS NULL
        ORDER BY r.source DESC, run_id DESC LIMIT 1
    )
) AS l
LEFT JOIN LATERAL (
    (
        SELECT finished_at FROM ops.run AS r
        WHERE r.command = a.command AND r.source = a.source AND r.status = 'done'
        ORDER BY run_id DESC LIMIT 1
    )
    UNION ALL
    (
        SELECT finished_at FROM ops.run AS r
        WHERE a.source IS NULL AND r.command = a.command AND r.source IS NULL AND r.status = 'done'
        ORDER BY r.source DESC, run_id DESC LIMIT 1
    )
) AS w ON true

-- name: durations
-- How long the last runs of each step (of each source) took, oldest first, in seconds; running ones are left out, and those
-- that were killed: they end when somebody finds them.
WITH asked AS (
    SELECT command, NULL::text AS source FROM unnest(%(steps)s::text[]) AS s (command)
    UNION ALL
    SELECT c.command, n.source FROM unnest(%(source_steps)s::text[]) AS c (command), unnest(%(sources)s::text[]) AS n (source)
)
SELECT a.command, a.source, array_agg(l.run_id ORDER BY l.run_id) AS runs,
    array_agg(extract(epoch FROM l.finished_at - l.started_at)::float8 ORDER BY l.run_id) AS seconds
FROM asked AS a
CROSS JOIN LATERAL (
    (
        SELECT run_id, started_at, finished_at FROM ops.run AS r
        WHERE r.command = a.command AND r.source = a.source AND r.finished_at IS NOT NULL AND r.status <> 'stopped'
            AND (r.status <> 'failed' OR NOT coalesce(r.report, '{}') ? 'died')
        ORDER BY run_id DESC LIMIT %(most)s
    )
    UNION ALL
    (
        SELECT run_id, started_at, finished_at FROM ops.run AS r
        WHERE a.source IS NULL AND r.command = a.command AND r.source IS NULL AND r.finished_at IS NOT NULL
            AND r.status <> 'stopped' AND (r.status <> 'failed' OR NOT coalesce(r.report, '{}') ? 'died')
        ORDER BY r.source DESC, run_id DESC LIMIT %(most)s
    )
) AS l
GROUP BY a.command, a.source

-- name: spreads
-- How the weights of plausible pairs lay in the last runs of resolve, oldest first.
SELECT run_id, started_at, model_version, records, spread FROM (
    SELECT run_id, started_at, (report ->> 'model_version')::integer AS model_version,
        (report ->> 'records')::bigint AS records, report -> 'spread' AS spread
    FROM ops.run
    WHERE command = 'resolve' AND source IS NULL AND status = 'done'
    ORDER BY source DESC, run_id DESC LIMIT %(most)s
) AS last
WHERE jsonb_typeof(spread) = 'object' AND spread <> '{}'::jsonb
ORDER BY run_id

-- name: sizes
SELECT n.nspname AS schema, c.relname AS table, pg_total_relation_size(c.oid) AS bytes
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname = ANY (%(schemas)s::text[])
ORDER BY 3 DESC, 1, 2

-- name: database_size
SELECT pg_database_size(current_database()) AS bytes

-- name: be_quick
-- Who measures does not wait for a table that a first load has locked.
SELECT set_config('statement_timeout', '8s', false)

-- name: case_stakes
-- Per kind how many interactions the open cases are about together, and the most of one.
SELECT kind, sum(impact)::bigint AS impact, max(impact) AS most FROM identity.review_case WHERE status = 'open'
GROUP BY kind
