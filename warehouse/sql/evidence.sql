-- What a resolution knows of the register beside its records: keys, points, pairs, refused blocks, generic values.

-- name: pairs
SELECT left_id, right_id, weight, model_version FROM identity.pair ORDER BY left_id, right_id

-- name: pairs_of
SELECT left_id, right_id, weight, model_version FROM identity.pair WHERE left_id = ANY (%(record_ids)s::bigint[])
UNION
SELECT left_id, right_id, weight, model_version FROM identity.pair WHERE right_id = ANY (%(record_ids)s::bigint[])
ORDER BY left_id, right_id

-- name: keys
SELECT key, record_id FROM identity.blocking_key ORDER BY record_id, key

-- name: keys_of
SELECT k.key, l.record_id FROM identity.key_list AS l CROSS JOIN LATERAL unnest(l.keys) AS k (key)
WHERE l.record_id = ANY (%(record_ids)s::bigint[])
ORDER BY l.record_id, k.key

-- name: drop_key_lists
DELETE FROM identity.key_list WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: drop_keys
DELETE FROM identity.blocking_key AS t
USING unnest(%(key)s::bigint[], %(record_id)s::bigint[]) AS gone (key, record_id)
WHERE t.key = gone.key AND t.record_id = gone.record_id

-- name: records_scope
t.record_id = ANY (%(record_ids)s::bigint[])

-- name: block_members
SELECT key, record_id FROM identity.blocking_key WHERE key = ANY (%(keys)s::bigint[])

-- name: block_sizes
-- Of the blocks that a record's point is in: how many points each holds.
SELECT k.key, count(*)
FROM identity.blocking_key AS k
WHERE k.key IN (
    SELECT unnest(own.keys) FROM identity.key_list AS own
    JOIN identity.point AS p ON p.first_id = own.record_id
    WHERE p.record_id = ANY (%(record_ids)s::bigint[])
)
GROUP BY k.key

-- name: refused_blocks
SELECT key, size FROM identity.refused_block WHERE key = ANY (%(keys)s::bigint[]) ORDER BY key

-- name: points
SELECT record_id, fingerprint, first_id FROM identity.point WHERE record_id = ANY (%(record_ids)s::bigint[])
ORDER BY record_id

-- name: alike
SELECT p.record_id, p.fingerprint, p.first_id, r.source, r.stream, r.source_key
FROM identity.point AS p
JOIN identity.standard_record AS r ON r.record_id = p.record_id
WHERE p.fingerprint = ANY (%(fingerprints)s::bigint[])
ORDER BY r.source COLLATE "C", r.stream COLLATE "C", r.source_key COLLATE "C"

-- name: generic_values
SELECT kind, type, value, names FROM identity.generic_value
ORDER BY kind COLLATE "C", type COLLATE "C", value COLLATE "C"

-- name: generic_values_of
-- Every value that these records bear, or bore as a generic one at the last resolution.
SELECT i.type, i.value FROM identity.identifier AS i
WHERE i.record_id = ANY (%(record_ids)s::bigint[]) AND i.is_valid
UNION
SELECT h.type, h.value FROM identity.generic_holder AS h WHERE h.record_id = ANY (%(record_ids)s::bigint[])
UNION
SELECT 'address', (r.street || E'\t' || r.house || E'\t' || r.postcode) FROM identity.standard_record AS r
WHERE r.record_id = ANY (%(record_ids)s::bigint[]) AND r.kind = 'organisation'
    AND r.street <> '' AND r.house <> '' AND r.postcode <> ''

-- name: names_behind
-- As identity.generic counts them: a person's family name, else the organisation's, else the whole name; behind an INN
-- the names of each site by themselves.
SELECT n.kind, n.type, n.value, max(n.names) AS names
FROM (
    SELECT r.kind, i.type, i.value, s.site,
        count(DISTINCT nullif(coalesce(r.family_latin, r.org_latin, r.full_latin), '')) AS names
    FROM pg_temp.wanted_value AS w
    JOIN identity.identifier AS i ON i.value = w.value AND i.type = w.type AND i.is_valid
    JOIN identity.standard_record AS r ON r.record_id = i.record_id
    LEFT JOIN LATERAL (
        SELECT min(k.value COLLATE "C") AS site FROM identity.identifier AS k
        WHERE i.type = 'inn' AND k.record_id = i.record_id AND k.type = 'kpp' AND k.is_valid
    ) AS s ON true
    GROUP BY r.kind, i.type, i.value, s.site
    UNION ALL
    SELECT r.kind, w.type, w.value, NULL, count(DISTINCT nullif(coalesce(r.family_latin, r.org_latin, r.full_latin), ''))
    FROM pg_temp.wanted_value AS w
    JOIN identity.standard_record AS r ON (r.street || E'\t' || r.house || E'\t' || r.postcode) = w.value
    WHERE w.type = 'address' AND r.kind = 'organisation' AND r.street <> '' AND r.house <> '' AND r.postcode <> ''
    GROUP BY r.kind, w.type, w.value
) AS n
GROUP BY n.kind, n.type, n.value
HAVING max(n.names) > %(more_than)s

