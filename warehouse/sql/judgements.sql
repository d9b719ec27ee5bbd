-- name: add
INSERT INTO identity.judgement (
    verdict, left_ids, right_ids, relationship, attribute, value, policy, until, reason, decided_by, decided_at
)
VALUES (
    %(verdict)s, %(left_ids)s::bigint[], %(right_ids)s::bigint[], %(relationship)s, %(attribute)s, %(value)s,
    %(policy)s, %(until)s, %(reason)s, %(by)s, %(at)s
)
RETURNING judgement_id

-- name: lift
INSERT INTO identity.judgement (verdict, left_ids, right_ids, lifts, reason, decided_by, decided_at)
SELECT 'lift', j.left_ids, j.right_ids, j.judgement_id, %(reason)s, %(by)s, %(at)s
FROM identity.judgement AS j
WHERE j.judgement_id = %(judgement_id)s

-- name: decide_case
UPDATE identity.review_case SET status = 'decided', closed_at = %(at)s, judgement_id = %(judgement_id)s
WHERE fingerprint = %(case)s::uuid

-- name: release_cases
UPDATE identity.review_case SET status = 'closed', judgement_id = NULL WHERE judgement_id = %(judgement_id)s

-- name: in_force
SELECT j.verdict, j.left_ids, j.right_ids, j.relationship, j.attribute, j.value, j.policy, j.until, j.reason,
    j.decided_by, j.decided_at, j.judgement_id
FROM identity.judgement AS j
WHERE j.verdict <> 'lift'
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = j.judgement_id)
    AND (%(verdicts)s::text[] IS NULL OR j.verdict = ANY (%(verdicts)s::text[]))
    AND (
        %(record_ids)s::bigint[] IS NULL
        OR j.left_ids && %(record_ids)s::bigint[] OR j.right_ids && %(record_ids)s::bigint[]
    )
ORDER BY j.judgement_id

-- name: stated_apart
-- One member may be the same firm kept twice; a group above several is something else.
SELECT to_record_id, array_agg(DISTINCT from_record_id ORDER BY from_record_id)
FROM core.relationship
WHERE type = 'member_of' AND NOT is_deleted AND from_record_id <> to_record_id
GROUP BY to_record_id
HAVING count(DISTINCT from_record_id) > 1
ORDER BY to_record_id
