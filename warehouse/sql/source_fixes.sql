-- What is to be mended in the registers: found client by client, kept from when it is seen until it is seen no more.

-- name: clients_of
-- Those that these records belong to, or ever belonged to; current links stand in the history too.
CREATE TEMP TABLE fix_client ON COMMIT DROP AS
SELECT DISTINCT h.client_id FROM identity.crosswalk_history AS h WHERE h.record_id = ANY (%(record_ids)s::bigint[])

-- name: clients_between
CREATE TEMP TABLE fix_client ON COMMIT DROP AS
SELECT DISTINCT h.client_id FROM identity.crosswalk_history AS h
WHERE h.client_id BETWEEN %(first)s::uuid AND %(last)s::uuid

-- name: records
-- What a register states itself: a record that was made of a card has no raw of its own.
CREATE TEMP TABLE fix_record ON COMMIT DROP AS
SELECT x.client_id, r.record_id, r.source, r.stream, r.source_key, r.kind, r.attributes
FROM fix_client AS c
JOIN identity.crosswalk AS x ON x.client_id = c.client_id
JOIN identity.standard_record AS r ON r.record_id = x.record_id AND NOT r.is_own
JOIN raw.record AS w ON w.record_id = r.record_id AND NOT w.is_deleted

-- name: analyse_clients
ANALYZE fix_client

-- name: analyse_records
ANALYZE fix_record

