-- Decided cases that are asked once more (case_repeats.py).

-- name: add
INSERT INTO ops.case_repeat (fingerprint, judgement_id, verdict, decided_by, due_at, seen)
VALUES (%(case)s::uuid, %(judgement_id)s, %(verdict)s, %(by)s, %(due_at)s, %(seen)s)

-- name: due
-- Never what somebody has taken back since: there is no answer to compare with.
SELECT r.repeat_id, r.fingerprint::text, r.seen FROM ops.case_repeat AS r
JOIN identity.review_case AS c ON c.fingerprint = r.fingerprint AND c.status <> 'open'
WHERE r.second_verdict IS NULL AND (%(case)s::uuid IS NULL OR r.fingerprint = %(case)s::uuid)
    -- A decision that two took is theirs both.
    AND (r.due_at <= %(now)s OR lower(%(by)s) <> ALL (string_to_array(lower(r.decided_by), ', confirmed by ')))
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = r.judgement_id)
ORDER BY r.repeat_id
LIMIT 1

-- name: answer
UPDATE ops.case_repeat SET second_verdict = %(verdict)s, answered_by = %(by)s, answered_at = %(at)s
WHERE repeat_id = %(repeat_id)s AND second_verdict IS NULL

-- name: agreement
-- Of the process, never of a person: nothing here says who.
SELECT r.verdict, count(*) AS asked, count(*) FILTER (WHERE r.second_verdict = r.verdict) AS agreed,
    count(*) FILTER (WHERE w.is_same) AS same_person,
    count(*) FILTER (WHERE w.is_same AND r.second_verdict = r.verdict) AS same_person_agreed
FROM ops.case_repeat AS r
CROSS JOIN LATERAL (
    SELECT lower(r.answered_by) = ANY (string_to_array(lower(r.decided_by), ', confirmed by ')) AS is_same
) AS w
WHERE r.second_verdict IS NOT NULL AND r.answered_at >= %(since)s
GROUP BY r.verdict
ORDER BY r.verdict

-- name: disagreements
SELECT r.fingerprint::text AS case, r.verdict, r.second_verdict FROM ops.case_repeat AS r
WHERE r.second_verdict IS NOT NULL AND r.second_verdict <> r.verdict AND r.answered_at >= %(since)s
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = r.judgement_id)
ORDER BY r.answered_at DESC
LIMIT 100

-- name: reversals
SELECT count(*) AS decided,
    count(*) FILTER (WHERE EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = e.judgement_id)) AS undone
FROM ops.case_event AS e
WHERE e.action = 'decided' AND e.at >= %(since)s

-- name: waiting
SELECT count(*) FROM ops.case_repeat WHERE second_verdict IS NULL
