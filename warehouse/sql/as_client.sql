-- What a client lived through with the company, as the client would tell it (as_client.py). Of one client at a time.

-- name: span
SELECT min(i.occurred_on)::text AS first_on, max(i.occurred_on)::text AS last_on, count(*)::integer AS dealings
FROM onefold_v1.fct_interaction AS i
WHERE i.client_id = %(client_id)s AND NOT i.is_deleted

-- name: promises
SELECT p.kind, p.type, t.label_en, t.label_ru,
    count(*) FILTER (WHERE p.outcome = 'kept')::integer AS kept,
    count(*) FILTER (WHERE p.outcome = 'missed')::integer AS missed,
    count(*) FILTER (WHERE p.outcome = 'overdue')::integer AS overdue,
    count(*) FILTER (WHERE p.outcome = 'open')::integer AS open,
    max(coalesce(p.days_late, p.days_overdue)) FILTER (WHERE p.outcome IN ('missed', 'overdue')) AS most_days_late
FROM (
    -- as: as_client.promised
) AS p
JOIN onefold_v1.dim_interaction_type AS t ON t.type = p.type
GROUP BY p.kind, p.type, t.label_en, t.label_ru
ORDER BY p.kind COLLATE "C", p.type COLLATE "C"

-- name: broken
-- The latest first.
SELECT p.kind, p.type, t.label_en, t.label_ru, p.document_number, p.summary, p.due_on::text, p.actual_on::text,
    coalesce(p.days_late, p.days_overdue) AS days_late, p.outcome, p.due_value::text, p.actual_value::text
FROM (
    -- as: as_client.promised
) AS p
JOIN onefold_v1.dim_interaction_type AS t ON t.type = p.type
WHERE p.outcome IN ('missed', 'overdue')
ORDER BY p.due_on DESC NULLS LAST, p.promise_key
LIMIT %(limit)s

-- name: waits
-- How long it waited for each thing that came: from the order where there is one, else from the dealing's own day.
SELECT w.kind, w.type, t.label_en, t.label_ru, count(*)::integer AS times,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY w.days)::integer AS median_days, max(w.days)::integer AS most_days
FROM (
    SELECT p.kind, p.type, p.actual_on - p.since_on AS days
    FROM (
        -- as: as_client.promised
    ) AS p
    WHERE p.actual_on IS NOT NULL
) AS w
JOIN onefold_v1.dim_interaction_type AS t ON t.type = w.type
-- A dealing that is dated by what came of it tells no wait.
WHERE w.days >= 0
GROUP BY w.kind, w.type, t.label_en, t.label_ru
ORDER BY w.kind COLLATE "C", w.type COLLATE "C"

-- name: request
-- What it asked and complained of, and what became of it.
SELECT i.record_id, i.type, t.label_en, t.label_ru, i.document_number, i.summary, i.occurred_on::text AS asked_on,
    p.due_on::text, p.actual_on::text AS answered_on, i.detail ->> 'status' AS status,
    p.actual_on IS NOT NULL OR i.detail ->> 'closed_at' IS NOT NULL OR lower(coalesce(i.detail ->> 'status', ''))
        IN ('closed', 'resolved', 'solved', 'done', 'закрыта', 'решена', 'закрыто', 'решено') AS is_answered,
    p.record_id IS NOT NULL OR i.detail ->> 'closed_at' IS NOT NULL OR i.detail ->> 'status' IS NOT NULL AS is_known,
    CASE WHEN p.actual_on IS NOT NULL THEN p.actual_on - i.occurred_on ELSE %(day)s::date - i.occurred_on END AS days,
    p.outcome
FROM onefold_v1.fct_interaction AS i
JOIN onefold_v1.dim_interaction_type AS t ON t.type = i.type
LEFT JOIN onefold_v1.fct_promise AS p ON p.record_id = i.record_id AND p.kind = 'answer' AND NOT p.is_deleted
WHERE i.client_id = %(client_id)s AND i.type IN ('service_ticket', 'complaint') AND NOT i.is_deleted

