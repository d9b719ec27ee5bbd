-- Lists made of segments: who is in one, who is kept off it and why, and who used it.

-- name: served_segments
SELECT g.scheme, g.segment
FROM core.segment AS g
JOIN core.segment_scheme AS s ON s.scheme = g.scheme AND s.is_served
ORDER BY g.scheme COLLATE "C", g.position

-- name: members
CREATE TEMP TABLE list_member ON COMMIT DROP AS
SELECT m.client_id, c.kind, c.display_name, c.attributes, m.probability, m.entered_at
FROM core.client_segment AS m
JOIN core.segment_scheme AS s ON s.scheme = m.scheme AND s.is_served
JOIN core.client AS c ON c.client_id = m.client_id AND NOT c.is_deleted
WHERE m.scheme = %(scheme)s AND m.segment = %(segment)s AND m.left_at IS NULL
    AND (%(after)s::uuid IS NULL OR m.client_id > %(after)s)
ORDER BY m.client_id
LIMIT %(limit)s::bigint

-- name: reasons
CREATE TEMP TABLE list_reason (client_id uuid, reason text) ON COMMIT DROP

-- name: erased
INSERT INTO list_reason (client_id, reason)
SELECT m.client_id, 'erased'
FROM list_member AS m
WHERE EXISTS (SELECT FROM ops.erasure AS e WHERE e.lifted_at IS NULL AND e.client_ids @> ARRAY[m.client_id])

-- name: ban
-- A consent that was never said of a client is no ban; whether one is needed at all, the purpose's owner knows.
INSERT INTO list_reason (client_id, reason)
SELECT m.client_id, 'banned: ' || %(attribute)s::text
FROM list_member AS m
WHERE CASE jsonb_typeof(m.attributes -> %(attribute)s)
    WHEN 'array' THEN EXISTS (
        SELECT FROM jsonb_array_elements_text(m.attributes -> %(attribute)s) AS v
        WHERE (lower(v.value) = ANY (%(values)s::text[])) <> %(others)s
    )
    ELSE (lower(m.attributes ->> %(attribute)s) = ANY (%(values)s::text[])) <> %(others)s
END

-- name: guard
INSERT INTO list_reason (client_id, reason)
SELECT m.client_id, %(guard)s::text
FROM list_member AS m
WHERE m.client_id IN (SELECT q.client_id FROM ({query}) AS q)

-- name: member_ids
SELECT client_id FROM list_member

-- name: complaints
SELECT e.client_id FROM {of} AS e WHERE e.occurred_on >= %(today)s::date - {since}

-- name: promises
SELECT p.client_id
FROM onefold_v1.fct_promise_outcome AS p
WHERE p.client_id {among} AND p.is_counted AND p.outcome IN ('missed', 'overdue') AND p.due_on >= %(today)s::date - {since}

-- name: list
-- What was overridden is told too. A ban is not among what an override may name.
SELECT m.client_id::text, m.kind, m.display_name, core.golden_text(m.attributes, 'email') AS email,
    core.golden_text(m.attributes, 'phone') AS phone, m.probability, m.entered_at::text,
    coalesce(array_agg(DISTINCT r.reason ORDER BY r.reason) FILTER (WHERE r.reason IS NOT NULL AND o.made_by IS NULL), '{}') AS left_out,
    coalesce(array_agg(DISTINCT r.reason ORDER BY r.reason) FILTER (WHERE r.reason IS NOT NULL AND o.made_by IS NOT NULL), '{}')
        AS overridden,
    max(o.made_by) AS overridden_by
FROM list_member AS m
LEFT JOIN list_reason AS r ON r.client_id = m.client_id
LEFT JOIN LATERAL (
    SELECT o.made_by
    FROM ops.guard_override AS o
    WHERE (o.client_id = m.client_id OR EXISTS (
            SELECT FROM onefold_v1.xref_client_redirect AS x
            WHERE x.old_client_id = o.client_id AND x.client_id = m.client_id AND NOT x.is_deleted
        ))
        AND o.purpose = %(purpose)s AND r.reason = ANY (o.guards) AND o.ended_at IS NULL AND o.until >= %(today)s::date
    ORDER BY o.override_id DESC
    LIMIT 1
) AS o ON true
GROUP BY m.client_id, m.kind, m.display_name, m.attributes, m.probability, m.entered_at
ORDER BY m.client_id

-- name: override
INSERT INTO ops.guard_override (client_id, purpose, guards, reason, made_by, made_at, until)
VALUES (%(client_id)s, %(purpose)s, %(guards)s, %(reason)s, %(by)s, %(at)s, %(until)s)
RETURNING override_id

-- name: end_override
UPDATE ops.guard_override SET ended_at = %(at)s, ended_by = %(by)s
WHERE override_id = %(override_id)s AND ended_at IS NULL

-- name: overrides
SELECT o.override_id, o.client_id::text, c.display_name, o.purpose, o.guards, o.reason, o.made_by, o.made_at::text,
    o.until::text, o.ended_at::text, o.ended_by, o.ended_at IS NULL AND o.until >= %(today)s::date AS is_in_force
FROM ops.guard_override AS o
LEFT JOIN core.client AS c ON c.client_id = o.client_id
ORDER BY o.override_id DESC
LIMIT %(limit)s

-- name: note_use
INSERT INTO ops.segment_use (at, who, how, purpose, scheme, segment, clients, left_out)
VALUES (%(at)s, %(who)s, %(how)s, %(purpose)s, %(scheme)s, %(segment)s, %(clients)s, %(left_out)s)

-- name: uses
SELECT u.at::text, u.who, u.how, u.purpose, u.scheme, u.segment, u.clients, u.left_out
FROM ops.segment_use AS u
WHERE %(scheme)s::text IS NULL OR u.scheme = %(scheme)s
ORDER BY u.use_id DESC
LIMIT %(limit)s

-- name: last_uses
-- A scheme that nobody has used yet is as old as its first client in it.
SELECT l.scheme, l.review_on, l.used_at,
    CASE WHEN l.used_at IS NULL
        THEN (SELECT min(c.entered_at) FROM core.client_segment AS c WHERE c.scheme = l.scheme)
    END AS began_at
FROM (
    SELECT s.scheme, s.review_on, (SELECT max(u.at) FROM ops.segment_use AS u WHERE u.scheme = s.scheme) AS used_at
    FROM core.segment_scheme AS s
    WHERE s.is_served
) AS l
ORDER BY l.scheme COLLATE "C"
