-- name: start
-- The session that is at a run holds its lock, so that a run whose process has died is told from one that takes long.
WITH begun AS (
    INSERT INTO ops.run (command, source, status, started_at, trace_id)
    VALUES (%(command)s, %(source)s, 'running', %(at)s, %(trace_id)s)
    RETURNING run_id
)
SELECT run_id, pg_advisory_lock(730511, (run_id & 2147483647)::integer) FROM begun

-- name: finish
-- The lock goes with it; a run may be finished by another session, which does not hold it.
UPDATE ops.run SET status = %(status)s, report = %(report)s, finished_at = %(at)s WHERE run_id = %(run_id)s
RETURNING CASE WHEN EXISTS (
    SELECT FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND (l.classid, l.objid, l.objsubid) = (730511, (run_id & 2147483647)::oid, 2)
        AND l.pid = pg_backend_pid()
) THEN pg_advisory_unlock(730511, (run_id & 2147483647)::integer) END

-- name: fail
-- Who comes between the end of the step's session and this has taken the run for dead.
UPDATE ops.run SET status = 'failed', report = (coalesce(report, '{}') - 'died') || %(report)s, finished_at = %(at)s
WHERE run_id = %(run_id)s AND (status = 'running' OR status = 'failed' AND report ? 'died')

-- name: close_dead
-- Runs under way that no session is at. When they ended nobody knows: it is when they were found.
UPDATE ops.run AS r SET status = 'failed', report = coalesce(r.report, '{}') || %(report)s, finished_at = %(at)s
WHERE r.status = 'running' AND NOT EXISTS (
    SELECT FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND (l.classid, l.objid, l.objsubid) = (730511, (r.run_id & 2147483647)::oid, 2)
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
RETURNING r.run_id

-- name: at_work
SELECT command FROM ops.run WHERE status = 'running' GROUP BY command ORDER BY min(run_id)

-- name: dead
-- Of the last days those that were found dead: whether a later run of the same step (of the same source) ended well, and
-- whether somebody was ever to be told.
SELECT r.run_id, r.command, r.source, r.started_at::text, EXISTS (
        SELECT FROM ops.run AS w
        WHERE w.command = r.command AND w.source IS NOT DISTINCT FROM r.source AND w.run_id > r.run_id AND w.status = 'done'
    ) AS is_over, EXISTS (SELECT FROM ops.notice AS n WHERE n.key = 'failure:died:' || r.run_id) AS is_known
FROM ops.run AS r
WHERE r.status = 'failed' AND r.report ? 'died' AND r.started_at > %(since)s
ORDER BY r.run_id

-- name: try_source_lock
SELECT pg_try_advisory_lock(%(key)s::bigint)

-- name: release_source_lock
SELECT pg_advisory_unlock(%(key)s::bigint)

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
