-- What is done on review cases (desk.py).

-- name: lock
-- Who does something on a case waits for who does something on it just now.
SELECT status FROM identity.review_case WHERE fingerprint = %(case)s::uuid FOR UPDATE

-- name: of_case
SELECT d.assignee, d.deferred_until::text FROM ops.case_desk AS d WHERE d.fingerprint = %(case)s::uuid

-- name: assign
INSERT INTO ops.case_desk AS d (fingerprint, assignee) VALUES (%(case)s::uuid, %(assignee)s)
ON CONFLICT (fingerprint) DO UPDATE SET assignee = excluded.assignee

-- name: defer
INSERT INTO ops.case_desk AS d (fingerprint, deferred_until) VALUES (%(case)s::uuid, %(until)s)
ON CONFLICT (fingerprint) DO UPDATE SET deferred_until = excluded.deferred_until

-- name: add_event
INSERT INTO ops.case_event (fingerprint, action, done_by, at, assignee, until, verdict, judgement_id, batch_id, note)
VALUES (
    %(case)s::uuid, %(action)s, %(by)s, %(at)s, %(assignee)s, %(until)s, %(verdict)s, %(judgement_id)s,
    %(batch_id)s::uuid, %(note)s
)

-- name: events
SELECT e.event_id, e.action, e.done_by, e.at::text, e.assignee, e.until::text, e.verdict, e.judgement_id,
    e.batch_id::text, e.note,
    e.action = 'decided' AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = e.judgement_id) AS is_in_force
FROM ops.case_event AS e
WHERE e.fingerprint = %(case)s::uuid
ORDER BY e.event_id DESC
LIMIT %(limit)s

-- name: undone
-- A judgement that is lifted is told on every case that it decided.
INSERT INTO ops.case_event (fingerprint, action, done_by, at, judgement_id, batch_id, note)
SELECT e.fingerprint, 'undone', %(by)s, %(at)s, e.judgement_id, e.batch_id, %(note)s
FROM ops.case_event AS e
WHERE e.judgement_id = %(judgement_id)s AND e.action = 'decided'
ORDER BY e.event_id

-- name: stewards
SELECT login FROM ops.account WHERE is_active AND role IN ('steward', 'admin') ORDER BY lower(login)

-- name: propose
INSERT INTO ops.case_proposal (
    fingerprint, verdict, left_ids, right_ids, relationship, reason, seen, proposed_by, proposed_at
)
VALUES (
    %(case)s::uuid, %(verdict)s, %(left_ids)s::bigint[], %(right_ids)s::bigint[], %(relationship)s, %(reason)s, %(seen)s,
    %(by)s, %(at)s
)
RETURNING proposal_id

-- name: open_proposal
SELECT proposal_id, verdict, left_ids, right_ids, relationship, reason, seen, proposed_by, proposed_at::text
FROM ops.case_proposal
WHERE fingerprint = %(case)s::uuid AND state = 'open'

-- name: answer_proposal
UPDATE ops.case_proposal SET state = %(state)s, answered_by = %(by)s, answered_at = %(at)s
WHERE proposal_id = %(proposal_id)s AND state = 'open'

-- name: withdraw_answer
-- Never opened again where its word was stored.
UPDATE ops.case_proposal AS p SET state = %(state)s,
    answered_by = CASE WHEN %(state)s <> 'open' THEN answered_by END,
    answered_at = CASE WHEN %(state)s <> 'open' THEN answered_at END
WHERE p.proposal_id = %(proposal_id)s AND p.state = 'confirmed' AND (
    %(state)s <> 'open' OR NOT EXISTS (
        SELECT FROM ops.case_event AS e
        WHERE e.fingerprint = p.fingerprint AND e.action = 'decided' AND e.at >= p.answered_at
    )
)

-- name: touched
-- Records and interactions of the clients that these records belong to.
SELECT count(*) AS records, coalesce(sum(i.count), 0)::bigint AS interactions
FROM identity.crosswalk AS x
LEFT JOIN LATERAL (
    SELECT count(*) FROM core.interaction AS f WHERE f.party_record_id = x.record_id AND NOT f.is_deleted
) AS i ON true
WHERE x.client_id IN (SELECT client_id FROM identity.crosswalk WHERE record_id = ANY (%(record_ids)s::bigint[]))

-- name: decided_by
SELECT e.fingerprint::text FROM ops.case_event AS e
WHERE e.judgement_id = %(judgement_id)s AND e.action = 'decided'
ORDER BY e.event_id
LIMIT 1

-- name: confirmed_on
-- The case on which a second person confirmed what this judgement says.
SELECT e.fingerprint::text
FROM ops.case_event AS e
JOIN identity.judgement AS j ON j.judgement_id = e.judgement_id
JOIN ops.case_proposal AS p ON p.fingerprint = e.fingerprint AND p.state = 'confirmed'
    AND (p.verdict, p.left_ids, p.right_ids) = (j.verdict, j.left_ids, j.right_ids) AND p.answered_at <= e.at
WHERE e.judgement_id = %(judgement_id)s AND e.action = 'decided'
LIMIT 1

-- name: undo_proposals
-- Who wants a judgement taken back that two people decided: not where another person has refused that since, nor where
-- it is taken back.
SELECT w.event_id, w.fingerprint, w.judgement_id, w.done_by, w.at
FROM ops.case_event AS w
WHERE w.action = 'proposed' AND w.verdict = 'undo'
    AND NOT EXISTS (
        SELECT FROM ops.case_event AS r
        WHERE r.judgement_id = w.judgement_id AND r.action = 'refused' AND r.event_id > w.event_id
    )
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = w.judgement_id)

-- name: undo_wished
SELECT e.done_by FROM (
    -- as: desk.undo_proposals
) AS e
WHERE e.judgement_id = %(judgement_id)s
ORDER BY e.event_id

-- name: undo_of_case
SELECT e.judgement_id, e.done_by, e.at::text FROM (
    -- as: desk.undo_proposals
) AS e
WHERE e.fingerprint = %(case)s::uuid
ORDER BY e.event_id
LIMIT 1
