-- Long work that others may look at meanwhile (at_work.py).

-- name: begin
SELECT pg_advisory_lock(hashtextextended('at work: ' || %(what)s, 0))

-- name: end
SELECT pg_advisory_unlock(hashtextextended('at work: ' || %(what)s, 0))

-- name: is_worked_at
-- The lock for a moment, given back with the statement: who is at it holds it.
SELECT NOT pg_try_advisory_xact_lock(hashtextextended('at work: ' || %(what)s, 0))
