-- What is kept only for a time (retention.py): a batch of each, oldest first.

-- name: raw_versions
DELETE FROM raw.record_version WHERE version_key IN (
    SELECT version_key FROM raw.record_version WHERE superseded_at < %(before)s ORDER BY version_key LIMIT %(limit)s
)

-- name: rejects
-- Those that are refused still stay, however old.
DELETE FROM ops.reject WHERE fingerprint IN (
    SELECT fingerprint FROM ops.reject WHERE NOT is_open AND coalesce(closed_at, first_at) < %(before)s
    ORDER BY fingerprint LIMIT %(limit)s
)

-- name: runs
-- The last run of each step and source stays.
DELETE FROM ops.run WHERE run_id IN (
    SELECT r.run_id FROM ops.run AS r
    WHERE r.finished_at < %(before)s AND EXISTS (
        SELECT FROM ops.run AS n
        WHERE n.command = r.command AND n.source IS NOT DISTINCT FROM r.source AND n.run_id > r.run_id
            AND n.status = 'done'
    )
    ORDER BY r.run_id LIMIT %(limit)s
)

-- name: access_log
DELETE FROM ops.access_log WHERE access_id IN (
    SELECT access_id FROM ops.access_log WHERE at < %(before)s ORDER BY access_id LIMIT %(limit)s
)

-- name: vacuum
VACUUM (ANALYZE) {tables}
