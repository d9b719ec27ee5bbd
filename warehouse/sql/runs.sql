-- name: start
INSERT INTO ops.run (command, source, status, started_at, trace_id)
VALUES (%(command)s, %(source)s, 'running', %(at)s, %(trace_id)s)
RETURNING run_id

-- name: finish
UPDATE ops.run SET status = %(status)s, report = %(report)s, finished_at = %(at)s WHERE run_id = %(run_id)s

-- name: try_source_lock
SELECT pg_try_advisory_lock(%(key)s::bigint)

-- name: release_source_lock
SELECT pg_advisory_unlock(%(key)s::bigint)

-- name: stop_abandoned
UPDATE ops.run SET status = 'stopped', finished_at = %(at)s
WHERE command = %(command)s AND source IS NOT DISTINCT FROM %(source)s::text AND status = 'running'

-- name: last
-- From source to source by the index: there are many runs and few sources.
WITH RECURSIVE named AS (
    (SELECT source FROM ops.run WHERE command = %(command)s AND source IS NOT NULL ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT r.source FROM ops.run AS r WHERE r.command = %(command)s AND r.source > n.source ORDER BY r.source LIMIT 1)
    FROM named AS n WHERE n.source IS NOT NULL
)
SELECT l.source, l.status, l.started_at, l.finished_at, l.report
FROM (SELECT source FROM named WHERE source IS NOT NULL UNION ALL SELECT NULL) AS n
CROSS JOIN LATERAL (
    (
        SELECT source, status, started_at, finished_at, report FROM ops.run AS r
        WHERE r.command = %(command)s AND r.source = n.source
        ORDER BY run_id DESC LIMIT 1
    )
    UNION ALL
    (
        SELECT source, status, started_at, finished_at, report FROM ops.run AS r
        WHERE n.source IS NULL AND r.command = %(command)s AND r.source IS NULL
        -- By source too: else all runs are gone through backwards for a command that never ran without one.
        ORDER BY r.source DESC, run_id DESC LIMIT 1
    )
) AS l
