-- Cases that are decided together (case_batches.py).

-- name: begin
INSERT INTO ops.case_batch (batch_id, kind, started_by, started_at, seen_at, total)
VALUES (%(batch_id)s::uuid, %(kind)s, %(by)s, %(at)s, %(at)s, %(total)s)

-- name: came_on
UPDATE ops.case_batch SET done = %(done)s, report = %(report)s, seen_at = %(at)s, finished_at = %(finished_at)s
WHERE batch_id = %(batch_id)s::uuid

-- name: find
SELECT batch_id::text, kind, started_by, started_at::text, seen_at, finished_at::text, total, done, report
FROM ops.case_batch WHERE batch_id = %(batch_id)s::uuid

-- name: in_force
-- Its decisions that nobody has taken back, latest first.
SELECT e.fingerprint::text, e.judgement_id FROM ops.case_event AS e
WHERE e.batch_id = %(batch_id)s::uuid AND e.action = 'decided'
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = e.judgement_id)
ORDER BY e.event_id DESC
