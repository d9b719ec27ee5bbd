-- Runs that would change too much: what they landed is compared with what was there, set aside, and brought back.
-- `news` is the temporary table of the versions in question: each record, and the version before them (none: it is new).

-- name: passed_run
SELECT passed_run_id FROM ops.checkpoint WHERE source = %(source)s AND stream = %(stream)s

-- name: set_passed
UPDATE ops.checkpoint SET passed_run_id = %(run_id)s WHERE source = %(source)s AND stream = %(stream)s

-- name: find_landed
-- Once for each record, though it may have been landed by several syncs that did not come to their end.
CREATE TEMP TABLE news ON COMMIT DROP AS
SELECT r.record_id, r.source, r.is_deleted, b.version_key AS base_key, b.is_deleted AS was_deleted
FROM (SELECT DISTINCT record_id FROM ops.pending WHERE step = 'landed') AS p
CROSS JOIN LATERAL (
    SELECT * FROM raw.record AS t WHERE t.record_id = p.record_id OFFSET 0
) AS r
LEFT JOIN LATERAL (
    -- Not from the youngest of all versions down: the record's own are few.
    SELECT v.version_key, v.is_deleted
    FROM (SELECT * FROM raw.record_version AS t WHERE t.record_id = p.record_id OFFSET 0) AS v
    WHERE v.run_id <= %(passed)s
    ORDER BY v.version_key DESC LIMIT 1
) AS b ON true
WHERE r.source = %(source)s AND r.stream = %(stream)s

-- name: find_of_runs
-- The version before is the last one that none of these runs landed.
CREATE TEMP TABLE news ON COMMIT DROP AS
SELECT r.record_id, r.source, r.is_deleted, b.version_key AS base_key, b.is_deleted AS was_deleted
FROM raw.record AS r
LEFT JOIN LATERAL (
    SELECT v.version_key, v.is_deleted
    FROM (SELECT * FROM raw.record_version AS t WHERE t.record_id = r.record_id OFFSET 0) AS v
    WHERE NOT v.run_id = ANY (%(run_ids)s::bigint[])
    ORDER BY v.version_key DESC LIMIT 1
) AS b ON true
WHERE r.run_id = ANY (%(run_ids)s::bigint[]) AND r.source = ANY (%(sources)s::text[])
    -- What was buried when it was set aside is not set aside twice.
    AND NOT EXISTS (SELECT FROM raw.held_record AS h WHERE h.record_id = r.record_id AND h.run_id = r.run_id)

-- name: count_news
SELECT count(*),
    count(*) FILTER (WHERE is_deleted AND NOT was_deleted),
    count(*) FILTER (WHERE NOT is_deleted AND NOT was_deleted),
    count(*) FILTER (WHERE NOT is_deleted AND was_deleted IS DISTINCT FROM false)
FROM news

