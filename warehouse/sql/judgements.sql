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

-- name: keep_versions
-- A judgement that is said again keeps the versions that the former one spoke of, but for one record's if need be.
INSERT INTO identity.judged_record (judgement_id, record_id, content_hash, record, identifiers, is_suspended)
SELECT %(judgement_id)s, v.record_id, v.content_hash, v.record, v.identifiers, v.is_suspended
FROM identity.judged_record AS v
WHERE v.judgement_id = %(former)s AND v.record_id = ANY (%(record_ids)s::bigint[])
    AND v.record_id IS DISTINCT FROM %(but)s::bigint

-- name: add_versions
INSERT INTO identity.judged_record (judgement_id, record_id, content_hash, record, identifiers)
SELECT %(judgement_id)s, s.record_id, s.content_hash, to_jsonb(s), (
    SELECT coalesce(jsonb_agg(
        jsonb_build_object(
            'type', i.type, 'value', i.value, 'is_valid', i.is_valid, 'invalid_reason', i.invalid_reason
        ) ORDER BY i.type COLLATE "C", i.value COLLATE "C"
    ), '[]')
    FROM identity.identifier AS i
    WHERE i.record_id = s.record_id
)
FROM identity.standard_record AS s
WHERE s.record_id = ANY (%(record_ids)s::bigint[])
ORDER BY s.record_id
ON CONFLICT (judgement_id, record_id) DO NOTHING

-- name: doubtful
-- Of judgements in force: records that are not as they were judged, and those that were taken to have changed.
SELECT v.judgement_id, v.record_id, v.is_suspended, coalesce(s.content_hash <> v.content_hash, false)
FROM identity.judged_record AS v
LEFT JOIN identity.standard_record AS s ON s.record_id = v.record_id
WHERE (%(record_ids)s::bigint[] IS NULL OR v.record_id = ANY (%(record_ids)s::bigint[]))
    AND (v.is_suspended OR s.content_hash <> v.content_hash)
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = v.judgement_id)
ORDER BY v.record_id, v.judgement_id

-- name: versions
SELECT {columns}
FROM unnest(%(judgement_ids)s::bigint[], %(record_ids)s::bigint[]) WITH ORDINALITY AS w (judgement_id, record_id, n)
JOIN identity.judged_record AS v ON v.judgement_id = w.judgement_id AND v.record_id = w.record_id
CROSS JOIN LATERAL jsonb_populate_record(NULL::identity.standard_record, v.record) AS r
ORDER BY w.n

-- name: version_identifiers
SELECT {columns}
FROM unnest(%(judgement_ids)s::bigint[], %(record_ids)s::bigint[]) WITH ORDINALITY AS w (judgement_id, record_id, n)
JOIN identity.judged_record AS v ON v.judgement_id = w.judgement_id AND v.record_id = w.record_id
CROSS JOIN LATERAL jsonb_to_recordset(v.identifiers)
    AS r (type text, value text, is_valid boolean, invalid_reason text)
ORDER BY w.n, r.type COLLATE "C", r.value COLLATE "C"

-- name: set_suspended
UPDATE identity.judged_record AS v SET is_suspended = NOT v.is_suspended
FROM unnest(%(judgement_ids)s::bigint[], %(record_ids)s::bigint[]) AS w (judgement_id, record_id)
WHERE v.judgement_id = w.judgement_id AND v.record_id = w.record_id

-- name: forget_suspension
UPDATE identity.judged_record SET is_suspended = false WHERE judgement_id = %(judgement_id)s AND is_suspended

-- name: decide_case
-- Where the judgement speaks of the two that were asked about.
UPDATE identity.review_case AS c SET status = 'decided', closed_at = %(at)s, judgement_id = j.judgement_id
FROM identity.judgement AS j
WHERE c.fingerprint = %(case)s::uuid AND j.judgement_id = %(judgement_id)s
    AND c.record_ids && j.left_ids AND c.record_ids && j.right_ids

-- name: expired_pins
-- Pins in force whose day is over, and those whose record does not say any more of the attribute what it said then.
SELECT j.judgement_id, j.left_ids, j.until, coalesce(j.until < %(today)s, false)
FROM identity.judgement AS j
WHERE j.verdict = 'pin'
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = j.judgement_id)
    AND (
        -- as: judgements.holds_no_longer
    )
ORDER BY j.judgement_id

