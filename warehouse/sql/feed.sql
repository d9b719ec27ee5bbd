-- The change feed, as readers read it.

-- name: last
SELECT coalesce(max(last_event_id), 0) FROM ops.hub_clock

-- name: floor
SELECT coalesce(max(feed_floor), 0) FROM ops.hub_clock

-- name: last_before
-- The last change event before a moment; times rise with numbers.
SELECT coalesce(max(id), 0) FROM ops.change_event WHERE at < %(before)s

-- name: read_by_all
-- null: nobody is registered.
SELECT min(read_seq) FROM ops.feed_reader

-- name: raise_floor
UPDATE ops.hub_clock SET feed_floor = greatest(feed_floor, least(%(floor)s::bigint, last_event_id)) RETURNING feed_floor

-- name: first_to_clear
SELECT min(e.id) FROM ops.change_event AS e
JOIN ops.change_event AS n ON n.id = e.id + 1 AND n.at = e.at
WHERE e.id <= %(floor)s

-- name: clear
-- The last event of each moment stays, for questions about the past: all of one moment are in a row.
DELETE FROM ops.change_event AS e
USING ops.change_event AS n
WHERE e.id >= %(first)s AND e.id < %(past)s AND e.id <= %(floor)s AND n.id = e.id + 1 AND n.at = e.at

-- name: register
INSERT INTO ops.feed_reader (name, read_seq) VALUES (%(name)s, %(read_seq)s) ON CONFLICT (name) DO NOTHING

-- name: reader
SELECT read_seq FROM ops.feed_reader WHERE name = %(name)s

-- name: acknowledge
UPDATE ops.feed_reader SET read_seq = %(read_seq)s, read_at = now() WHERE name = %(name)s

-- name: forget
DELETE FROM ops.feed_reader WHERE name = %(name)s

-- name: readers
SELECT r.name, r.read_seq, greatest(c.last - r.read_seq, 0) AS behind, r.registered_at, r.read_at, r.read_seq < c.floor AS is_too_late
FROM ops.feed_reader AS r
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS last, coalesce(max(feed_floor), 0) AS floor FROM ops.hub_clock) AS c
ORDER BY r.name COLLATE "C"

-- name: after
SELECT changed_seq, changed_at, change, client_id, payload
FROM onefold_v1.change_feed
WHERE changed_seq > %(after)s
ORDER BY changed_seq
LIMIT %(limit)s

-- name: listen
LISTEN onefold_changes

-- name: unlisten
UNLISTEN onefold_changes
