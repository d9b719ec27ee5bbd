-- Erasing a person (erasure/). The temporary tables say whose rows are meant; they go with the transaction.

-- name: make_tables
CREATE TEMP TABLE erased_client (client_id uuid PRIMARY KEY) ON COMMIT DROP;
CREATE TEMP TABLE erased_party (record_id bigint PRIMARY KEY) ON COMMIT DROP;
CREATE TEMP TABLE erased_fact (record_id bigint PRIMARY KEY, client_id uuid, is_kept boolean NOT NULL) ON COMMIT DROP;
-- is_current: what raw.record holds now is the person's; else the key was given to somebody else since.
CREATE TEMP TABLE erased_raw (record_id bigint PRIMARY KEY, is_current boolean NOT NULL) ON COMMIT DROP;

-- name: drop_tables
DROP TABLE IF EXISTS pg_temp.erased_client, pg_temp.erased_party, pg_temp.erased_fact, pg_temp.erased_raw

-- name: find_client
-- The client, and every id that leads to it.
INSERT INTO erased_client
SELECT %(client_id)s::uuid
UNION
SELECT old_client_id FROM onefold_v1.xref_client_redirect WHERE client_id = %(client_id)s::uuid AND NOT is_deleted

-- name: find_parties
-- Its records now, and those that were its last and belong to nobody since they are gone at their source.
INSERT INTO erased_party
SELECT x.record_id FROM identity.crosswalk AS x JOIN erased_client AS c ON c.client_id = x.client_id
UNION
SELECT h.record_id
FROM (
    SELECT DISTINCT ON (o.record_id) o.record_id, o.client_id
    FROM identity.crosswalk_history AS o
    WHERE o.record_id IN (
        SELECT p.record_id FROM identity.crosswalk_history AS p JOIN erased_client AS c ON c.client_id = p.client_id
    )
    ORDER BY o.record_id, o.valid_from DESC
) AS h
JOIN erased_client AS c ON c.client_id = h.client_id
WHERE NOT EXISTS (SELECT FROM identity.crosswalk AS x WHERE x.record_id = h.record_id)

-- name: given_parties
INSERT INTO erased_party SELECT DISTINCT unnest(%(record_ids)s::bigint[])

-- name: given_clients
-- Of the clients that hold these records, or held them: those that hold nobody else's.
INSERT INTO erased_client
SELECT c.client_id
FROM (
    SELECT unnest(%(client_ids)s::uuid[]) AS client_id
    UNION
    SELECT x.client_id FROM identity.crosswalk AS x JOIN erased_party AS p ON p.record_id = x.record_id
) AS c
WHERE NOT EXISTS (
        SELECT FROM identity.crosswalk AS x
        WHERE x.client_id = c.client_id AND NOT EXISTS (SELECT FROM erased_party AS p WHERE p.record_id = x.record_id)
    )
    AND EXISTS (SELECT FROM identity.client_id_ledger AS l WHERE l.client_id = c.client_id)

-- name: find_facts
-- A fact that another client has now was that one's: the key was given to somebody else since.
INSERT INTO erased_fact
SELECT i.record_id, coalesce(i.client_id, %(client_id)s::uuid), coalesce(%(keeps)s AND y.money <> 'none', false)
FROM (
    SELECT record_id FROM core.interaction WHERE client_id IN (SELECT client_id FROM erased_client)
    UNION
    SELECT record_id FROM core.interaction
    WHERE party_record_id IN (SELECT record_id FROM erased_party)
        AND (client_id IS NULL OR client_id IN (SELECT client_id FROM erased_client))
    UNION
    -- Documents among the records themselves, which only those that are withheld are.
    SELECT record_id FROM core.interaction WHERE record_id IN (SELECT record_id FROM erased_party)
) AS f
JOIN core.interaction AS i ON i.record_id = f.record_id
LEFT JOIN core.interaction_type AS y ON y.code = i.type

