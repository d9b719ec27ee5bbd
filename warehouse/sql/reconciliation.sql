-- Rows and control sums of every stream, from what came to what is served. All statements run in one transaction that
-- sees one moment; `stated_stream` (source, stream, kind) says what each configured stream is mapped to.

-- name: make_tables
CREATE TEMP TABLE stated_stream (source text, stream text, kind text) ON COMMIT DROP;
CREATE TEMP TABLE odd_record (
    record_id bigint, source text, stream text, reason text, raw_amount numeric, standard_amount numeric
) ON COMMIT DROP

-- name: state_streams
INSERT INTO stated_stream (source, stream, kind)
SELECT * FROM unnest(%(sources)s::text[], %(streams)s::text[], %(kinds)s::text[])

-- name: find_missing
-- Living records of mapped streams without a standard form. What waits in the queue or was refused is known by that.
INSERT INTO odd_record (record_id, source, stream, reason)
SELECT w.record_id, w.source, w.stream,
    CASE
        WHEN EXISTS (SELECT FROM ops.pending AS q WHERE q.step IN ('standardise', 'landed') AND q.record_id = w.record_id)
        THEN 'waiting'
        WHEN EXISTS (
            SELECT FROM ops.reject AS j WHERE j.record_id = w.record_id AND j.step = 'standardise' AND j.is_open
        )
        THEN 'rejected'
        ELSE 'missing'
    END
FROM raw.record AS w
JOIN stated_stream AS k ON k.source = w.source AND k.stream = w.stream AND k.kind <> 'none'
LEFT JOIN identity.standard_record AS s ON s.record_id = w.record_id
LEFT JOIN core.interaction AS i ON i.record_id = w.record_id AND NOT i.is_deleted
LEFT JOIN (
    SELECT DISTINCT r.record_id FROM core.relationship AS r
    WHERE NOT r.is_deleted AND EXISTS (SELECT FROM stated_stream WHERE kind = 'relationship')
) AS r ON k.kind = 'relationship' AND r.record_id = w.record_id
WHERE NOT w.is_deleted AND s.record_id IS NULL AND i.record_id IS NULL AND r.record_id IS NULL

-- name: find_surplus
-- Standard forms without a living record of the source.
INSERT INTO odd_record (record_id, source, stream, reason, standard_amount)
SELECT s.record_id, s.source, s.stream,
    CASE
        WHEN EXISTS (SELECT FROM ops.pending AS q WHERE q.step IN ('standardise', 'landed') AND q.record_id = s.record_id)
        THEN 'leaving'
        WHEN s.is_party AND (
            position('#inn=' IN s.source_key) > 0
            OR EXISTS (SELECT FROM identity.former_record AS f WHERE f.former_id = s.record_id)
        )
        THEN 'made'
        ELSE 'surplus'
    END, s.amount
FROM (
    SELECT p.record_id, p.source, p.stream, p.source_key, true AS is_party, NULL::numeric AS amount
    FROM identity.standard_record AS p
    LEFT JOIN raw.record AS w ON w.record_id = p.record_id
    WHERE w.record_id IS NULL OR w.is_deleted
    UNION ALL
    SELECT i.record_id, i.source, i.stream, i.source_key, false, i.amount
    FROM core.interaction AS i
    LEFT JOIN raw.record AS w ON w.record_id = i.record_id
    WHERE NOT i.is_deleted AND (w.record_id IS NULL OR w.is_deleted)
) AS s

-- name: missing_records
SELECT m.record_id, w.source_key, convert_to(w.payload::text, 'UTF8'), w.source_updated_at, NULL::numeric
FROM odd_record AS m
JOIN raw.record AS w ON w.record_id = m.record_id
WHERE m.source = %(source)s AND m.stream = %(stream)s AND m.reason IN ('missing', 'waiting')

