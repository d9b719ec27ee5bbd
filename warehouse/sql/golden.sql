-- What publish reads and writes.

-- name: touched_clients
-- Current links stand in the history too, as its open rows.
SELECT c.client_id::text FROM (
    SELECT DISTINCT client_id FROM identity.crosswalk_history WHERE record_id = ANY (%(record_ids)s::bigint[])
) AS c
ORDER BY c.client_id

-- name: waiting_records
SELECT record_id FROM identity.crosswalk WHERE changed_seq IS NULL AND client_id = ANY (%(client_ids)s::uuid[])

-- name: contributions
SELECT c.client_id, r.record_id, r.source, r.stream, r.source_key, r.kind, r.role, r.is_own, r.attributes,
    r.source_updated_at
FROM identity.crosswalk AS c
JOIN identity.standard_record AS r ON r.record_id = c.record_id
WHERE c.client_id = ANY (%(client_ids)s::uuid[])

-- name: contributions_of_range
SELECT c.client_id, r.record_id, r.source, r.stream, r.source_key, r.kind, r.role, r.is_own, r.attributes,
    r.source_updated_at
FROM identity.crosswalk AS c
JOIN identity.standard_record AS r ON r.record_id = c.record_id
WHERE c.client_id BETWEEN %(first)s::uuid AND %(last)s::uuid

-- name: count_links
SELECT count(*) FROM identity.crosswalk

-- name: stored
SELECT client_id::text, kind, display_name, attributes, record_count
FROM core.client
WHERE client_id = ANY (%(client_ids)s::uuid[]) AND NOT is_deleted

-- name: known
SELECT client_id::text, golden_hash::text, is_deleted, CASE WHEN is_redirected THEN redirected_to::text END
FROM core.client
WHERE client_id = ANY (%(client_ids)s::uuid[])

-- name: still_linked
-- Also one that readers still see a record with, because the client that it has moved on to is not there: the record is
-- deleted, and resolve has yet to hear of that.
SELECT client_id::text FROM identity.crosswalk WHERE client_id = ANY (%(client_ids)s::uuid[])
UNION
SELECT h.client_id::text
FROM identity.crosswalk_history AS h
JOIN identity.crosswalk AS x ON x.record_id = h.record_id
WHERE h.client_id = ANY (%(client_ids)s::uuid[]) AND h.valid_to IS NOT NULL AND h.ended_seq IS NULL
    AND h.opened_seq IS NOT NULL AND NOT x.client_id = ANY (%(found)s::uuid[])
    AND NOT EXISTS (SELECT FROM core.client AS c WHERE c.client_id = x.client_id AND NOT c.is_deleted)

-- name: redirects
SELECT l.client_id::text, l.target_client_id::text, l.at
FROM (
    SELECT DISTINCT ON (client_id) client_id, event, target_client_id, at
    FROM identity.client_id_ledger
    WHERE client_id = ANY (%(client_ids)s::uuid[])
    ORDER BY client_id, id DESC
) AS l
WHERE l.event = 'redirect'

-- name: open_created
-- The documents go on as the table holds them; parsed again they would take twice the time. The first version holds
-- from the beginning of time, so that older facts find theirs. In order of client_id, as their events are numbered.
INSERT INTO core.client_history (
    client_id, valid_from, kind, role, display_name, attributes, lineage, record_count, golden_hash, changed_seq
)
SELECT client_id, '-infinity', kind, role, display_name, attributes, lineage, record_count, golden_hash, changed_seq
FROM core.client
WHERE changed_seq BETWEEN %(first)s AND %(last)s
ORDER BY changed_seq

-- name: created_events
INSERT INTO ops.change_event (id, at, kind, client_id, payload)
SELECT changed_seq, %(as_of)s, 'created', client_id, '{}'
FROM core.client
WHERE changed_seq BETWEEN %(first)s AND %(last)s
ORDER BY changed_seq

-- name: changed_events
INSERT INTO ops.change_event (id, at, kind, client_id, payload)
SELECT n.changed_seq, %(as_of)s, CASE WHEN c.is_deleted THEN 'revived' ELSE 'changed' END, n.client_id,
    jsonb_build_object('fields', (
        SELECT coalesce(jsonb_agg(f.key ORDER BY f.key COLLATE "C"), '[]')
        FROM (
            SELECT key FROM jsonb_object_keys(c.attributes) AS key
            UNION
            SELECT key FROM jsonb_object_keys(n.attributes) AS key
        ) AS f
        WHERE c.attributes -> f.key IS DISTINCT FROM n.attributes -> f.key
    ))