-- name: find
CREATE TEMP TABLE found_fix ON COMMIT DROP AS
SELECT DISTINCT ON (fingerprint) * FROM (
    SELECT md5(concat_ws(E'\x1f', f.kind, f.record_id, CASE WHEN f.kind = 'duplicate' THEN f.other_record_id END,
        f.attribute, f.value))::uuid AS fingerprint, f.*
    FROM (
        SELECT 'duplicate' AS kind, d.record_id, d.kept AS other_record_id, d.client_id, NULL::text AS attribute,
            NULL::text AS value, NULL::text AS better, NULL::text AS rule
        FROM (
            SELECT r.record_id, r.client_id, first_value(r.record_id) OVER (
                PARTITION BY r.client_id, r.source, r.stream, r.kind ORDER BY r.source_key COLLATE "C"
            ) AS kept
            FROM fix_record AS r
        ) AS d
        WHERE d.record_id <> d.kept
        UNION ALL
        SELECT 'invalid', r.record_id, NULL, r.client_id, a.key, v.value ->> 'v',
            CASE WHEN NOT c.lineage -> a.key ? 'invalid' THEN core.golden_text(c.attributes, a.key) END,
            v.value ->> 'invalid'
        FROM fix_record AS r
        JOIN core.client AS c ON c.client_id = r.client_id
        CROSS JOIN LATERAL jsonb_each(r.attributes) AS a
        CROSS JOIN LATERAL jsonb_array_elements(a.value) AS v
        WHERE jsonb_path_exists(r.attributes, '$.*[*].invalid') AND v.value ->> 'invalid' IS NOT NULL
            AND v.value ->> 'derived' IS NULL
        UNION ALL
        SELECT CASE WHEN l.key = ANY (%(identifying)s::text[]) THEN 'contradicts' ELSE 'outvoted' END, r.record_id,
            (l.value ->> 'record_id')::bigint, c.client_id, l.key, o.value ->> 'value',
            core.golden_text(c.attributes, l.key), o.value ->> 'reason'
        FROM fix_client AS t
        JOIN core.client AS c ON c.client_id = t.client_id AND NOT c.is_deleted
        CROSS JOIN LATERAL jsonb_each(c.lineage) AS l
        CROSS JOIN LATERAL jsonb_array_elements(l.value -> 'losers') AS o
        -- Lineage names one record of each lost value; others may say the same.
        JOIN fix_record AS r ON r.client_id = c.client_id AND r.record_id <> (l.value ->> 'record_id')::bigint
        WHERE l.value ? 'losers' AND jsonb_typeof(c.attributes -> l.key) <> 'array'
            AND (l.key = ANY (%(identifying)s::text[]) OR NOT o.value ->> 'reason' = ANY (%(ties)s::text[]))
            -- The same words in another order, case or with other quotes are nothing to mend.
            AND (l.key = ANY (%(identifying)s::text[]) OR (
                SELECT array_agg(w.word ORDER BY w.word) FILTER (WHERE w.side) IS DISTINCT FROM
                    array_agg(w.word ORDER BY w.word) FILTER (WHERE NOT w.side)
                FROM (VALUES (true, o.value ->> 'value'), (false, core.golden_text(c.attributes, l.key))) AS s (side, said)
                CROSS JOIN LATERAL regexp_split_to_table(translate(lower(s.said), 'ё', 'е'), '[^[:alnum:]]+') AS p (word)
                CROSS JOIN LATERAL (SELECT s.side, p.word) AS w
                WHERE p.word <> ''
            ))
            -- Nor is what matching takes for the same: another script, another spelling of the form of a company.
            -- A pinned value is not what the record that holds the pin says.
            AND (l.key = ANY (%(identifying)s::text[]) OR l.value ? 'policy' OR NOT EXISTS (
                SELECT FROM identity.standard_record AS a
                JOIN identity.standard_record AS b ON b.record_id = (l.value ->> 'record_id')::bigint
                WHERE a.record_id = r.record_id
                    -- The comparable forms are those of the first value.
                    AND jsonb_array_length(a.attributes -> l.key) = 1 AND jsonb_array_length(b.attributes -> l.key) = 1
                    AND CASE l.key
                        WHEN 'given_name' THEN a.given_latin = b.given_latin
                        WHEN 'middle_name' THEN a.middle_latin = b.middle_latin
                        WHEN 'family_name' THEN a.family_latin = b.family_latin
                        WHEN 'full_name' THEN a.full_latin = b.full_latin
                        WHEN 'legal_name' THEN a.org_latin = b.org_latin AND a.legal_form IS NOT DISTINCT FROM b.legal_form
                        WHEN 'country' THEN a.country = b.country
                        WHEN 'region' THEN a.region = b.region
                        WHEN 'city' THEN a.city = b.city
                        WHEN 'street' THEN a.street = b.street
                        WHEN 'house' THEN a.house = b.house
                        WHEN 'postcode' THEN a.postcode = b.postcode
                    END
            ))
            AND EXISTS (
                SELECT FROM jsonb_array_elements(r.attributes -> l.key) AS v
                WHERE v.value ->> 'v' = o.value ->> 'value' AND v.value ->> 'invalid' IS NULL
                    AND v.value ->> 'derived' IS NULL
            )
        UNION ALL
        SELECT 'emptied', e.record_id, NULL, e.client_id, e.key, NULL, e.better, NULL
        FROM (
            SELECT DISTINCT ON (r.record_id, l.key) r.record_id, r.client_id, l.key,
                coalesce(core.golden_text(c.attributes, l.key), core.golden_text(h.attributes, l.key)) AS better
            FROM fix_record AS r
            JOIN core.client AS c ON c.client_id = r.client_id
            JOIN core.client_history AS h ON h.client_id = r.client_id AND h.valid_to IS NOT NULL
            CROSS JOIN LATERAL jsonb_each(h.lineage) AS l
            WHERE (l.value ->> 'record_id')::bigint = r.record_id AND NOT l.value ? 'policy' AND NOT l.value ? 'derived'
                AND NOT l.value ? 'invalid' AND coalesce(r.attributes -> l.key, '[]') = '[]'
                -- What is mapped no more was not emptied by the register.
                AND concat_ws(':', r.source, r.stream, l.key) = ANY (%(mapped)s::text[])
                AND NOT EXISTS (SELECT FROM identity.former_record AS f WHERE f.record_id = r.record_id)
            ORDER BY r.record_id, l.key, h.valid_from DESC
        ) AS e
    ) AS f
) AS n
ORDER BY fingerprint, other_record_id