-- name: holders
SELECT DISTINCT i.record_id
FROM pg_temp.wanted_value AS w
JOIN identity.identifier AS i ON i.value = w.value AND i.type = w.type AND i.is_valid
UNION
SELECT r.record_id
FROM pg_temp.wanted_value AS w
JOIN identity.standard_record AS r ON (r.street || E'\t' || r.house || E'\t' || r.postcode) = w.value
WHERE w.type = 'address' AND r.kind = 'organisation' AND r.street <> '' AND r.house <> '' AND r.postcode <> ''
ORDER BY 1

-- name: bearers
SELECT DISTINCT h.record_id
FROM unnest(%(types)s::text[], %(values)s::text[]) AS w (type, value)
-- Value by value: each by the index.
CROSS JOIN LATERAL (
    SELECT i.record_id FROM identity.identifier AS i WHERE i.value = w.value AND i.type = w.type AND i.is_valid
    UNION ALL
    SELECT r.record_id FROM identity.standard_record AS r
    WHERE w.type = 'address' AND (r.street || E'\t' || r.house || E'\t' || r.postcode) = w.value
        AND r.kind = 'organisation' AND r.street <> '' AND r.house <> '' AND r.postcode <> ''
) AS h
ORDER BY 1

-- name: generic_holders
SELECT DISTINCT i.record_id, i.type, i.value
FROM identity.generic_value AS g
JOIN identity.identifier AS i ON i.value = g.value AND i.type = g.type AND i.is_valid
JOIN identity.standard_record AS r ON r.record_id = i.record_id AND r.kind = g.kind
UNION ALL
SELECT r.record_id, g.type, g.value
FROM identity.generic_value AS g
JOIN identity.standard_record AS r ON (r.street || E'\t' || r.house || E'\t' || r.postcode) = g.value
WHERE g.type = 'address' AND r.kind = 'organisation' AND r.street <> '' AND r.house <> '' AND r.postcode <> ''

-- name: generic_holders_of
SELECT DISTINCT i.record_id, i.type, i.value
FROM identity.identifier AS i
JOIN identity.standard_record AS r ON r.record_id = i.record_id
JOIN identity.generic_value AS g ON g.value = i.value AND g.type = i.type AND g.kind = r.kind
WHERE i.record_id = ANY (%(record_ids)s::bigint[]) AND i.is_valid
UNION ALL
SELECT r.record_id, g.type, g.value
FROM identity.standard_record AS r
JOIN identity.generic_value AS g ON g.kind = r.kind AND g.type = 'address'
    AND g.value = (r.street || E'\t' || r.house || E'\t' || r.postcode)
WHERE r.record_id = ANY (%(record_ids)s::bigint[]) AND r.kind = 'organisation'
    AND r.street <> '' AND r.house <> '' AND r.postcode <> ''

-- name: known_holders_of
SELECT record_id, type, value FROM identity.generic_holder WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: create_wanted_values
CREATE TEMP TABLE wanted_value ON COMMIT DROP AS
SELECT w.type, w.value FROM unnest(%(types)s::text[], %(values)s::text[]) AS w (type, value)

-- name: analyze_wanted_values
ANALYZE pg_temp.wanted_value

-- name: drop_wanted_values
DROP TABLE pg_temp.wanted_value

-- name: accepted_values
SELECT kind, type, value, stands_for FROM identity.accepted_value
ORDER BY kind COLLATE "C", type COLLATE "C", value COLLATE "C"

-- name: is_judged
-- Whether a judgement, in force or lifted, speaks of one of these records.
SELECT EXISTS (
    SELECT FROM identity.judgement
    WHERE verdict IN ('same', 'not_same', 'lift')
        AND (left_ids && %(record_ids)s::bigint[] OR right_ids && %(record_ids)s::bigint[])
)

-- name: together
-- All records of the clients that these records belong to.
SELECT DISTINCT other.record_id
FROM identity.crosswalk AS own
JOIN identity.crosswalk AS other ON other.client_id = own.client_id
WHERE own.record_id = ANY (%(record_ids)s::bigint[])

-- name: was_resolved
SELECT EXISTS (SELECT FROM identity.point)

-- name: state
-- What changes with every resolution.
SELECT (SELECT last_as_of::text FROM ops.hub_clock)
