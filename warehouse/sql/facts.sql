-- What publish makes of facts; those that it is about to write stand in the temporary table moved_fact.

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

-- name: are_new
-- No fact was ever published.
SELECT NOT EXISTS (SELECT FROM core.interaction WHERE changed_seq IS NOT NULL)
    AND NOT EXISTS (SELECT FROM core.interaction_version)
    AND NOT EXISTS (SELECT FROM core.document_place)

-- name: are_many
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