-- name: asked
SELECT count(*) FILTER (WHERE r.is_known AND NOT r.is_answered)::integer AS unanswered,
    count(*) FILTER (WHERE r.type = 'complaint')::integer AS complaints,
    round(avg(r.days) FILTER (WHERE r.answered_on IS NOT NULL), 1)::double precision AS answer_days
FROM ({request}) AS r

-- name: unanswered
-- The longest first.
SELECT r.* FROM ({request}) AS r
WHERE r.is_known AND NOT r.is_answered
ORDER BY r.days DESC NULLS LAST, r.record_id
LIMIT %(limit)s

-- name: complaints
-- The latest first.
SELECT r.* FROM ({request}) AS r
WHERE r.type = 'complaint'
ORDER BY r.asked_on DESC NULLS LAST, r.record_id
LIMIT %(limit)s

-- name: repeats
-- The same words within 30 days of the time before.
SELECT r.type, t.label_en, t.label_ru, r.summary, count(*)::integer AS times, min(r.before_on)::text AS first_on,
    max(r.occurred_on)::text AS last_on, count(*) OVER ()::integer AS of_all
FROM (
    SELECT i.type, i.summary, i.occurred_on, lower(btrim(i.summary)) AS words,
        lag(i.occurred_on) OVER (PARTITION BY lower(btrim(i.summary)) ORDER BY i.occurred_on, i.record_id) AS before_on
    FROM onefold_v1.fct_interaction AS i
    JOIN onefold_v1.dim_interaction_type AS t ON t.type = i.type
    WHERE i.client_id = %(client_id)s AND i.type IN ('service_ticket', 'complaint', 'email', 'call', 'message')
        AND coalesce(i.direction, t.direction) = 'inbound' AND btrim(i.summary) <> '' AND NOT i.is_deleted
) AS r
JOIN onefold_v1.dim_interaction_type AS t ON t.type = r.type
WHERE r.occurred_on - r.before_on <= 30
GROUP BY r.words, r.type, t.label_en, t.label_ru, r.summary
ORDER BY count(*) DESC, r.summary COLLATE "C", r.type COLLATE "C"
LIMIT %(limit)s

-- name: departments
SELECT t.department, count(*)::integer AS dealings, max(i.occurred_on)::text AS last_on
FROM onefold_v1.fct_interaction AS i
JOIN onefold_v1.dim_interaction_type AS t ON t.type = i.type
WHERE i.client_id = %(client_id)s AND NOT i.is_deleted
    AND NOT EXISTS (SELECT FROM ({mailing}) AS m WHERE m.record_id = i.record_id)
GROUP BY t.department
ORDER BY count(*) DESC, t.department COLLATE "C"

-- name: matters
-- Matters of more than one step: how many departments each went through.
SELECT count(*)::integer AS matters, round(avg(m.departments), 1)::text AS mean_departments,
    max(m.departments)::integer AS most_departments
FROM (
    SELECT count(DISTINCT t.department) AS departments
    FROM onefold_v1.fct_interaction AS i
    JOIN onefold_v1.dim_interaction_type AS t ON t.type = i.type
    WHERE i.client_id = %(client_id)s AND i.chain_id IS NOT NULL AND NOT i.is_deleted
    GROUP BY i.chain_id
    HAVING count(*) > 1
) AS m

-- name: contacts
SELECT
    count(*) FILTER (WHERE coalesce(i.direction, t.direction) = 'inbound')::integer AS by_client,
    count(*) FILTER (WHERE coalesce(i.direction, t.direction) = 'outbound')::integer AS by_company
FROM onefold_v1.fct_interaction AS i
JOIN onefold_v1.dim_interaction_type AS t ON t.type = i.type
WHERE i.client_id = %(client_id)s AND i.parent_record_id IS NULL AND NOT i.is_deleted
    AND i.type IN ('call', 'email', 'message', 'meeting', 'visit', 'service_ticket', 'complaint')
    AND NOT EXISTS (SELECT FROM ({mailing}) AS m WHERE m.record_id = i.record_id)

