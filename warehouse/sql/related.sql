-- Relationships that identifiers and people state. The one who states such a relationship is the number or the judgement
-- itself: where core.relationship names the stating record it holds that one's hash, which is no record's id.

-- name: are_any
-- A number that relates, or a relationship that one once stated.
SELECT EXISTS (SELECT FROM identity.identifier WHERE is_valid AND type = ANY (%(types)s::text[]))
    OR EXISTS (SELECT FROM core.relationship)
    OR EXISTS (SELECT FROM identity.judgement WHERE verdict = 'related')

-- name: find_numbers
-- Numbers of these records, and of those that one of them was related to by number until now: a number that has left
-- a record is found with whoever else holds it.
CREATE TEMP TABLE linking_number ON COMMIT DROP AS
WITH touched AS (
    SELECT t.record_id, NULL::bigint AS stated_by
    FROM unnest(%(record_ids)s::bigint[]) AS t (record_id)
    UNION ALL
    SELECT e.other_id, e.stated_by
    FROM (
        SELECT to_record_id AS other_id, record_id AS stated_by FROM core.relationship
        WHERE from_record_id = ANY (%(record_ids)s::bigint[]) AND NOT is_deleted
        UNION ALL
        SELECT from_record_id, record_id FROM core.relationship
        WHERE to_record_id = ANY (%(record_ids)s::bigint[]) AND NOT is_deleted
    ) AS e
    WHERE NOT EXISTS (SELECT FROM raw.record AS w WHERE w.record_id = e.stated_by)
), number AS (
    SELECT DISTINCT i.type, i.value
    FROM touched AS t
    -- Record by record: all identifiers of these types are many more.
    CROSS JOIN LATERAL (
        SELECT n.type, n.value FROM identity.identifier AS n
        WHERE n.record_id = t.record_id AND n.is_valid AND n.type = ANY (%(types)s::text[])
        OFFSET 0
    ) AS i
)
SELECT n.type, n.value,
    ('x' || encode(substring(sha256(convert_to(n.type || ':' || n.value, 'UTF8')) FOR 8), 'hex'))::bit(64)::bigint
        AS stated_by
FROM number AS n
UNION ALL
SELECT NULL, NULL, t.stated_by FROM touched AS t WHERE t.stated_by IS NOT NULL
UNION ALL
SELECT 'judgement', j.judgement_id::text,
    ('x' || encode(substring(sha256(convert_to('judgement:' || j.judgement_id, 'UTF8')) FOR 8), 'hex'))::bit(64)::bigint
FROM identity.judgement AS j
WHERE j.verdict = 'related'
    AND (j.left_ids && %(record_ids)s::bigint[] OR j.right_ids && %(record_ids)s::bigint[])

-- name: stating
SELECT DISTINCT stated_by FROM linking_number

-- name: analyze_numbers
ANALYZE pg_temp.linking_number

-- name: find_holders
-- A party with several of a kind, or with none but one holder, relates nobody.
CREATE TEMP TABLE holder ON COMMIT DROP AS
SELECT n.stated_by, n.type, n.value, r.record_id, r.kind, r.postcode,
    row_number() OVER (
        PARTITION BY n.stated_by, r.kind
        ORDER BY r.source COLLATE "C", r.stream COLLATE "C", r.source_key COLLATE "C"
    ) AS rank
FROM (
    SELECT l.stated_by, l.type, l.value
    FROM linking_number AS l
    JOIN identity.identifier AS i ON i.value = l.value AND i.type = l.type AND i.is_valid
    GROUP BY l.stated_by, l.type, l.value
    HAVING count(*) > 1
) AS n
JOIN identity.identifier AS i ON i.value = n.value AND i.type = n.type AND i.is_valid
JOIN identity.standard_record AS r ON r.record_id = i.record_id AND NOT r.is_own

-- name: analyze_holders
ANALYZE pg_temp.holder

-- name: analyze_stated
ANALYZE pg_temp.stated_relationship

-- name: state_owners
-- A sole proprietor is an organisation, its owner a person; they share a number. Every person with the number owns the
-- first organisation with it, and the first person every organisation: all are related, and no list grows with both.
INSERT INTO stated_relationship (record_id, from_record_id, to_record_id, type, role)
SELECT DISTINCT p.stated_by, p.record_id, o.record_id, 'owner_of', 'sole proprietor'
FROM holder AS p
JOIN holder AS o ON o.stated_by = p.stated_by AND o.kind = 'organisation' AND (p.rank = 1 OR o.rank = 1)
WHERE p.kind = 'person' AND (p.type = 'ogrnip' OR p.type = 'inn' AND length(p.value) = 12)

-- name: state_branches
-- Sites of one legal entity: by KPP, of which the fifth and sixth digit are 01 for the head and 50 for no site at all;
-- where a client is an establishment, also by the postcode of a VAT number.
INSERT INTO stated_relationship (record_id, from_record_id, to_record_id, type, role)
WITH site AS (
    SELECT h.stated_by, h.record_id, h.rank, k.value AS site, substring(k.value FROM 5 FOR 2) = '01' AS is_head,
        'KPP ' || k.value AS role
    FROM holder AS h
    JOIN identity.identifier AS k ON k.record_id = h.record_id AND k.type = 'kpp' AND k.is_valid
    WHERE h.type = 'inn' AND h.kind = 'organisation' AND substring(k.value FROM 5 FOR 2) <> '50'
    UNION ALL
    SELECT h.stated_by, h.record_id, h.rank, h.postcode, false, 'postcode ' || h.postcode
    FROM holder AS h
    WHERE h.type = 'vat' AND h.kind = 'organisation' AND h.postcode IS NOT NULL
), head AS (
    SELECT DISTINCT ON (stated_by) stated_by, record_id
    FROM site
    ORDER BY stated_by, is_head DESC, rank
)
SELECT s.stated_by, s.record_id, head.record_id, 'branch_of', string_agg(s.role, ', ' ORDER BY s.site COLLATE "C")
FROM site AS s
JOIN head ON head.stated_by = s.stated_by
LEFT JOIN site AS same ON same.stated_by = head.stated_by AND same.record_id = head.record_id AND same.site = s.site
GROUP BY s.stated_by, s.record_id, head.record_id
HAVING count(same.site) = 0

-- name: state_judged
-- What people say holds while both records are there, are still whom it was said of, and the judgement is in force.
INSERT INTO stated_relationship (record_id, from_record_id, to_record_id, type, role)
SELECT n.stated_by, f.record_id, t.record_id, j.relationship, NULL
FROM (SELECT DISTINCT stated_by, value FROM linking_number WHERE type = 'judgement') AS n
JOIN identity.judgement AS j ON j.judgement_id = n.value::bigint
CROSS JOIN unnest(j.left_ids) AS f (record_id)
CROSS JOIN unnest(j.right_ids) AS t (record_id)
WHERE NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = j.judgement_id)
    AND EXISTS (SELECT FROM identity.standard_record AS r WHERE r.record_id = f.record_id)
    AND EXISTS (SELECT FROM identity.standard_record AS r WHERE r.record_id = t.record_id)
    AND NOT EXISTS (
        SELECT FROM identity.judged_record AS v
        WHERE v.judgement_id = j.judgement_id AND v.record_id IN (f.record_id, t.record_id) AND v.is_suspended
    )

-- name: drop
DROP TABLE IF EXISTS linking_number, holder