-- name: find_raw
INSERT INTO erased_raw
SELECT w.record_id, bool_or(w.is_current)
FROM (
    SELECT record_id, true AS is_current FROM erased_party
    UNION ALL
    SELECT record_id, true FROM erased_fact
    UNION ALL
    -- Versions of whom a record was before its key was given to somebody else.
    SELECT f.record_id, false
    FROM identity.former_record AS f JOIN erased_party AS p ON p.record_id = f.former_id
    UNION ALL
    -- What feeds these records and documents, and nobody else's.
    SELECT l.child_record_id, true
    FROM identity.child_link AS l
    WHERE l.parent_record_id IN (SELECT record_id FROM erased_party UNION ALL SELECT record_id FROM erased_fact)
        AND NOT EXISTS (
            SELECT FROM identity.child_link AS o
            WHERE o.child_record_id = l.child_record_id
                AND NOT EXISTS (SELECT FROM erased_party AS q WHERE q.record_id = o.parent_record_id)
                AND NOT EXISTS (SELECT FROM erased_fact AS q WHERE q.record_id = o.parent_record_id)
        )
    UNION ALL
    -- What does nothing but state a relationship of theirs: the words in it are about them.
    SELECT r.record_id, true
    FROM (
        SELECT o.record_id FROM core.relationship AS o JOIN erased_party AS p ON p.record_id = o.from_record_id
        UNION
        SELECT o.record_id FROM core.relationship AS o JOIN erased_party AS p ON p.record_id = o.to_record_id
    ) AS r
    WHERE NOT EXISTS (SELECT FROM identity.standard_record AS s WHERE s.record_id = r.record_id)
        AND NOT EXISTS (SELECT FROM identity.crosswalk_history AS h WHERE h.record_id = r.record_id)
        AND NOT EXISTS (SELECT FROM core.interaction AS i WHERE i.record_id = r.record_id)
        AND NOT EXISTS (
            SELECT FROM core.relationship AS c
            WHERE c.record_id = r.record_id AND (c.type = 'card_of' AND c.to_record_id = c.record_id)
        )
    UNION ALL
    -- The card that these records were made of, where it names nobody else.
    SELECT r.record_id, true
    FROM core.relationship AS r JOIN erased_party AS p ON p.record_id = r.from_record_id
    WHERE r.type = 'card_of' AND r.to_record_id = r.record_id
        AND NOT EXISTS (
            SELECT FROM core.relationship AS o
            WHERE o.record_id = r.record_id AND o.type = 'card_of' AND NOT o.is_deleted
                AND NOT EXISTS (SELECT FROM erased_party AS q WHERE q.record_id = o.from_record_id)
        )
) AS w
GROUP BY w.record_id

-- name: add_raw
INSERT INTO erased_raw SELECT DISTINCT n.record_id, true FROM unnest(%(record_ids)s::bigint[]) AS n (record_id)
ON CONFLICT (record_id) DO UPDATE SET is_current = true

-- name: unclaimed
-- Landed only, or refused by the mapping: no table says whose they are. The look into their words comes last, since it
-- is dear.
WITH nobody AS MATERIALIZED (
    SELECT r.record_id
    FROM raw.record AS r
    WHERE (%(among)s::bigint[] IS NULL OR r.record_id = ANY (%(among)s::bigint[]))
        AND NOT EXISTS (SELECT FROM identity.standard_record AS s WHERE s.record_id = r.record_id)
        AND NOT EXISTS (SELECT FROM core.interaction AS i WHERE i.record_id = r.record_id)
        AND NOT EXISTS (SELECT FROM identity.crosswalk_history AS h WHERE h.record_id = r.record_id)
        AND NOT EXISTS (SELECT FROM core.relationship AS o WHERE o.record_id = r.record_id)
        AND NOT EXISTS (
            SELECT FROM identity.child_link AS l
            WHERE l.child_record_id = r.record_id AND (
                EXISTS (SELECT FROM identity.standard_record AS s WHERE s.record_id = l.parent_record_id)
                OR EXISTS (SELECT FROM core.interaction AS i WHERE i.record_id = l.parent_record_id)
            )
        )
)
SELECT n.record_id
FROM nobody AS n
WHERE EXISTS (
        SELECT FROM raw.record AS r
        WHERE r.record_id = n.record_id AND (lower(r.payload::text) ~ %(pattern)s OR lower(r.source_key) ~ %(pattern)s)
    )
    OR EXISTS (
        SELECT FROM raw.record_version AS v WHERE v.record_id = n.record_id AND lower(v.payload::text) ~ %(pattern)s
    )
ORDER BY n.record_id

-- name: named
-- The records as people name them.
SELECT coalesce(r.source, s.source) || ':' || coalesce(r.stream, s.stream) || ':' || coalesce(r.source_key, s.source_key)
FROM erased_party AS p
LEFT JOIN raw.record AS r ON r.record_id = p.record_id
LEFT JOIN identity.standard_record AS s ON s.record_id = p.record_id
WHERE coalesce(r.source, s.source) IS NOT NULL
ORDER BY 1