-- name: not_counted
SELECT i.type, t.label_en, t.label_ru, count(*)::integer AS times, max(i.occurred_on)::text AS last_on
FROM onefold_v1.fct_interaction AS i
JOIN onefold_v1.dim_interaction_type AS t ON t.type = i.type
WHERE i.client_id = %(client_id)s AND NOT i.is_deleted
    AND EXISTS (SELECT FROM ({mailing}) AS m WHERE m.record_id = i.record_id)
GROUP BY i.type, t.label_en, t.label_ru
ORDER BY i.type COLLATE "C"

-- name: mailing
-- Greetings and mailings, by what the configuration says of them; what the client sent is neither.
SELECT i.record_id
FROM onefold_v1.fct_interaction AS i
JOIN onefold_v1.dim_interaction_type AS t ON t.type = i.type
WHERE coalesce(i.direction, t.direction, 'outbound') <> 'inbound' AND (
    i.type = ANY ({types}) OR lower(i.channel) = ANY ({channels}) OR lower(i.detail ->> 'kind') = ANY ({kinds})
    OR i.summary ILIKE ANY ({words})
)

-- name: promise
-- Each promise once.
SELECT p.promise_key, p.record_id, p.client_id, p.type, p.kind, p.due_on, p.actual_on, p.due_value, p.actual_value,
    CASE p.outcome WHEN 'kept' THEN true WHEN 'missed' THEN false END AS is_kept, p.days_late, p.outcome, p.days_overdue
FROM onefold_v1.fct_promise_outcome AS p
WHERE p.is_counted

-- name: promised
-- The same of one client, by way of its dealings: joined in one go, as the view does, the promises of all clients are
-- read, since nobody foresees how few dealings a client has. `since_on`: from when it waited.
WITH mine AS MATERIALIZED (
    SELECT i.record_id, i.source, i.occurred_on, i.parent_record_id, i.event_id, i.document_number, i.summary, i.is_deleted
    FROM onefold_v1.fct_interaction AS i
    WHERE i.client_id = %(client_id)s
), told AS MATERIALIZED (
    -- By themselves, or they would be read in the order of what follows, and each compared with all of `mine`.
    SELECT p.promise_key, p.record_id, p.type, p.kind, p.due_on, p.actual_on, p.due_value, p.actual_value, p.days_late,
        p.outcome, p.days_overdue
    FROM onefold_v1.fct_promise AS p
    WHERE p.record_id = ANY (ARRAY(SELECT record_id FROM mine)) AND NOT p.is_deleted
)
SELECT DISTINCT ON (n.kind, n.due_on, n.due_value, n.event_id, n.number)
    n.promise_key, n.type, n.kind, n.due_on, n.actual_on, n.due_value, n.actual_value, n.days_late, n.outcome,
    n.days_overdue, n.document_number, n.summary, n.since_on
FROM (
    SELECT p.promise_key, p.type, p.kind, p.due_on, p.actual_on, p.due_value, p.actual_value, p.days_late, p.outcome,
        p.days_overdue, i.document_number, i.summary, coalesce(a.occurred_on, i.occurred_on) AS since_on,
        coalesce(i.event_id, a.event_id, i.record_id) AS event_id, i.event_id IS NOT NULL AS is_copy,
        row_number() OVER (
            PARTITION BY p.kind, p.due_on, p.due_value, coalesce(i.event_id, a.event_id, i.record_id), i.source, p.type
            ORDER BY p.promise_key
        ) AS number
    FROM told AS p
    JOIN mine AS i ON i.record_id = p.record_id
    LEFT JOIN mine AS a ON a.record_id = i.parent_record_id AND NOT a.is_deleted
) AS n
ORDER BY n.kind, n.due_on, n.due_value, n.event_id, n.number, n.is_copy, n.promise_key
