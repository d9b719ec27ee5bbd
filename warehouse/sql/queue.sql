-- Work queues. Ids are handed out before their transactions commit, so an id below the largest one may appear later:
-- a reader deletes by the ids that it saw, never by a range.

-- name: read
SELECT id, record_id FROM ops.pending WHERE step = %(step)s AND id > %(after)s ORDER BY id LIMIT %(limit)s

-- name: read_parties
-- All but interactions. What was taken for one once and is a client's record now is none.
SELECT p.id, p.record_id FROM ops.pending AS p
WHERE p.step = %(step)s AND (
    NOT EXISTS (SELECT FROM core.interaction AS i WHERE i.record_id = p.record_id)
    OR EXISTS (SELECT FROM identity.crosswalk_history AS h WHERE h.record_id = p.record_id)
)
ORDER BY p.id

-- name: facts_done
DELETE FROM ops.pending AS p USING core.interaction AS i
WHERE p.step = %(step)s AND i.record_id = p.record_id
    AND NOT EXISTS (SELECT FROM identity.crosswalk_history AS h WHERE h.record_id = p.record_id)

-- name: read_clients
SELECT p.id, p.record_id FROM ops.pending AS p
JOIN identity.crosswalk AS x ON x.record_id = p.record_id
WHERE p.step = %(step)s AND x.client_id = ANY (%(client_ids)s::uuid[])
ORDER BY p.id

-- name: is_empty
SELECT NOT EXISTS (SELECT FROM ops.pending WHERE step = %(step)s)

-- name: done
DELETE FROM ops.pending AS p
USING unnest(%(ids)s::bigint[]) AS seen (id)
WHERE p.step = %(step)s AND p.id = seen.id

-- name: enqueue
COPY ops.pending (step, record_id) FROM STDIN

-- name: size
SELECT count(*) FROM ops.pending WHERE step = %(step)s

-- name: enqueue_stream
INSERT INTO ops.pending (step, record_id)
SELECT %(step)s, r.record_id FROM raw.record AS r
WHERE r.source = %(source)s AND r.stream = %(stream)s
ORDER BY r.record_id

-- name: enqueue_parties
INSERT INTO ops.pending (step, record_id)
SELECT %(step)s, r.record_id FROM identity.standard_record AS r ORDER BY r.record_id

-- name: lock_step
SELECT pg_advisory_lock(%(key)s::bigint)

-- name: unlock_step
SELECT pg_advisory_unlock(%(key)s::bigint)