-- name: sources
SELECT DISTINCT r.source FROM erased_raw AS e JOIN raw.record AS r ON r.record_id = e.record_id ORDER BY 1

-- name: counted
SELECT (SELECT count(*) FROM erased_fact), (SELECT count(*) FROM erased_fact WHERE is_kept)

-- name: identifiers
-- What identifies the person, and whether somebody else bears it too.
SELECT i.type, i.value, bool_or(i.is_valid),
    EXISTS (
        SELECT FROM identity.identifier AS o
        WHERE o.value = i.value AND o.type = i.type AND o.is_valid
            AND NOT EXISTS (SELECT FROM erased_party AS q WHERE q.record_id = o.record_id)
    ) OR EXISTS (SELECT FROM identity.generic_value AS g WHERE g.type = i.type AND g.value = i.value)
FROM identity.identifier AS i
JOIN erased_party AS p ON p.record_id = i.record_id
GROUP BY i.type, i.value
ORDER BY i.type, i.value

-- name: said
-- Everything that was said of the person: values to look for where no id tells whose a text is.
SELECT to_jsonb(s) - '{record_id,source,stream,source_key,content_hash}'::text[]
FROM identity.standard_record AS s JOIN erased_party AS p ON p.record_id = s.record_id
UNION ALL
SELECT h.attributes || jsonb_build_object('display_name', h.display_name)
FROM core.client_history AS h JOIN erased_client AS c ON c.client_id = h.client_id
UNION ALL
SELECT r.payload FROM raw.record AS r JOIN erased_party AS p ON p.record_id = r.record_id
UNION ALL
SELECT v.payload FROM raw.record_version AS v JOIN erased_party AS p ON p.record_id = v.record_id

-- name: two_names
-- How people are called without what stands between.
SELECT DISTINCT n.name
FROM identity.standard_record AS s
JOIN erased_party AS p ON p.record_id = s.record_id
CROSS JOIN LATERAL (
    VALUES (s.family_name || ' ' || s.given_name), (s.given_name || ' ' || s.family_name),
        (s.family_name || ' ' || s.given_name || ' ' || s.middle_name)
) AS n (name)
WHERE n.name IS NOT NULL

-- name: borne_names
-- Which of the names somebody else has.
SELECT DISTINCT n.name
FROM identity.standard_record AS s
CROSS JOIN LATERAL (
    VALUES (s.full_name), (s.org_name), (s.family_name || ' ' || s.given_name), (s.given_name || ' ' || s.family_name),
        (s.family_name || ' ' || s.given_name || ' ' || s.middle_name)
) AS n (name)
WHERE n.name = ANY (%(names)s::text[]) AND NOT EXISTS (SELECT FROM erased_party AS p WHERE p.record_id = s.record_id)
UNION
SELECT lower(c.display_name)
FROM core.client AS c
WHERE lower(c.display_name) = ANY (%(names)s::text[]) AND NOT c.is_deleted
    AND NOT EXISTS (SELECT FROM erased_client AS e WHERE e.client_id = c.client_id)

-- name: borne_identifiers
-- Which of the values somebody else bears.
SELECT DISTINCT i.value
FROM identity.identifier AS i
WHERE i.value = ANY (%(values)s::text[])
    AND NOT EXISTS (SELECT FROM erased_party AS p WHERE p.record_id = i.record_id)

-- name: pins
SELECT j.judgement_id FROM identity.judgement AS j
WHERE j.verdict = 'pin' AND j.left_ids && (SELECT array_agg(record_id) FROM erased_party)
    AND NOT EXISTS (SELECT FROM identity.judgement AS l WHERE l.lifts = j.judgement_id)

-- name: party_ids
SELECT coalesce(array_agg(record_id ORDER BY record_id), '{}') FROM erased_party

-- name: fact_ids
SELECT coalesce(array_agg(record_id ORDER BY record_id), '{}') FROM erased_fact

-- name: raw_ids
SELECT record_id FROM erased_raw WHERE is_current

-- name: client_ids
SELECT coalesce(array_agg(client_id ORDER BY client_id), '{}') FROM erased_client

-- name: unplaced_rejects
-- Those whose record nobody could read, or is nobody's.
SELECT r.fingerprint, r.payload, (r.source, r.stream) IN (
    SELECT w.source, w.stream FROM erased_party AS e JOIN raw.record AS w ON w.record_id = e.record_id
)
FROM ops.reject AS r
WHERE r.payload <> '' AND (r.record_id IS NULL OR (
    NOT EXISTS (SELECT FROM identity.standard_record AS s WHERE s.record_id = r.record_id)
    AND NOT EXISTS (SELECT FROM core.interaction AS i WHERE i.record_id = r.record_id)
    AND NOT EXISTS (SELECT FROM identity.crosswalk_history AS h WHERE h.record_id = r.record_id)
))

