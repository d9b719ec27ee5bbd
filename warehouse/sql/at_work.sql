-- Long work that others may look at meanwhile (at_work.py).

-- name: begin
-- Shared: who comes second waits for nobody, and whether it may be done twice is for the work itself to say.
SELECT pg_advisory_lock_shared(hashtextextended('at work: ' || %(what)s, 0))

-- name: end
SELECT pg_advisory_unlock_shared(hashtextextended('at work: ' || %(what)s, 0))

-- name: is_worked_at
-- The lock for a moment, given back with the statement: who is at it holds it.
SELECT NOT pg_try_advisory_xact_lock(hashtextextended('at work: ' || %(what)s, 0))
