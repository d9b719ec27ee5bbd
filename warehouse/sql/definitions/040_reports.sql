-- What registers have in common, and whether everything that came is served. Numbers are those that were counted last;
-- the rows behind them are of now.

CREATE OR REPLACE VIEW onefold_v1.report_register_overlap AS
SELECT
    o.week_on,
    o.register_a,
    o.register_b,
    o.only_a,
    o.only_b,
    o.in_both,
    o.in_conflict,
    o.week_on = (SELECT max(week_on) FROM ops.register_combination) AS is_latest,
    o.taken_at,
    o.changed_seq,
    false AS is_deleted
FROM ops.register_overlap AS o;
COMMENT ON VIEW onefold_v1.report_register_overlap IS 'How many clients each pair of registers has in common, a row per week in which it was counted';

CREATE OR REPLACE VIEW onefold_v1.report_register_combination AS
SELECT
    o.week_on,
    o.registers,
    o.clients,
    o.week_on = (SELECT max(week_on) FROM ops.register_combination) AS is_latest,
    o.taken_at,
    o.changed_seq,
    false AS is_deleted
FROM ops.register_combination AS o;
COMMENT ON VIEW onefold_v1.report_register_combination IS 'How many clients stand in exactly these registers, a row per week in which it was counted';

CREATE OR REPLACE VIEW onefold_v1.report_register_overlap_client AS
SELECT
    o.register_a,
    o.register_b,
    s.client_id,
    CASE WHEN s.in_a AND s.in_b THEN 'both' WHEN s.in_a THEN 'only_a' ELSE 'only_b' END AS state,
    coalesce(k.attributes <> '{}', false) AS is_conflict,
    k.attributes AS conflicting,
    c.changed_seq,
    c.is_deleted
FROM (
    SELECT l.register_a, l.register_b
    FROM ops.register_overlap AS l
    WHERE l.week_on = (SELECT max(week_on) FROM ops.register_combination)
) AS o
CROSS JOIN LATERAL (
    SELECT x.client_id, bool_or(r.source = o.register_a) AS in_a, bool_or(r.source = o.register_b) AS in_b
    FROM identity.crosswalk AS x
    JOIN identity.standard_record AS r ON r.record_id = x.record_id
    WHERE r.source IN (o.register_a, o.register_b)
    GROUP BY x.client_id
) AS s
JOIN core.client AS c ON c.client_id = s.client_id AND c.role IN ('client', 'prospect') AND NOT c.is_deleted
LEFT JOIN LATERAL (
    SELECT array_agg(e.key ORDER BY e.key COLLATE "C") AS attributes
    FROM jsonb_each(c.lineage) AS e
    CROSS JOIN LATERAL (
        SELECT array_agg(v.value ->> 'v') FILTER (WHERE r.source = o.register_a) AS said_a,
            array_agg(v.value ->> 'v') FILTER (WHERE r.source = o.register_b) AS said_b
        FROM identity.crosswalk AS x
        JOIN identity.standard_record AS r ON r.record_id = x.record_id
        CROSS JOIN LATERAL jsonb_array_elements(r.attributes -> e.key) AS v
        WHERE x.client_id = c.client_id AND r.source IN (o.register_a, o.register_b)
            AND (
                v.value ->> 'invalid' IS NULL
                OR v.value ->> 'invalid' NOT IN ('placeholder', 'own organisation', 'several on one card')
            )
    ) AS t
    WHERE e.value ? 'losers' AND jsonb_typeof(c.attributes -> e.key) <> 'array' AND NOT t.said_a && t.said_b
) AS k ON s.in_a AND s.in_b;
COMMENT ON VIEW onefold_v1.report_register_overlap_client IS 'The clients behind report_register_overlap as they are now; ask for one pair of registers at a time';

CREATE OR REPLACE VIEW onefold_v1.report_reconciliation AS
SELECT
    r.run_id,
    r.source,
    r.stream,
    r.sync_run_id,
    r.not_landed,
    r.suppressed,
    r.raw_rows,
    r.tombstones,
    r.left_out,
    r.rejected,
    r.waiting,
    r.leaving,
    r.made,
    r.standard_rows,
    r.raw_rows - r.tombstones - r.left_out - r.rejected - r.waiting + r.leaving + r.made - r.standard_rows
        AS difference_rows,
    r.unexplained,
    r.linked_rows,
    r.open_references,
    r.without_party,
    r.unlinked,
    r.served_rows,
    r.unserved,
    r.raw_amount,
    r.waiting_amount,
    r.standard_amount,
    r.linked_amount,
    r.served_amount,
    r.raw_amount - r.waiting_amount - r.standard_amount AS difference_amount,
    r.run_id = (SELECT max(run_id) FROM ops.reconciliation) AS is_latest,
    r.taken_at,
    r.changed_seq,
    false AS is_deleted
FROM ops.reconciliation AS r;
COMMENT ON VIEW onefold_v1.report_reconciliation IS 'Rows and control sums of each stream from the source to the served views, a row per reconciliation';

CREATE OR REPLACE VIEW onefold_v1.report_reconciliation_row AS
SELECT
    d.record_id,
    d.source,
    d.stream,
    coalesce(w.source_key, s.source_key) AS source_key,
    d.reason,
    d.raw_amount,
    d.standard_amount,
    d.run_id,
    n.changed_seq,
    false AS is_deleted
FROM ops.reconciliation_row AS d
JOIN ops.reconciliation AS n ON n.run_id = d.run_id AND n.source = d.source AND n.stream = d.stream
LEFT JOIN raw.record AS w ON w.record_id = d.record_id
LEFT JOIN identity.standard_record AS s ON w.record_id IS NULL AND s.record_id = d.record_id
UNION ALL
SELECT w.record_id, w.source, w.stream, w.source_key, 'tombstone', NULL, NULL, n.run_id, n.changed_seq, false
FROM ops.reconciliation AS n
JOIN raw.record AS w ON w.source = n.source AND w.stream = n.stream AND w.is_deleted
WHERE n.run_id = (SELECT max(run_id) FROM ops.reconciliation);
COMMENT ON VIEW onefold_v1.report_reconciliation_row IS 'The records behind the numbers of the last reconciliation, each with the reason why it is not where the others are';