-- name: known_records
SELECT w.record_id, w.source_key, convert_to(w.payload::text, 'UTF8'), w.source_updated_at, i.amount
FROM raw.record AS w
JOIN core.interaction AS i ON i.record_id = w.record_id AND NOT i.is_deleted
WHERE w.source = %(source)s AND w.stream = %(stream)s AND NOT w.is_deleted

-- name: known_records_to_read
-- Of a stream whose amounts stand under one name: those where it is no plain number, or another than is stored.
SELECT w.record_id, w.source_key, convert_to(w.payload::text, 'UTF8'), w.source_updated_at, i.amount
FROM raw.record AS w
JOIN core.interaction AS i ON i.record_id = w.record_id AND NOT i.is_deleted
WHERE w.source = %(source)s AND w.stream = %(stream)s AND NOT w.is_deleted
    AND CASE
        WHEN jsonb_typeof(w.payload -> %(name)s) = 'number'
            OR w.payload ->> %(name)s ~ '^[+-]?[0-9]{1,30}([.][0-9]{1,30})?$'
        THEN (w.payload ->> %(name)s)::numeric IS DISTINCT FROM i.amount
        ELSE w.payload ->> %(name)s IS NOT NULL OR i.amount IS NOT NULL
    END

-- name: judge
UPDATE odd_record AS m
SET reason = CASE m.reason WHEN 'waiting' THEN m.reason ELSE n.reason END, raw_amount = n.amount
FROM unnest(%(record_ids)s::bigint[], %(reasons)s::text[], %(amounts)s::numeric[]) AS n (record_id, reason, amount)
WHERE m.record_id = n.record_id AND m.reason IN ('missing', 'waiting')

-- name: other_amounts
INSERT INTO odd_record (record_id, source, stream, reason, raw_amount, standard_amount)
SELECT n.record_id, %(source)s, %(stream)s,
    CASE
        WHEN EXISTS (SELECT FROM ops.pending AS q WHERE q.step IN ('standardise', 'landed') AND q.record_id = n.record_id)
        THEN 'changed' ELSE 'other_amount'
    END, n.raw_amount, n.standard_amount
FROM unnest(%(record_ids)s::bigint[], %(raw_amounts)s::numeric[], %(standard_amounts)s::numeric[])
    AS n (record_id, raw_amount, standard_amount)

-- name: find_unlinked
INSERT INTO odd_record (record_id, source, stream, reason)
SELECT s.record_id, s.source, s.stream,
    CASE WHEN x.record_id IS NULL THEN 'unlinked' ELSE 'unserved' END
FROM identity.standard_record AS s
LEFT JOIN identity.crosswalk AS x ON x.record_id = s.record_id
LEFT JOIN core.client AS c ON c.client_id = x.client_id AND NOT c.is_deleted
WHERE c.client_id IS NULL

-- name: find_open
INSERT INTO odd_record (record_id, source, stream, reason, standard_amount)
SELECT i.record_id, i.source, i.stream,
    CASE
        WHEN i.party_record_id IS NULL THEN 'without_party'
        WHEN x.record_id IS NULL THEN 'open_reference'
        ELSE 'unlinked'
    END, i.amount
FROM core.interaction AS i
LEFT JOIN identity.crosswalk AS x ON x.record_id = i.party_record_id
WHERE NOT i.is_deleted AND i.client_id IS NULL