FROM new_golden AS n
JOIN core.client AS c ON c.client_id = n.client_id
ORDER BY n.changed_seq

-- name: rewrite
UPDATE core.client AS c
SET kind = n.kind, role = n.role, display_name = n.display_name, attributes = n.attributes, lineage = n.lineage,
    record_count = n.record_count, golden_hash = n.golden_hash, valid_from = %(as_of)s, changed_seq = n.changed_seq,
    is_deleted = false, is_redirected = false
FROM new_golden AS n
WHERE c.client_id = n.client_id

-- name: close_rewritten
UPDATE core.client_history AS h
SET valid_to = %(as_of)s, changed_seq = n.changed_seq, opened_seq = coalesce(h.opened_seq, h.changed_seq)
FROM new_golden AS n
WHERE h.client_id = n.client_id AND h.valid_to IS NULL

-- name: open_rewritten
INSERT INTO core.client_history (
    client_id, valid_from, kind, role, display_name, attributes, lineage, record_count, golden_hash, changed_seq,
    redirected_to, redirected_at
)
SELECT n.client_id, %(as_of)s, n.kind, n.role, n.display_name, n.attributes, n.lineage, n.record_count, n.golden_hash,
    n.changed_seq, c.redirected_to, c.redirected_at
FROM new_golden AS n
JOIN core.client AS c ON c.client_id = n.client_id
ORDER BY n.client_id

-- name: gone_events
INSERT INTO ops.change_event (id, at, kind, client_id, payload)
SELECT g.seq, %(as_of)s, CASE WHEN g.target IS NULL THEN 'retired' ELSE 'redirected' END, g.client_id,
    CASE WHEN g.target IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('target', g.target) END
FROM unnest(%(client_ids)s::uuid[], %(seqs)s::bigint[], %(targets)s::uuid[]) AS g (client_id, seq, target)
ORDER BY g.seq

-- name: bury
UPDATE core.client AS c
SET is_deleted = true, valid_from = %(as_of)s, changed_seq = g.seq, is_redirected = g.target IS NOT NULL,
    redirected_to = coalesce(g.target, c.redirected_to), redirected_at = coalesce(g.at, c.redirected_at)
FROM unnest(%(client_ids)s::uuid[], %(seqs)s::bigint[], %(targets)s::uuid[], %(redirected_at)s::timestamptz[])
    AS g (client_id, seq, target, at)
WHERE c.client_id = g.client_id

-- name: close_gone
UPDATE core.client_history AS h
SET valid_to = %(as_of)s, changed_seq = g.seq, opened_seq = coalesce(h.opened_seq, h.changed_seq)
FROM unnest(%(client_ids)s::uuid[], %(seqs)s::bigint[]) AS g (client_id, seq)
WHERE h.client_id = g.client_id AND h.valid_to IS NULL

-- name: open_gone
INSERT INTO core.client_history (
    client_id, valid_from, kind, role, display_name, attributes, lineage, record_count, golden_hash, changed_seq,
    is_deleted, redirected_to, redirected_at, is_redirected
)
SELECT c.client_id, %(as_of)s, c.kind, c.role, c.display_name, c.attributes, c.lineage, c.record_count,
    c.golden_hash, c.changed_seq, true, c.redirected_to, c.redirected_at, c.is_redirected
FROM core.client AS c
WHERE c.client_id = ANY (%(client_ids)s::uuid[])
ORDER BY c.client_id

-- name: lock_facts
-- For many at once: who standardises waits, already where it would lock a row to keep it, and reads go on.
LOCK TABLE core.interaction, core.relationship IN EXCLUSIVE MODE

-- name: interactions_of
SELECT record_id, party_record_id, occurred_at, client_id, changed_seq, xmin AS seen FROM core.interaction
WHERE party_record_id = ANY (%(record_ids)s::bigint[])
UNION
SELECT record_id, party_record_id, occurred_at, client_id, changed_seq, xmin FROM core.interaction
WHERE record_id = ANY (%(record_ids)s::bigint[])
UNION
SELECT i.record_id, i.party_record_id, i.occurred_at, i.client_id, i.changed_seq, i.xmin
FROM identity.former_record AS f
JOIN core.interaction AS i ON i.party_record_id = f.record_id
WHERE f.former_id = ANY (%(record_ids)s::bigint[])
UNION
-- Readers still see it with one of these parties.
SELECT i.record_id, i.party_record_id, i.occurred_at, i.client_id, i.changed_seq, i.xmin
FROM core.interaction_version AS v
JOIN core.interaction AS i ON i.record_id = v.record_id
WHERE v.ended_seq IS NULL AND (v.version ->> 'party_record_id')::bigint = ANY (%(record_ids)s::bigint[])

