-- What one lookup asks of the register.

-- name: nearest
-- The stored records in blocks that are within their limit, those of the smallest blocks first. Always at least one row:
-- the moment of the last resolution stands in each.
WITH open_block AS MATERIALIZED (
    SELECT w.key FROM unnest(%(keys)s::bigint[]) AS w (key)
    WHERE NOT EXISTS (SELECT FROM identity.refused_block AS r WHERE r.key = w.key)
), member AS MATERIALIZED (
    SELECT k.key, k.record_id, count(*) OVER (PARTITION BY k.key) AS size
    FROM open_block AS o
    JOIN identity.blocking_key AS k ON k.key = o.key
), near AS (
    SELECT DISTINCT ON (record_id) record_id, size, key FROM member ORDER BY record_id, size, key
), chosen AS MATERIALIZED (
    SELECT record_id, count(*) OVER () AS found FROM near ORDER BY size, key, record_id LIMIT %(most)s
)
SELECT (SELECT last_as_of::text FROM ops.hub_clock), c.found, x.client_id::text, g.display_name, (
        SELECT json_agg(json_build_array(i.type, i.value, i.is_valid, i.invalid_reason)) FROM identity.identifier AS i
        WHERE i.record_id = c.record_id
    ), {columns}
FROM (VALUES (true)) AS always
LEFT JOIN (
    chosen AS c
    JOIN identity.standard_record AS r ON r.record_id = c.record_id
    LEFT JOIN identity.crosswalk AS x ON x.record_id = c.record_id
    LEFT JOIN core.client AS g ON g.client_id = x.client_id
) ON true