-- name: store
WITH odd AS (
    SELECT source, stream,
        count(*) FILTER (WHERE reason = 'left_out') AS left_out,
        count(*) FILTER (WHERE reason = 'rejected') AS rejected,
        count(*) FILTER (WHERE reason = 'waiting') AS waiting,
        count(*) FILTER (WHERE reason = 'leaving') AS leaving,
        count(*) FILTER (WHERE reason = 'made') AS made,
        count(*) FILTER (WHERE reason IN ('missing', 'surplus', 'other_amount')) AS unexplained,
        count(*) FILTER (WHERE reason = 'open_reference') AS open_references,
        count(*) FILTER (WHERE reason = 'without_party') AS without_party,
        count(*) FILTER (WHERE reason = 'unlinked') AS unlinked,
        coalesce(sum(coalesce(raw_amount, 0) - coalesce(standard_amount, 0)) FILTER (
            WHERE reason IN ('missing', 'waiting', 'surplus', 'leaving', 'changed', 'other_amount')
        ), 0) AS amount_beside,
        coalesce(sum(coalesce(raw_amount, 0) - coalesce(standard_amount, 0)) FILTER (
            WHERE reason IN ('waiting', 'leaving', 'changed')
        ), 0) AS amount_waiting
    FROM odd_record
    GROUP BY source, stream
), landed AS (
    SELECT source, stream, count(*) AS raw_rows, count(*) FILTER (WHERE is_deleted) AS tombstones
    FROM raw.record
    GROUP BY source, stream
), refused AS (
    SELECT source, stream, count(*) AS not_landed, count(*) FILTER (WHERE reason = 'suppressed') AS suppressed
    FROM ops.reject
    WHERE step = 'sync' AND is_open
    GROUP BY source, stream
), party AS (
    SELECT s.source, s.stream, count(*) AS standard_rows, count(x.record_id) AS linked_rows
    FROM identity.standard_record AS s
    LEFT JOIN identity.crosswalk AS x ON x.record_id = s.record_id
    GROUP BY s.source, s.stream
), fact AS (
    SELECT source, stream, count(*) AS standard_rows, count(client_id) AS linked_rows,
        coalesce(sum(amount), 0) AS standard_amount,
        coalesce(sum(amount) FILTER (WHERE client_id IS NOT NULL), 0) AS linked_amount
    FROM core.interaction
    WHERE NOT is_deleted
    GROUP BY source, stream
), tie AS (
    SELECT w.source, w.stream, count(DISTINCT r.record_id) AS standard_rows,
        count(DISTINCT r.record_id) FILTER (WHERE f.record_id IS NOT NULL AND t.record_id IS NOT NULL) AS linked_rows
    FROM core.relationship AS r
    JOIN raw.record AS w ON w.record_id = r.record_id
    JOIN stated_stream AS k ON k.source = w.source AND k.stream = w.stream AND k.kind = 'relationship'
    LEFT JOIN identity.crosswalk AS f ON f.record_id = r.from_record_id
    LEFT JOIN identity.crosswalk AS t ON t.record_id = r.to_record_id
    WHERE NOT r.is_deleted
    GROUP BY w.source, w.stream
), shown_party AS (
    SELECT v.source, v.stream, count(*) AS served_rows
    FROM onefold_v1.xref_client_record AS v
    JOIN core.client AS c ON c.client_id = v.client_id AND NOT c.is_deleted
    WHERE NOT v.is_deleted
    GROUP BY v.source, v.stream
), shown_fact AS (
    SELECT v.source, v.stream, count(*) AS served_rows, coalesce(sum(v.amount), 0) AS served_amount
    FROM onefold_v1.fct_interaction AS v
    WHERE NOT v.is_deleted
    GROUP BY v.source, v.stream
), shown_tie AS (
    SELECT w.source, w.stream, count(DISTINCT v.record_id) AS served_rows
    FROM onefold_v1.bridge_relationship AS v
    JOIN raw.record AS w ON w.record_id = v.record_id
    JOIN stated_stream AS k ON k.source = w.source AND k.stream = w.stream AND k.kind = 'relationship'
    WHERE NOT v.is_deleted
    GROUP BY w.source, w.stream
), counted AS (
    SELECT source, stream,
        coalesce(p.standard_rows, 0) + coalesce(f.standard_rows, 0) + coalesce(t.standard_rows, 0) AS standard_rows,
        coalesce(p.linked_rows, 0) + coalesce(f.linked_rows, 0) + coalesce(t.linked_rows, 0) AS linked_rows,
        coalesce(p.linked_rows, 0) + coalesce(f.standard_rows, 0) + coalesce(t.standard_rows, 0) AS to_serve,
        coalesce(sp.served_rows, 0) + coalesce(sf.served_rows, 0) + coalesce(st.served_rows, 0) AS served_rows,
        f.standard_amount, f.linked_amount, sf.served_amount
    FROM party AS p
    FULL JOIN fact AS f USING (source, stream)
    FULL JOIN tie AS t USING (source, stream)
    FULL JOIN shown_party AS sp USING (source, stream)
    FULL JOIN shown_fact AS sf USING (source, stream)
    FULL JOIN shown_tie AS st USING (source, stream)
)
INSERT INTO ops.reconciliation (
    run_id, source, stream, sync_run_id, not_landed, suppressed, raw_rows, tombstones, left_out, rejected, waiting,
    leaving, made, standard_rows, unexplained, linked_rows, open_references, without_party, unlinked, served_rows,
    unserved, raw_amount, waiting_amount, standard_amount, linked_amount, served_amount, taken_at, changed_seq
)
SELECT %(run_id)s, source, stream, s.run_id, coalesce(j.not_landed, 0), coalesce(j.suppressed, 0),
    coalesce(l.raw_rows, 0), coalesce(l.tombstones, 0),
    -- A stream that is only landed leaves out all that lives.
    CASE WHEN coalesce(k.kind, 'none') = 'none' AND coalesce(c.standard_rows, 0) = 0
        THEN coalesce(l.raw_rows - l.tombstones, 0) ELSE coalesce(o.left_out, 0)
    END,
    coalesce(o.rejected, 0), coalesce(o.waiting, 0), coalesce(o.leaving, 0), coalesce(o.made, 0),
    coalesce(c.standard_rows, 0), coalesce(o.unexplained, 0), coalesce(c.linked_rows, 0),
    coalesce(o.open_references, 0), coalesce(o.without_party, 0), coalesce(o.unlinked, 0),
    coalesce(c.served_rows, 0), coalesce(c.to_serve - c.served_rows, 0), c.standard_amount + coalesce(o.amount_beside, 0),
    coalesce(o.amount_waiting, 0) + 0 * c.standard_amount, c.standard_amount, c.linked_amount, c.served_amount, %(at)s,
    (SELECT coalesce(max(last_event_id), 0) FROM ops.hub_clock)