-- name: first_interactions
SELECT record_id, party_record_id, occurred_at, client_id, changed_seq, xmin AS seen FROM core.interaction
WHERE changed_seq IS NULL

-- name: no_interactions
SELECT record_id, party_record_id, occurred_at, client_id, changed_seq, xmin AS seen FROM core.interaction WHERE false

-- name: relationships_of
SELECT relationship_key, from_record_id, to_record_id, changed_seq, xmin AS seen FROM core.relationship
WHERE changed_seq IS NULL
UNION
SELECT relationship_key, from_record_id, to_record_id, changed_seq, xmin FROM core.relationship
WHERE from_record_id = ANY (%(record_ids)s::bigint[])
UNION
SELECT relationship_key, from_record_id, to_record_id, changed_seq, xmin FROM core.relationship
WHERE to_record_id = ANY (%(record_ids)s::bigint[])

-- name: find_facts
-- A fact is with the client that readers see its party with, whatever waits to be published: it comes again with the
-- link. What happened before a record changed its identity belongs to its former version.
CREATE TEMP TABLE moved_fact ON COMMIT DROP AS
SELECT i.record_id, NULL::bigint AS relationship_key, coalesce(x.client_id, h.client_id, e.client_id) AS client_id,
    i.changed_seq, i.seen
FROM (
    {interactions}
) AS i
LEFT JOIN (
    SELECT former_id, record_id, until_at,
        lag(until_at, 1, '-infinity') OVER (PARTITION BY record_id ORDER BY until_at, former_id) AS from_at
    FROM identity.former_record
) AS f ON f.record_id = i.party_record_id AND i.occurred_at >= f.from_at AND i.occurred_at < f.until_at
-- A lookup for each, by key: how many facts there are of some records is guessed too high, and all links would be read.
LEFT JOIN LATERAL (
    SELECT l.client_id FROM identity.crosswalk AS l
    WHERE l.record_id = coalesce(f.former_id, i.party_record_id) AND l.changed_seq IS NOT NULL
    LIMIT 1
) AS x ON true
-- Its link has moved or left, and that is not published yet.
LEFT JOIN LATERAL (
    SELECT l.client_id FROM identity.crosswalk_history AS l
    WHERE l.record_id = coalesce(f.former_id, i.party_record_id)
        AND l.valid_to IS NOT NULL AND l.ended_seq IS NULL AND l.opened_seq IS NOT NULL
    LIMIT 1
) AS h ON true
-- What is left of an erased client's documents stays under the bare id.
LEFT JOIN LATERAL (
    SELECT s.client_id FROM ops.suppression AS s
    WHERE s.record_id = coalesce(f.former_id, i.party_record_id) AND NOT s.is_lifted
    LIMIT 1
) AS e ON x.client_id IS NULL AND h.client_id IS NULL
WHERE i.changed_seq IS NULL OR i.client_id IS DISTINCT FROM coalesce(x.client_id, h.client_id, e.client_id)
UNION ALL
SELECT NULL, r.relationship_key, NULL, r.changed_seq, r.seen
FROM (
    {relationships}
) AS r
WHERE r.changed_seq IS NULL
    OR EXISTS (
        SELECT FROM identity.crosswalk AS x
        WHERE x.record_id IN (r.from_record_id, r.to_record_id) AND x.changed_seq > r.changed_seq
    )
    OR EXISTS (
        SELECT FROM identity.crosswalk_history AS h
        WHERE h.record_id IN (r.from_record_id, r.to_record_id) AND h.ended_seq > r.changed_seq
    )

-- name: has_changed
-- Whether somebody changed one of them while this waited for its lock.
SELECT EXISTS (
    SELECT FROM moved_fact AS m
    WHERE NOT EXISTS (SELECT FROM core.interaction AS i WHERE i.record_id = m.record_id AND i.xmin = m.seen)
        AND NOT EXISTS (
            SELECT FROM core.relationship AS r WHERE r.relationship_key = m.relationship_key AND r.xmin = m.seen
        )
)

-- name: count_facts
SELECT count(record_id), count(relationship_key), count(changed_seq) FROM moved_fact

-- name: analyse_facts
ANALYZE moved_fact, derived_fact