-- name: placed_rejects
SELECT r.fingerprint, r.payload
FROM ops.reject AS r
WHERE EXISTS (
    SELECT FROM erased_raw AS e
    LEFT JOIN raw.record AS w ON w.record_id = e.record_id
    WHERE e.is_current
        AND (e.record_id = r.record_id OR (w.source, w.stream, w.source_key) = (r.source, r.stream, r.source_key))
)

-- name: relationships
-- Those of the records, and who states them.
SELECT r.relationship_key, r.record_id FROM core.relationship AS r
WHERE r.from_record_id IN (SELECT record_id FROM erased_party)
UNION
SELECT r.relationship_key, r.record_id FROM core.relationship AS r
WHERE r.to_record_id IN (SELECT record_id FROM erased_party)

-- name: update
UPDATE {table} AS t SET {columns} WHERE {rows}

-- name: delete
DELETE FROM {table} AS t WHERE {rows}

-- name: suspicious_runs
SELECT run_id, report FROM ops.run WHERE lower(report::text) ~ %(pattern)s

-- name: store_report
UPDATE ops.run SET report = %(report)s WHERE run_id = %(run_id)s

-- name: models
SELECT version, body FROM identity.model

-- name: store_model
UPDATE identity.model SET body = %(body)s WHERE version = %(version)s

-- name: borne
-- Which of the words somebody else bears.
SELECT DISTINCT w.word
FROM identity.standard_record AS s
CROSS JOIN LATERAL unnest(ARRAY[
    s.full_name, s.full_latin, s.given_name, s.given_latin, s.middle_name, s.middle_latin, s.family_name, s.family_latin,
    s.org_name, s.org_latin, s.region, s.city, s.street, s.house, s.postcode, s.birth_date::text
]) AS w (word)
WHERE w.word = ANY (%(words)s::text[]) AND NOT EXISTS (SELECT FROM erased_party AS p WHERE p.record_id = s.record_id)

-- name: surnames
SELECT DISTINCT s.family_name
FROM identity.standard_record AS s JOIN erased_party AS p ON p.record_id = s.record_id
WHERE s.family_name IS NOT NULL
ORDER BY 1

-- name: words
SELECT DISTINCT w.word
FROM identity.standard_record AS s
JOIN erased_party AS p ON p.record_id = s.record_id
CROSS JOIN LATERAL unnest(ARRAY[
    s.full_name, s.full_latin, s.given_name, s.given_latin, s.middle_name, s.middle_latin, s.family_name, s.family_latin,
    s.org_name, s.org_latin, s.region, s.city, s.street, s.house, s.postcode, s.birth_date::text
]) AS w (word)
WHERE w.word IS NOT NULL

-- name: once_with_others
-- Versions of other clients that held a record of the person for a while. The time as text: the first version holds
-- from -infinity, which no date of Python is.
SELECT h.client_id, h.valid_from::text, h.display_name, h.attributes, h.lineage
FROM core.client_history AS h
WHERE h.client_id IN (
        SELECT x.client_id FROM identity.crosswalk_history AS x JOIN erased_party AS p ON p.record_id = x.record_id
        WHERE NOT EXISTS (SELECT FROM erased_client AS c WHERE c.client_id = x.client_id)
    )

-- name: store_version
UPDATE core.client_history
SET display_name = %(display_name)s, attributes = %(attributes)s, lineage = %(lineage)s,
    golden_hash = '00000000-0000-0000-0000-000000000000', changed_seq = %(seq)s
WHERE client_id = %(client_id)s AND valid_from = %(valid_from)s::timestamptz

-- name: requeue_members
-- The records of clients that once held the person's: publish looks at them again.
SELECT DISTINCT y.record_id
FROM identity.crosswalk AS y
WHERE y.client_id IN (
    SELECT x.client_id FROM identity.crosswalk_history AS x JOIN erased_party AS p ON p.record_id = x.record_id
)

-- name: event
INSERT INTO ops.change_event (id, at, kind, client_id, payload)
VALUES (%(seq)s, %(as_of)s, 'changed', %(client_id)s, '{"erased": true}')