-- name: holds_no_longer
j.until < %(today)s
OR j.policy = 'until_source_changes' AND NOT EXISTS (
    SELECT FROM identity.judged_record AS v
    JOIN identity.standard_record AS s ON s.record_id = v.record_id
    WHERE v.judgement_id = j.judgement_id
        AND jsonb_path_query_array(s.attributes -> j.attribute, '$[*].v')
            IS NOT DISTINCT FROM jsonb_path_query_array(v.record -> 'attributes' -> j.attribute, '$[*].v')
)

-- name: former_pin
-- The pin whose place a pin took: of the same record and field, lifted at the moment at which that one was said.
SELECT j.verdict, j.left_ids, j.right_ids, j.relationship, j.attribute, j.value, j.policy, j.until, j.reason,
    j.decided_by, j.decided_at, j.judgement_id
FROM identity.judgement AS p
JOIN identity.judgement AS l ON l.left_ids && p.left_ids AND l.decided_at = p.decided_at
JOIN identity.judgement AS j ON j.judgement_id = l.lifts AND j.attribute = p.attribute AND j.left_ids = p.left_ids
WHERE p.judgement_id = %(judgement_id)s
    AND (
        -- as: judgements.holds_no_longer
    ) IS NOT TRUE

-- name: release_cases
UPDATE identity.review_case SET status = 'closed', judgement_id = NULL WHERE judgement_id = %(judgement_id)s

-- name: in_force
SELECT j.verdict, j.left_ids, j.right_ids, j.relationship, j.attribute, j.value, j.policy, j.until, j.reason,
    j.decided_by, j.decided_at, j.judgement_id, (
        SELECT coalesce(array_agg(v.record_id ORDER BY v.record_id), '{}')
        FROM identity.judged_record AS v
        WHERE v.judgement_id = j.judgement_id AND v.is_suspended
    ), (
        SELECT coalesce(array_agg(f.former_id ORDER BY v.record_id), '{}')
        FROM identity.judged_record AS v
        LEFT JOIN identity.former_record AS f ON f.record_id = v.record_id AND f.content_hash = v.content_hash
        WHERE v.judgement_id = j.judgement_id AND v.is_suspended
    )
FROM identity.judgement AS j
WHERE j.verdict <> 'lift'
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = j.judgement_id)
    AND (%(verdicts)s::text[] IS NULL OR j.verdict = ANY (%(verdicts)s::text[]))
    AND (
        %(record_ids)s::bigint[] IS NULL
        OR j.left_ids && %(record_ids)s::bigint[] OR j.right_ids && %(record_ids)s::bigint[]
        OR EXISTS (
            SELECT FROM identity.former_record AS f
            JOIN identity.judged_record AS v ON v.record_id = f.record_id AND v.content_hash = f.content_hash
            WHERE f.former_id = ANY (%(record_ids)s::bigint[]) AND v.judgement_id = j.judgement_id AND v.is_suspended
        )
    )
ORDER BY j.judgement_id

-- name: effect_of
-- What waits of its records is taken out of the queues by the transactions that bring it into effect.
SELECT j.judgement_id, j.verdict,
    NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = j.judgement_id) AS in_force, (
        SELECT count(DISTINCT p.record_id) FROM ops.pending AS p
        WHERE p.step IN ('resolve', 'publish') AND p.record_id = ANY (j.left_ids || j.right_ids)
    ) AS waiting
FROM identity.judgement AS j
WHERE j.judgement_id = %(judgement_id)s AND j.verdict <> 'lift'

-- name: stated_apart
-- One member may be the same firm kept twice; a group above several is something else.
SELECT to_record_id, array_agg(DISTINCT from_record_id ORDER BY from_record_id)
FROM core.relationship
WHERE type = 'member_of' AND NOT is_deleted AND from_record_id <> to_record_id
GROUP BY to_record_id
HAVING count(DISTINCT from_record_id) > 1
ORDER BY to_record_id

-- name: different_numbers
-- Types of which both sides have valid values, and none in common.
SELECT n.type
FROM (
    SELECT i.type, i.value, i.record_id = ANY (%(left_ids)s::bigint[]) AS is_left
    FROM identity.identifier AS i
    WHERE i.record_id = ANY (%(left_ids)s::bigint[] || %(right_ids)s::bigint[])
        AND i.is_valid AND i.type = ANY (%(types)s::text[])
) AS n
GROUP BY n.type
HAVING bool_or(n.is_left) AND bool_or(NOT n.is_left)
    AND count(DISTINCT n.value)
        = count(DISTINCT n.value) FILTER (WHERE n.is_left) + count(DISTINCT n.value) FILTER (WHERE NOT n.is_left)
ORDER BY n.type