-- name: much_memory
-- For one join of everything.
SET LOCAL work_mem = '512MB'

-- name: wait_briefly
-- Given up before the server looks for deadlocks (after a second): whoever reads may want what is locked here already.
SET LOCAL lock_timeout = '800ms'

-- name: sparse_indexes
-- To make one of these anew takes a look at every row, to keep it up an entry now and then. That of events is empty now
-- and holds every document then.
SELECT x.indexrelid::regclass::text
FROM pg_index AS x
JOIN pg_class AS c ON c.oid = x.indexrelid
JOIN pg_class AS t ON t.oid = x.indrelid
WHERE t.oid = 'core.interaction'::regclass AND x.indpred IS NOT NULL AND c.reltuples >= 0 AND 10 * c.reltuples < t.reltuples
    AND NOT (
        SELECT a.attnum FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attname = 'event_id'
    ) = ANY (x.indkey)

-- name: lock_for_us_alone
LOCK TABLE core.interaction IN ACCESS EXCLUSIVE MODE

-- name: wait
SET LOCAL lock_timeout = DEFAULT

-- name: refresh_interactions
-- A rate once taken stays, but for another reporting currency.
UPDATE core.interaction AS i
SET client_id = m.client_id, changed_seq = %(seq)s, {events}
    chain_id = CASE WHEN i.parent_record_id IS NULL THEN i.record_id ELSE coalesce(d.chain_id, i.chain_id) END,
    reversal_of = CASE WHEN d.is_reversing THEN d.reversal_of ELSE i.reversal_of END,
    reversed_by = CASE WHEN d.is_target THEN d.reversed_by ELSE i.reversed_by END,
    reversed_amount = CASE WHEN d.is_target THEN d.reversed_amount ELSE i.reversed_amount END,
    reporting_currency = %(currency)s,
    rate = CASE
        WHEN i.amount IS NULL THEN NULL
        WHEN i.currency = %(currency)s THEN 1
        WHEN i.reporting_currency = %(currency)s THEN coalesce(i.rate, d.rate)
        ELSE d.rate
    END,
    rate_on = CASE
        WHEN i.amount IS NULL THEN NULL
        WHEN i.currency = %(currency)s THEN i.occurred_on
        WHEN i.reporting_currency = %(currency)s THEN coalesce(i.rate_on, d.rate_on)
        ELSE d.rate_on
    END,
    reporting_amount = CASE
        WHEN i.currency = %(currency)s THEN i.amount
        WHEN i.reporting_currency = %(currency)s
        THEN coalesce(i.reporting_amount, round(i.amount * coalesce(i.rate, d.rate), 2))
        ELSE round(i.amount * d.rate, 2)
    END
FROM moved_fact AS m
LEFT JOIN derived_fact AS d ON d.record_id = m.record_id
{joined}
WHERE i.record_id = m.record_id

-- name: first_events
event_id = n.event_id, is_counted = n.is_counted, counted_by = n.counted_by,

-- name: join_first_events
LEFT JOIN new_event AS n ON n.record_id = m.record_id

-- name: clients_of_facts
SELECT record_id, uuid_hash_extended(client_id, 0) AS client FROM moved_fact
WHERE ctid >= {first}::tid AND ctid < {last}::tid AND record_id IS NOT NULL

-- name: pages_of_facts
SELECT pg_relation_size('pg_temp.moved_fact') / current_setting('block_size')::int

-- name: are_facts_new
-- No fact was ever published.
SELECT NOT EXISTS (SELECT FROM core.interaction WHERE changed_seq IS NOT NULL)
    AND NOT EXISTS (SELECT FROM core.interaction_version)
    AND NOT EXISTS (SELECT FROM core.document_place)

-- name: are_many_facts
SELECT count(*) = %(least)s FROM (
    SELECT FROM core.interaction WHERE changed_seq IS NULL LIMIT %(least)s
) AS counted

-- name: refresh_relationships
UPDATE core.relationship AS r SET changed_seq = %(seq)s
FROM moved_fact AS m
WHERE r.relationship_key = m.relationship_key

-- name: facts_event
INSERT INTO ops.change_event (id, at, kind, payload)
VALUES (
    %(seq)s, %(as_of)s, 'facts',
    jsonb_build_object(
        'interactions', %(interactions)s::bigint, 'relationships', %(relationships)s::bigint, 'records', %(links)s::bigint
    )
)

-- name: drop_facts
DROP TABLE moved_fact