-- name: add_erasure
INSERT INTO ops.erasure (erasure_id, client_ids, erased_at, erased_by, reason, ground, counts, replayed_at)
VALUES (
    %(erasure_id)s, %(client_ids)s::uuid[], %(erased_at)s, %(erased_by)s, %(reason)s, %(ground)s, %(counts)s,
    %(replayed_at)s
)

-- name: add_suppressed
INSERT INTO ops.suppression (hash, erasure_id, kind, record_id, client_id, key_check)
SELECT n.hash, %(erasure_id)s, %(kind)s, n.record_id, %(client_id)s, %(key_check)s
FROM unnest(%(hashes)s::uuid[], %(record_ids)s::bigint[]) AS n (hash, record_id)
ON CONFLICT DO NOTHING

-- name: suppressed
SELECT hash, kind, erasure_id, client_id, key_check FROM ops.suppression WHERE NOT is_lifted

-- name: all_records
SELECT record_id FROM raw.record UNION SELECT record_id FROM identity.standard_record

-- name: known_erasures
SELECT erasure_id::text, lifted_at IS NOT NULL FROM ops.erasure

-- name: waits
-- Records that are landed and not resolved yet: any of them may be the person's.
SELECT EXISTS (SELECT FROM ops.pending WHERE step = 'resolve') OR EXISTS (
    SELECT FROM ops.pending AS p JOIN raw.record AS r ON r.record_id = p.record_id
    WHERE p.step = 'standardise' AND r.source = ANY (%(sources)s::text[])
)

-- name: standing
-- Which of the records stand for a client now.
SELECT record_id FROM identity.crosswalk WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: fed_suppressed
-- Which of the records feed those that may not come back and nobody else, and by which erasure.
SELECT DISTINCT ON (l.child_record_id) l.child_record_id, s.erasure_id, s.client_id
FROM identity.child_link AS l
JOIN ops.suppression AS s ON s.record_id = l.parent_record_id AND NOT s.is_lifted
WHERE l.child_record_id = ANY (%(record_ids)s::bigint[])
    AND NOT EXISTS (
        SELECT FROM identity.child_link AS o
        WHERE o.child_record_id = l.child_record_id AND NOT EXISTS (
            SELECT FROM ops.suppression AS t WHERE t.record_id = o.parent_record_id AND NOT t.is_lifted
        )
    )
ORDER BY l.child_record_id, s.erasure_id, s.client_id

-- name: one_erasure
SELECT erasure_id, lifted_at FROM ops.erasure
WHERE erasure_id::text = %(name)s OR client_ids @> ARRAY[%(client_id)s::uuid]
ORDER BY lifted_at NULLS FIRST, erased_at DESC
LIMIT 1

-- name: lift
UPDATE ops.erasure SET lifted_at = %(at)s, lifted_by = %(by)s, lift_reason = %(reason)s
WHERE erasure_id = %(erasure_id)s

-- name: lift_suppression
UPDATE ops.suppression SET is_lifted = true WHERE erasure_id = %(erasure_id)s AND NOT is_lifted
RETURNING record_id

-- name: forget_replaced_keys
-- Their keys are not known any more, and the records may come with them.
DELETE FROM raw.record WHERE record_id = ANY (%(record_ids)s::bigint[]) AND source_key = 'erased-' || record_id

-- name: erasures
SELECT erasure_id::text, client_ids::text[], erased_at::text, erased_by, reason, ground, counts, replayed_at::text,
    lifted_at::text, lifted_by, lift_reason
FROM ops.erasure
ORDER BY erased_at DESC

-- name: known_client
SELECT client_id::text FROM identity.client_id_ledger WHERE client_id = %(client_id)s::uuid LIMIT 1

-- name: last_client
SELECT client_id::text FROM identity.crosswalk_history WHERE record_id = %(record_id)s ORDER BY valid_from DESC LIMIT 1

-- name: sources_of
SELECT DISTINCT source FROM raw.record WHERE record_id = ANY (%(record_ids)s::bigint[]) ORDER BY 1

-- name: payloads
SELECT r.record_id, convert_to(r.payload::text, 'UTF8') FROM raw.record AS r
WHERE r.record_id = ANY (%(record_ids)s::bigint[]) AND NOT r.is_deleted
    AND NOT EXISTS (SELECT FROM identity.child_link AS l WHERE l.child_record_id = r.record_id)
ORDER BY r.record_id

-- name: living
-- Which of the values a living client bears.
SELECT DISTINCT i.type, i.value
FROM identity.identifier AS i JOIN identity.crosswalk AS x ON x.record_id = i.record_id
WHERE i.value = ANY (%(values)s::text[])
