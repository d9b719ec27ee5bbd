-- name: start
INSERT INTO ops.run (command, source, status, started_at) VALUES (%(command)s, %(source)s, 'running', %(at)s)
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
SELECT DISTINCT ON (source) source, status, started_at, finished_at, report
FROM ops.run
WHERE command = %(command)s
ORDER BY source, run_id DESC