FROM stated_stream AS k
FULL JOIN landed AS l USING (source, stream)
FULL JOIN refused AS j USING (source, stream)
FULL JOIN counted AS c USING (source, stream)
FULL JOIN odd AS o USING (source, stream)
LEFT JOIN (
    SELECT source, max(run_id) AS run_id FROM ops.run
    WHERE command = 'sync' AND finished_at IS NOT NULL
    GROUP BY source
) AS s USING (source)

-- name: forget_rows
DELETE FROM ops.reconciliation_row

-- name: store_rows
INSERT INTO ops.reconciliation_row (record_id, reason, run_id, source, stream, raw_amount, standard_amount)
SELECT DISTINCT ON (record_id, reason) record_id, reason, %(run_id)s, source, stream, raw_amount, standard_amount
FROM (
    SELECT record_id, CASE reason WHEN 'changed' THEN 'waiting' ELSE reason END AS reason, source, stream, raw_amount,
        standard_amount
    FROM odd_record
) AS o
ORDER BY record_id, reason

-- name: streams
SELECT v.*
FROM onefold_v1.report_reconciliation AS v
WHERE v.is_latest
ORDER BY v.source COLLATE "C", v.stream COLLATE "C"

-- name: rows
SELECT v.record_id, v.source, v.stream, v.source_key, v.reason, v.raw_amount, v.standard_amount
FROM onefold_v1.report_reconciliation_row AS v
WHERE v.source = %(source)s AND (%(stream)s::text IS NULL OR v.stream = %(stream)s)
    AND (%(reason)s::text IS NULL OR v.reason = %(reason)s)
ORDER BY v.stream COLLATE "C", v.reason, v.source_key COLLATE "C"
LIMIT %(limit)s
