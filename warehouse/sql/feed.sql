-- The change feed, as readers read it.

-- name: last
SELECT coalesce(max(changed_seq), 0) FROM onefold_v1.change_feed

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
