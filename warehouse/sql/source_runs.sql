-- The syncs of sources as their reports tell them (source_runs.py): always by the index of command, source and run.

-- name: last
-- The last syncs of each of these sources, newest first.
SELECT l.*, h.state AS hold
FROM unnest(%(sources)s::text[]) AS n (source)
CROSS JOIN LATERAL (
    SELECT source, run_id, status, started_at, finished_at, report FROM ops.run AS r
    WHERE r.command = 'sync' AND r.source = n.source
    ORDER BY r.run_id DESC
    LIMIT %(limit)s
) AS l
LEFT JOIN ops.hold AS h ON h.run_id = l.run_id
ORDER BY l.run_id DESC

-- name: ends
-- When syncs of one source ended and what they brought, oldest first: of at most so many runs since a moment.
SELECT l.started_at, l.finished_at, l.status, coalesce(sum(s.rows), 0)::bigint AS rows,
    coalesce(sum(s.changed), 0)::bigint AS changed
FROM (
    SELECT run_id, started_at, finished_at, status, report FROM ops.run
    WHERE command = 'sync' AND source = %(source)s
    ORDER BY run_id DESC
    LIMIT %(limit)s
) AS l
LEFT JOIN LATERAL (
    SELECT coalesce((e.value ->> 'inserted')::bigint, 0) + coalesce((e.value ->> 'updated')::bigint, 0)
            + coalesce((e.value ->> 'unchanged')::bigint, 0) AS rows,
        coalesce((e.value ->> 'inserted')::bigint, 0) + coalesce((e.value ->> 'updated')::bigint, 0)
            + coalesce((e.value ->> 'deleted')::bigint, 0) AS changed
    FROM jsonb_array_elements(
        CASE WHEN jsonb_typeof(l.report -> 'streams') = 'array' THEN l.report -> 'streams' ELSE '[]'::jsonb END
    ) AS e
) AS s ON true
WHERE l.started_at >= %(since)s
GROUP BY l.run_id, l.started_at, l.finished_at, l.status
ORDER BY l.run_id

-- name: kept
-- The last reports of a step that keeps what is dear to count, and when.
SELECT run_id, started_at, report FROM ops.run
WHERE command = %(command)s AND source IS NULL AND status = 'done'
-- By source too: else all runs are gone through backwards for a command that never ran.
ORDER BY source DESC, run_id DESC
LIMIT %(limit)s

-- name: weights
-- How the weights of plausible pairs lay at the end of the last run of resolve that looked at all of them, among the last ones.
SELECT run_id, started_at, (report ->> 'model_version')::integer AS model_version, report -> 'weights' AS weights
FROM (
    SELECT run_id, started_at, report FROM ops.run
    WHERE command = 'resolve' AND source IS NULL AND status = 'done'
    ORDER BY source DESC, run_id DESC
    LIMIT %(most)s
) AS last
WHERE jsonb_typeof(report -> 'weights') = 'object' AND report -> 'weights' <> '{}'::jsonb
ORDER BY run_id DESC
LIMIT 1
