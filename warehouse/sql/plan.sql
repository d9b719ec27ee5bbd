-- What edited rules do to the stored data, told on a copy of the hub: what stood there is kept in tables of their own first.

-- name: keep
CREATE TABLE public.before_record AS SELECT record_id, content_hash FROM identity.standard_record;
CREATE TABLE public.before_fact AS SELECT record_id, content_hash, is_deleted FROM core.interaction;
CREATE TABLE public.before_link AS SELECT record_id, client_id FROM identity.crosswalk;
CREATE TABLE public.before_client AS
SELECT client_id, display_name, kind, attributes, golden_hash FROM core.client WHERE NOT is_deleted;
CREATE TABLE public.before_case AS SELECT fingerprint, kind, record_ids, weight, impact FROM identity.review_case WHERE status = 'open';
ANALYZE public.before_record;
ANALYZE public.before_fact;
ANALYZE public.before_link;
ANALYZE public.before_client

-- name: remapped
-- Records whose standard form, or whose fact, is another one, by stream.
SELECT r.source, r.stream, count(*) FILTER (WHERE d.what = 'changed') AS changed,
    count(*) FILTER (WHERE d.what = 'new') AS new, count(*) FILTER (WHERE d.what = 'gone') AS gone
FROM (
    SELECT coalesce(b.record_id, a.record_id) AS record_id,
        CASE WHEN b.record_id IS NULL THEN 'new' WHEN a.record_id IS NULL THEN 'gone' ELSE 'changed' END AS what
    FROM public.before_record AS b
    FULL JOIN identity.standard_record AS a ON a.record_id = b.record_id
    WHERE a.content_hash IS DISTINCT FROM b.content_hash
    UNION ALL
    SELECT coalesce(b.record_id, a.record_id),
        CASE WHEN b.record_id IS NULL THEN 'new' WHEN a.is_deleted AND NOT b.is_deleted THEN 'gone' ELSE 'changed' END
    FROM public.before_fact AS b
    FULL JOIN core.interaction AS a ON a.record_id = b.record_id
    WHERE (a.content_hash, a.is_deleted) IS DISTINCT FROM (b.content_hash, b.is_deleted)
) AS d
JOIN raw.record AS r ON r.record_id = d.record_id
GROUP BY r.source, r.stream
ORDER BY r.source COLLATE "C", r.stream COLLATE "C"

-- name: clients
SELECT (SELECT count(DISTINCT client_id) FROM public.before_link), (SELECT count(DISTINCT client_id) FROM identity.crosswalk),
    (
        SELECT count(*)
        FROM identity.crosswalk AS a
        JOIN public.before_link AS b ON b.record_id = a.record_id
        WHERE a.client_id <> b.client_id
    )

-- name: find_regrouped
-- Which clients of before and of now share records, where that is not one and the same.
CREATE TEMP TABLE shared AS
SELECT b.client_id AS before_id, a.client_id AS after_id, count(*) AS records
FROM public.before_link AS b
JOIN identity.crosswalk AS a ON a.record_id = b.record_id
GROUP BY b.client_id, a.client_id

-- name: regrouped
-- Clients of the one side that share records with several of the other, largest first, with their names.
WITH several AS (
    SELECT {own} AS client_id, count(*) AS clients, sum(records)::bigint AS records,
        array_agg({other} ORDER BY records DESC, {other}) AS others
    FROM shared GROUP BY {own} HAVING count(*) > 1
)
SELECT (SELECT count(*) FROM several), s.client_id::text, c.display_name, s.clients, s.records,
    (
        SELECT array_agg(n.display_name ORDER BY o.n)
        FROM unnest(s.others[:5]) WITH ORDINALITY AS o (client_id, n)
        LEFT JOIN {other_clients} AS n ON n.client_id = o.client_id
    )
FROM several AS s
LEFT JOIN {own_clients} AS c ON c.client_id = s.client_id
ORDER BY s.records DESC, s.clients DESC, s.client_id
LIMIT %(limit)s

-- name: find_values
CREATE TEMP TABLE changed_value AS
SELECT b.client_id, f.key AS attribute, b.attributes -> f.key AS before, a.attributes -> f.key AS after
FROM public.before_client AS b
JOIN core.client AS a ON a.client_id = b.client_id AND NOT a.is_deleted AND a.golden_hash <> b.golden_hash
CROSS JOIN LATERAL (
    SELECT key FROM jsonb_object_keys(b.attributes) AS key UNION SELECT key FROM jsonb_object_keys(a.attributes) AS key
) AS f
WHERE a.attributes -> f.key IS DISTINCT FROM b.attributes -> f.key

-- name: values
SELECT attribute, count(*) FILTER (WHERE before IS NOT NULL AND after IS NOT NULL) AS changed,
    count(*) FILTER (WHERE before IS NULL) AS filled, count(*) FILTER (WHERE after IS NULL) AS emptied
FROM changed_value
GROUP BY attribute
ORDER BY count(*) DESC, attribute COLLATE "C"

-- name: value_examples
SELECT client_id::text, attribute, before, after
FROM (
    SELECT *, row_number() OVER (PARTITION BY attribute ORDER BY client_id) AS n FROM changed_value
) AS v
WHERE n <= 2
ORDER BY n, attribute COLLATE "C"
LIMIT %(limit)s

-- name: cases
SELECT count(*) FILTER (WHERE b.fingerprint IS NULL), count(*) FILTER (WHERE a.fingerprint IS NULL)
FROM public.before_case AS b
FULL JOIN (SELECT fingerprint FROM identity.review_case WHERE status = 'open') AS a ON a.fingerprint = b.fingerprint

-- name: links_of
SELECT r.source || ':' || r.stream || ':' || r.source_key, x.client_id::text, c.attributes
FROM raw.record AS r
LEFT JOIN identity.crosswalk AS x ON x.record_id = r.record_id
LEFT JOIN core.client AS c ON c.client_id = x.client_id AND NOT c.is_deleted
WHERE r.record_id = ANY (%(record_ids)s::bigint[])

-- name: columns
SELECT column_name FROM information_schema.columns WHERE table_schema = 'onefold_v1' AND table_name = %(view)s

-- name: count
SELECT count(*) FROM {view} WHERE {condition}