-- name: close
WITH closed AS (
UPDATE ops.source_fix AS f
SET closed_at = %(at)s, closed_as = CASE
    WHEN r.record_id IS NULL OR f.kind = 'duplicate' AND o.record_id IS NULL THEN 'gone'
    WHEN f.kind = 'duplicate' THEN CASE WHEN EXISTS (
        SELECT FROM identity.judgement AS j
        WHERE j.verdict = 'not_same' AND j.left_ids || j.right_ids @> ARRAY[f.record_id, f.other_record_id]
            AND NOT (j.left_ids @> ARRAY[f.record_id, f.other_record_id])
            AND (j.left_ids && ARRAY[f.record_id] OR j.right_ids && ARRAY[f.record_id])
            AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = j.judgement_id)
    ) THEN 'judged' ELSE 'apart' END
    WHEN f.value IS NOT NULL AND r.attributes -> f.attribute @> jsonb_build_array(jsonb_build_object('v', f.value))
    THEN 'settled'
    ELSE 'fixed'
END
FROM (
    SELECT w.fix_id FROM fix_client AS c
    JOIN ops.source_fix AS w ON w.client_id = c.client_id AND w.closed_at IS NULL
    WHERE NOT EXISTS (SELECT FROM found_fix AS n WHERE n.fingerprint = w.fingerprint)
) AS g
JOIN ops.source_fix AS s ON s.fix_id = g.fix_id
LEFT JOIN identity.standard_record AS r ON r.record_id = s.record_id
    AND EXISTS (SELECT FROM raw.record AS w WHERE w.record_id = s.record_id AND NOT w.is_deleted)
LEFT JOIN identity.standard_record AS o ON o.record_id = s.other_record_id
    AND EXISTS (SELECT FROM raw.record AS w WHERE w.record_id = s.other_record_id AND NOT w.is_deleted)
WHERE f.fix_id = g.fix_id
RETURNING f.source, f.kind, f.attribute
), told AS (
    INSERT INTO ops.source_fix_week AS w (week_on, source, kind, attribute, closed)
    SELECT date_trunc('week', %(at)s::timestamptz AT TIME ZONE 'UTC')::date, c.source, c.kind, coalesce(c.attribute, ''), count(*)
    FROM closed AS c
    GROUP BY c.source, c.kind, c.attribute
    ON CONFLICT (week_on, source, kind, attribute) DO UPDATE SET closed = w.closed + excluded.closed
)
SELECT count(*) FROM closed

-- name: refresh
UPDATE ops.source_fix AS f
SET other_record_id = n.other_record_id, client_id = n.client_id, better = n.better, rule = n.rule
FROM found_fix AS n
WHERE f.fingerprint = n.fingerprint AND f.closed_at IS NULL
    AND (f.other_record_id, f.client_id, f.better, f.rule) IS DISTINCT FROM (n.other_record_id, n.client_id, n.better, n.rule)

-- name: open
WITH opened AS (
INSERT INTO ops.source_fix (
    fingerprint, kind, source, stream, source_key, record_id, other_record_id, client_id, attribute, value, better, rule,
    opened_at
)
SELECT n.fingerprint, n.kind, r.source, r.stream, r.source_key, n.record_id, n.other_record_id, n.client_id,
    n.attribute, n.value, n.better, n.rule, %(at)s
FROM found_fix AS n
JOIN fix_record AS r ON r.record_id = n.record_id
WHERE NOT EXISTS (SELECT FROM ops.source_fix AS f WHERE f.fingerprint = n.fingerprint AND f.closed_at IS NULL)
ORDER BY r.source COLLATE "C", r.stream COLLATE "C", r.source_key COLLATE "C", n.kind, n.attribute, n.fingerprint
RETURNING source, kind, attribute
), told AS (
    INSERT INTO ops.source_fix_week AS w (week_on, source, kind, attribute, opened)
    SELECT date_trunc('week', %(at)s::timestamptz AT TIME ZONE 'UTC')::date, o.source, o.kind, coalesce(o.attribute, ''), count(*)
    FROM opened AS o
    GROUP BY o.source, o.kind, o.attribute
    ON CONFLICT (week_on, source, kind, attribute) DO UPDATE SET opened = w.opened + excluded.opened
)
SELECT count(*) FROM opened

