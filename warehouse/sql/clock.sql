-- name: lock
SELECT pg_advisory_xact_lock(%(key)s::bigint)

-- name: lock_session
SELECT pg_advisory_lock(%(key)s::bigint)

-- name: unlock_session
SELECT pg_advisory_unlock(%(key)s::bigint)

-- name: repeatable_read
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- name: read_only
SET TRANSACTION READ ONLY

-- name: export_snapshot
SELECT pg_export_snapshot()

-- name: import_snapshot
SET TRANSACTION SNAPSHOT {snapshot}

-- name: today_is
SELECT set_config('onefold.today', %(day)s, true)

-- name: time_zone
SELECT time_zone FROM ops.hub_clock

-- name: keep_time_zone
INSERT INTO ops.hub_clock (time_zone) VALUES (%(zone)s)
ON CONFLICT (only_row) DO UPDATE SET time_zone = excluded.time_zone

-- name: next_as_of
INSERT INTO ops.hub_clock AS c (last_as_of) VALUES (%(now)s)
ON CONFLICT (only_row) DO UPDATE
SET last_as_of = greatest(excluded.last_as_of, c.last_as_of + interval '1 microsecond')
RETURNING last_as_of

-- name: last_event
SELECT coalesce(max(last_event_id), 0) FROM ops.hub_clock

-- name: allocate_events
-- Whoever listens is told the number when it is committed.
WITH allocated AS (
    INSERT INTO ops.hub_clock AS c (last_event_id) VALUES (%(count)s)
    ON CONFLICT (only_row) DO UPDATE SET last_event_id = c.last_event_id + %(count)s
    RETURNING last_event_id
)
SELECT last_event_id, pg_notify('onefold_changes', last_event_id::text) FROM allocated
