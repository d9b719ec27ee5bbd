-- Who stands around a client, and how the weights of runs were spread. Read-only.

-- name: clients_around
-- Clients with a plausible pair to one of these records, strongest first.
WITH mine AS (
    SELECT unnest(%(record_ids)s::bigint[]) AS record_id
), reached AS (
    SELECT p.right_id AS record_id, p.weight FROM mine AS m JOIN identity.pair AS p ON p.left_id = m.record_id
    UNION ALL
    SELECT p.left_id, p.weight FROM mine AS m JOIN identity.pair AS p ON p.right_id = m.record_id
)
SELECT x.client_id::text
FROM reached AS r
JOIN identity.crosswalk AS x ON x.record_id = r.record_id
WHERE x.client_id <> %(client_id)s::uuid
GROUP BY x.client_id
ORDER BY max(r.weight) DESC, x.client_id
LIMIT %(limit)s

-- name: clients_in_blocks
-- Clients of which a record shares most blocks with one of these. Keys are those of the first record of each point.
WITH mine AS (
    SELECT DISTINCT k.key
    FROM identity.point AS p
    JOIN identity.key_list AS l ON l.record_id = p.first_id
    CROSS JOIN LATERAL unnest(l.keys) AS k (key)
    WHERE p.record_id = ANY (%(record_ids)s::bigint[])
        AND NOT EXISTS (SELECT FROM identity.refused_block AS r WHERE r.key = k.key)
)
SELECT x.client_id::text
FROM mine AS m
JOIN identity.blocking_key AS k ON k.key = m.key
JOIN identity.crosswalk AS x ON x.record_id = k.record_id
WHERE x.client_id <> %(client_id)s::uuid
GROUP BY x.client_id
ORDER BY count(*) DESC, x.client_id
LIMIT %(limit)s

-- name: client_sizes
SELECT client_id::text, count(*) FROM identity.crosswalk WHERE client_id = ANY (%(client_ids)s::uuid[]) GROUP BY client_id

-- name: display_names
SELECT client_id::text, display_name FROM core.client WHERE client_id = ANY (%(client_ids)s::uuid[])

-- name: weight_histories
SELECT run_id, started_at::text, (report ->> 'model_version')::integer, report -> 'weights'
FROM ops.run
WHERE command = 'resolve' AND status = 'done' AND jsonb_typeof(report -> 'weights') = 'object'
    AND report -> 'weights' <> '{}'::jsonb
ORDER BY run_id DESC
LIMIT %(limit)s

-- name: pairs_about
SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'identity.pair'::regclass

-- name: weight_histogram
-- Of each kind how many plausible pairs lie in each half of a bit: bin b holds weights from 512 b on.
SELECT r.kind, floor(p.weight / 512.0)::integer, count(*)
FROM identity.pair AS p
JOIN identity.standard_record AS r ON r.record_id = p.left_id
GROUP BY 1, 2
ORDER BY 1, 2