-- name: drop
DROP TABLE fix_client, fix_record, found_fix

-- name: hand_on
-- Records of clients, of what publish has worked: facts have their own.
INSERT INTO ops.pending (step, record_id)
SELECT DISTINCT 'fixes', h.record_id
FROM identity.crosswalk_history AS h
WHERE h.record_id = ANY (%(record_ids)s::bigint[])

-- name: forget_queue
DELETE FROM ops.pending WHERE step = 'fixes'

-- name: list
-- Oldest first; on from the entry `after`.
SELECT f.fix_id, f.kind, f.source, f.stream, f.source_key, f.record_id, f.client_id::text, f.attribute, f.value,
    f.better, f.rule, f.opened_at::text, f.closed_at::text, f.closed_as, c.kind AS client_kind,
    core.golden_text(r.attributes, 'url') AS url, o.source AS other_source, o.stream AS other_stream,
    o.source_key AS other_source_key, core.golden_text(o.attributes, 'url') AS other_url
FROM (
    SELECT * FROM ops.source_fix AS f
    WHERE (%(source)s::text IS NULL OR f.source = %(source)s::text)
        AND (%(kind)s::text IS NULL OR f.kind = %(kind)s::text)
        AND (%(attribute)s::text IS NULL OR f.attribute = %(attribute)s::text)
        AND (%(client_id)s::uuid IS NULL OR f.client_id = %(client_id)s::uuid)
        AND (%(pairs)s::text[] IS NULL OR concat_ws(':', f.source, f.attribute) = ANY (%(pairs)s::text[]))
        AND (f.closed_at IS NULL) = %(is_open)s
        AND f.fix_id > %(after)s::bigint
    ORDER BY f.fix_id
    LIMIT %(limit)s
) AS f
LEFT JOIN core.client AS c ON c.client_id = f.client_id
LEFT JOIN identity.standard_record AS r ON r.record_id = f.record_id
LEFT JOIN identity.standard_record AS o ON o.record_id = f.other_record_id
ORDER BY f.fix_id

-- name: counts
SELECT source, kind, nullif(attribute, '') AS attribute, (sum(opened) - sum(closed))::bigint AS entries
FROM ops.source_fix_week
GROUP BY source, kind, attribute
HAVING sum(opened) > sum(closed)
ORDER BY source COLLATE "C", kind, attribute COLLATE "C"

-- name: pairs
SELECT DISTINCT source, nullif(attribute, '') FROM ops.source_fix_week

-- name: by_week
-- How many were opened and closed in each week, and how many were open at its end.
SELECT w.week_on::date::text AS week_on,
    coalesce(sum(f.opened) FILTER (WHERE f.week_on = w.week_on), 0)::bigint AS opened,
    coalesce(sum(f.closed) FILTER (WHERE f.week_on = w.week_on), 0)::bigint AS closed,
    coalesce(sum(f.opened) - sum(f.closed), 0)::bigint AS open_at_end
FROM generate_series(date_trunc('week', %(at)s::timestamptz AT TIME ZONE 'UTC') - interval '11 weeks', date_trunc('week', %(at)s::timestamptz AT TIME ZONE 'UTC'), '1 week') AS w (week_on)
LEFT JOIN ops.source_fix_week AS f ON f.week_on <= w.week_on
    AND (%(source)s::text IS NULL OR f.source = %(source)s::text)
GROUP BY w.week_on
ORDER BY w.week_on