-- name: emptied
-- Every value that stood at the end of a path, and whether it stands empty there now. A list is one value.
WITH RECURSIVE leaf AS (
    SELECT n.record_id, ARRAY[e.key] AS path, e.value
    FROM news AS n
    JOIN raw.record_version AS v ON v.version_key = n.base_key
    CROSS JOIN LATERAL jsonb_each(v.payload) AS e
    WHERE NOT n.is_deleted AND NOT n.was_deleted
    UNION ALL
    SELECT l.record_id, l.path || e.key, e.value
    FROM leaf AS l CROSS JOIN LATERAL jsonb_each(l.value) AS e
    WHERE jsonb_typeof(l.value) = 'object'
), filled AS (
    SELECT record_id, path FROM leaf
    WHERE jsonb_typeof(value) <> 'object' AND value NOT IN ('null', '""', '[]', '{}')
)
SELECT f.path, count(*) AS filled,
    count(*) FILTER (WHERE coalesce(r.payload #> f.path, 'null') IN ('null', '""', '[]', '{}')) AS emptied
FROM filled AS f
JOIN raw.record AS r ON r.record_id = f.record_id
GROUP BY f.path
HAVING count(*) FILTER (WHERE coalesce(r.payload #> f.path, 'null') IN ('null', '""', '[]', '{}')) > %(at_least)s
ORDER BY f.path

-- name: filled_elsewhere
-- How many of the stream's other records have a value at each path.
SELECT p.place, count(*) FROM (
    SELECT r.payload FROM raw.record AS r
    WHERE r.source = %(source)s AND r.stream = %(stream)s AND NOT r.is_deleted
        AND NOT EXISTS (SELECT FROM news AS n WHERE n.record_id = r.record_id)
) AS r
CROSS JOIN LATERAL (
    SELECT (q.place)::integer, ARRAY(SELECT jsonb_array_elements_text(q.path)) AS path
    FROM jsonb_array_elements(%(paths)s::jsonb) WITH ORDINALITY AS q (path, place)
) AS p
WHERE coalesce(r.payload #> p.path, 'null') NOT IN ('null', '""', '[]', '{}')
GROUP BY p.place

-- name: examples
SELECT record_id FROM news
WHERE CASE %(what)s::text WHEN 'deleted' THEN is_deleted AND NOT was_deleted ELSE NOT is_deleted END
ORDER BY record_id LIMIT 10

-- name: pass
UPDATE ops.pending AS p SET step = 'standardise'
FROM news AS n
WHERE p.step = 'landed' AND p.record_id = n.record_id

-- name: take_out
DELETE FROM ops.pending AS p USING news AS n WHERE p.step = 'landed' AND p.record_id = n.record_id

-- name: keep_aside
-- Of two versions that are aside the later one is what the source says.
INSERT INTO raw.held_record (
    record_id, hold_id, source, stream, source_key, payload, payload_hash, is_deleted, is_deletion_inferred,
    source_updated_at, ingested_at, run_id
)
SELECT r.record_id, %(hold_id)s, r.source, r.stream, r.source_key, r.payload, r.payload_hash, r.is_deleted,
    r.is_deletion_inferred, r.source_updated_at, r.ingested_at, r.run_id
FROM news AS n JOIN raw.record AS r ON r.record_id = n.record_id
ORDER BY r.record_id
ON CONFLICT (record_id) DO UPDATE
SET hold_id = excluded.hold_id, payload = excluded.payload, payload_hash = excluded.payload_hash,
    is_deleted = excluded.is_deleted, is_deletion_inferred = excluded.is_deletion_inferred,
    source_updated_at = excluded.source_updated_at, ingested_at = excluded.ingested_at, run_id = excluded.run_id

-- name: keep_versions
-- What was published stays known: as a version that was superseded.
-- as: landing.keep
FROM news AS n JOIN raw.record AS r ON r.record_id = n.record_id
ORDER BY r.record_id

-- name: bring_back
-- As it was landed once; `now` where that is history, null where the version since was never taken in.
UPDATE raw.record AS r
SET payload = v.payload, payload_hash = v.payload_hash, is_deleted = v.is_deleted,
    is_deletion_inferred = v.is_deletion_inferred, source_updated_at = v.source_updated_at,
    ingested_at = coalesce(%(now)s, v.ingested_at), run_id = v.run_id
FROM news AS n JOIN raw.record_version AS v ON v.version_key = n.base_key
WHERE r.record_id = n.record_id

-- name: forget_new
DELETE FROM raw.record AS r USING news AS n WHERE r.record_id = n.record_id AND n.base_key IS NULL

-- name: bury_new
-- It has been taken in: whoever looks at it next takes it out again.
UPDATE raw.record AS r SET is_deleted = true, is_deletion_inferred = false, ingested_at = coalesce(%(now)s, r.ingested_at)
FROM news AS n
WHERE r.record_id = n.record_id AND n.base_key IS NULL

-- name: forget_versions
-- From the version before on: it is the current one again, and those after it were never taken in.
DELETE FROM raw.record_version AS v USING news AS n
WHERE v.record_id = n.record_id AND (n.base_key IS NULL OR v.version_key >= n.base_key)

-- name: look_again
INSERT INTO ops.pending (step, record_id) SELECT 'standardise', record_id FROM news ORDER BY record_id

-- name: drop_news
DROP TABLE news

-- name: held_of
-- What is aside of a stream, beside what stands.
SELECT h.record_id, uuid_send(h.payload_hash), h.is_deleted, uuid_send(r.payload_hash), r.is_deleted
FROM raw.held_record AS h
LEFT JOIN raw.record AS r ON r.record_id = h.record_id
WHERE h.source = %(source)s AND h.stream = %(stream)s

-- name: forget_held
-- The source says otherwise now.
DELETE FROM raw.held_record WHERE record_id = ANY (%(record_ids)s::bigint[]) RETURNING hold_id

-- name: settle_empty
-- Nothing is aside any more: the source has answered the question itself.
UPDATE ops.hold AS h SET state = 'settled', decided_at = %(now)s
WHERE h.run_id = ANY (%(hold_ids)s::bigint[]) AND h.state IN ('open', 'discarded', 'rolled_back')
    AND NOT EXISTS (SELECT FROM raw.held_record AS r WHERE r.hold_id = h.run_id)

-- name: settle_rules
UPDATE ops.hold SET state = 'settled', decided_at = %(now)s WHERE cause = 'rules' AND state = 'open'

-- name: hold
INSERT INTO ops.hold (run_id, cause, state, findings, run_ids, held_at, decided_at, decided_by)
VALUES (%(run_id)s, %(cause)s, %(state)s, %(findings)s, %(run_ids)s::bigint[], %(now)s, %(decided_at)s, %(by)s)
ON CONFLICT (run_id) DO UPDATE
SET cause = excluded.cause, state = excluded.state, findings = excluded.findings, run_ids = excluded.run_ids,
    held_at = excluded.held_at, decided_at = excluded.decided_at, decided_by = excluded.decided_by

-- name: holds
SELECT h.run_id, r.command, r.source, h.cause, h.state, h.findings, h.run_ids, h.held_at::text, h.decided_at::text,
    h.decided_by, (SELECT count(*) FROM raw.held_record AS x WHERE x.hold_id = h.run_id) AS records
FROM ops.hold AS h LEFT JOIN ops.run AS r ON r.run_id = h.run_id
WHERE CASE WHEN %(run_id)s::bigint IS NULL THEN h.state = 'open' ELSE h.run_id = %(run_id)s::bigint END
ORDER BY h.run_id

-- name: held_streams
SELECT source, stream, count(*), count(*) FILTER (WHERE is_deleted) FROM raw.held_record
WHERE hold_id = %(run_id)s
GROUP BY source, stream
ORDER BY source, stream

-- name: decide
UPDATE ops.hold SET state = %(state)s, decided_at = %(now)s, decided_by = %(by)s
WHERE run_id = %(run_id)s AND state = %(seen)s

-- name: supersede
-- as: landing.keep
FROM raw.held_record AS h JOIN raw.record AS r ON r.record_id = h.record_id
WHERE h.hold_id = %(run_id)s
ORDER BY r.record_id

-- name: drop_superseded
DELETE FROM raw.record AS r USING raw.held_record AS h WHERE h.record_id = r.record_id AND h.hold_id = %(run_id)s

-- name: take_in
WITH taken AS (
    DELETE FROM raw.held_record WHERE hold_id = %(run_id)s RETURNING *
), queued AS (
    INSERT INTO ops.pending (step, record_id) SELECT 'standardise', record_id FROM taken ORDER BY record_id
)
INSERT INTO raw.record (
    record_id, source, stream, source_key, payload, payload_hash, is_deleted, is_deletion_inferred, source_updated_at,
    ingested_at, run_id
)
SELECT record_id, source, stream, source_key, payload, payload_hash, is_deleted, is_deletion_inferred, source_updated_at,
    %(now)s, run_id
FROM taken
ORDER BY record_id

-- name: unpublish
UPDATE ops.run SET published_by = NULL WHERE run_id = ANY (%(run_ids)s::bigint[]) AND command = 'sync'

-- name: unpublished
SELECT run_id, source FROM ops.run WHERE command = 'sync' AND published_by IS NULL ORDER BY run_id

-- name: is_first_load
-- Whether something that is not published yet comes from a source of which nothing ever was.
SELECT EXISTS (
    SELECT FROM ops.run AS r
    WHERE r.command = 'sync' AND r.published_by IS NULL AND NOT EXISTS (
        SELECT FROM ops.run AS e
        WHERE e.command = 'sync' AND e.source = r.source AND e.published_by IS NOT NULL
    )
)

-- name: mark_published
-- Only where nothing waits: what a sync has landed is then shown, or came out as it was.
UPDATE ops.run SET published_by = %(run_id)s
WHERE command = 'sync' AND published_by IS NULL AND status <> 'running'
    AND NOT EXISTS (SELECT FROM ops.pending WHERE step IN ('standardise', 'resolve', 'publish'))

-- name: mark_held
UPDATE ops.run SET published_by = %(hold_id)s WHERE run_id = ANY (%(run_ids)s::bigint[]) AND command = 'sync'

-- name: run
SELECT run_id, command, source, status, started_at::text, finished_at::text, published_by, trace_id, report
FROM ops.run WHERE run_id = %(run_id)s

-- name: runs
SELECT r.run_id, r.command, r.source, r.status, r.started_at::text, r.finished_at::text,
    CASE WHEN NOT coalesce(r.report, '{}') ? 'died' THEN extract(epoch FROM r.finished_at - r.started_at)::float END
        AS seconds, r.published_by, h.state AS hold, h.findings, r.trace_id,
    CASE WHEN r.status = 'failed' THEN r.report ->> 'error' END AS error
FROM ops.run AS r LEFT JOIN ops.hold AS h ON h.run_id = r.run_id
WHERE (%(source)s::text IS NULL OR r.source = %(source)s::text)
    AND (%(trace_id)s::text IS NULL OR r.trace_id = %(trace_id)s::text)
ORDER BY r.run_id DESC LIMIT %(limit)s

-- name: shown_by
-- The syncs that a run stands for: itself, those that it published, or those that were once taken back with it.
SELECT run_id, source FROM ops.run
WHERE command = 'sync' AND (
    run_id = %(run_id)s OR published_by = %(run_id)s
    OR run_id IN (SELECT unnest(h.run_ids) FROM ops.hold AS h WHERE h.run_id = %(run_id)s)
)
ORDER BY run_id

-- name: changed_since
-- How many records the source has said otherwise of since: they stay as they are.
SELECT count(DISTINCT v.record_id) FROM raw.record_version AS v
JOIN raw.record AS r ON r.record_id = v.record_id
WHERE v.run_id = ANY (%(run_ids)s::bigint[]) AND NOT r.run_id = ANY (%(run_ids)s::bigint[])
    AND r.source = ANY (%(sources)s::text[])

-- name: count_moves
-- Clients that went whole into another one, and clients that fell apart; in the temporary table `move` of resolution.
WITH part AS (
    SELECT old_client_id, count(*) AS gone, count(new_client_id) AS moved, count(DISTINCT new_client_id) AS targets
    FROM move WHERE old_client_id IS NOT NULL
    GROUP BY old_client_id
), sized AS (
    SELECT p.*, (SELECT count(*) FROM identity.crosswalk AS x WHERE x.client_id = p.old_client_id) AS size
    FROM part AS p WHERE p.moved > 0
)
SELECT count(*) FILTER (WHERE size = gone AND targets = 1), count(*) FILTER (WHERE size > gone OR targets > 1)
FROM sized

-- name: largest_growth
-- The largest client that grows beyond the limit with these moves and did not stand beyond it before.
WITH come AS (
    SELECT new_client_id AS client_id, count(*) AS come FROM move WHERE new_client_id IS NOT NULL GROUP BY new_client_id
), gone AS (
    SELECT old_client_id AS client_id, count(*) AS gone FROM move WHERE old_client_id IS NOT NULL GROUP BY old_client_id
), had AS (
    SELECT c.client_id, count(*) AS had FROM come AS c JOIN identity.crosswalk AS x ON x.client_id = c.client_id
    GROUP BY c.client_id
), sized AS (
    SELECT c.client_id, coalesce(h.had, 0) AS before, coalesce(h.had, 0) + c.come - coalesce(g.gone, 0) AS size
    FROM come AS c LEFT JOIN had AS h USING (client_id) LEFT JOIN gone AS g USING (client_id)
)
SELECT client_id::text, size FROM sized
WHERE before <= %(limit)s AND size > %(limit)s
ORDER BY size DESC, client_id LIMIT 1

-- name: most_moved
-- The clients that most records would come to from others.
SELECT new_client_id::text AS client_id, count(*) AS records, count(DISTINCT old_client_id) AS clients
FROM move WHERE new_client_id IS NOT NULL AND old_client_id IS NOT NULL
GROUP BY new_client_id
ORDER BY records DESC, client_id LIMIT 10

-- name: count_golden
SELECT count(*) FROM new_golden AS n
JOIN core.client AS c ON c.client_id = n.client_id
WHERE NOT c.is_deleted AND (c.attributes, c.display_name) IS DISTINCT FROM (n.attributes, n.display_name)

-- name: clients
-- Counted only where no run has kept the number yet.
SELECT coalesce((SELECT clients FROM ops.hub_clock), (SELECT count(*) FROM core.client WHERE NOT is_deleted))

-- name: has_unfinished
SELECT EXISTS (
    SELECT FROM ops.run
    WHERE command = 'sync' AND source = %(source)s AND run_id > %(passed)s AND run_id < %(run_id)s
        AND status NOT IN ('done', 'held')
)

-- name: is_being_standardised
SELECT EXISTS (
    SELECT FROM ops.run AS r
    WHERE r.command = 'standardise' AND (
        r.status = 'running' OR EXISTS (
            SELECT FROM ops.run AS s
            WHERE s.command = 'sync' AND s.source = %(source)s AND s.run_id > %(passed)s
                -- One that had begun before the sync may have read what the sync landed.
                AND (r.run_id > s.run_id OR r.finished_at > s.started_at)
        )
    )
)

-- name: look_over
ANALYZE news
