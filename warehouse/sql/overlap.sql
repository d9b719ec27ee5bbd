-- How many clients the registers have in common, counted once and kept.

-- name: find_presence
-- Clients and prospects with the sources that their records come from.
CREATE TEMP TABLE client_presence ON COMMIT DROP AS
SELECT p.client_id, p.registers
FROM (
    SELECT x.client_id, array_agg(DISTINCT r.source COLLATE "C") AS registers
    FROM identity.crosswalk AS x
    JOIN identity.standard_record AS r ON r.record_id = x.record_id
    GROUP BY x.client_id
) AS p
JOIN core.client AS c ON c.client_id = p.client_id AND c.role IN ('client', 'prospect') AND NOT c.is_deleted

-- name: analyse_presence
ANALYZE client_presence

-- name: find_conflicts
-- Attributes that keep one value and for which something lost; then who of the registers has no value in common.
CREATE TEMP TABLE client_conflict ON COMMIT DROP AS
WITH contested AS MATERIALIZED (
    SELECT c.client_id, e.key AS attribute
    FROM client_presence AS p
    JOIN core.client AS c ON c.client_id = p.client_id
    CROSS JOIN LATERAL jsonb_each(c.lineage) AS e
    WHERE cardinality(p.registers) > 1 AND e.value ? 'losers' AND jsonb_typeof(c.attributes -> e.key) <> 'array'
), told AS (
    SELECT k.client_id, k.attribute, r.source COLLATE "C" AS register, array_agg(v.value ->> 'v') AS said
    FROM contested AS k
    JOIN identity.crosswalk AS x ON x.client_id = k.client_id
    JOIN identity.standard_record AS r ON r.record_id = x.record_id
    CROSS JOIN LATERAL jsonb_array_elements(r.attributes -> k.attribute) AS v
    WHERE v.value ->> 'invalid' IS NULL
        OR v.value ->> 'invalid' NOT IN ('placeholder', 'own organisation', 'several on one card')
    GROUP BY k.client_id, k.attribute, r.source
)
SELECT DISTINCT a.client_id, a.register AS register_a, b.register AS register_b
FROM told AS a
JOIN told AS b ON b.client_id = a.client_id AND b.attribute = a.attribute AND a.register < b.register
WHERE NOT a.said && b.said

-- name: forget_week
DELETE FROM ops.register_combination WHERE week_on = %(week_on)s

-- name: forget_pairs
DELETE FROM ops.register_overlap WHERE week_on = %(week_on)s

-- name: store_combinations
INSERT INTO ops.register_combination (week_on, registers, clients, taken_at, changed_seq, examples)
SELECT %(week_on)s, p.registers, count(*), %(at)s, (SELECT coalesce(max(last_event_id), 0) FROM ops.hub_clock),
    (array_agg(p.client_id ORDER BY p.client_id))[1:%(examples)s]
FROM client_presence AS p
GROUP BY p.registers

-- name: store_pairs
INSERT INTO ops.register_overlap (
    week_on, register_a, register_b, only_a, only_b, in_both, in_conflict, taken_at, changed_seq
)
WITH register AS (
    SELECT DISTINCT unnest(registers) COLLATE "C" AS name FROM ops.register_combination WHERE week_on = %(week_on)s
), conflict AS (
    SELECT register_a, register_b, count(*) AS clients FROM client_conflict GROUP BY register_a, register_b
)
SELECT c.week_on, a.name, b.name,
    coalesce(sum(c.clients) FILTER (WHERE a.name = ANY (c.registers) AND NOT b.name = ANY (c.registers)), 0),
    coalesce(sum(c.clients) FILTER (WHERE b.name = ANY (c.registers) AND NOT a.name = ANY (c.registers)), 0),
    coalesce(sum(c.clients) FILTER (WHERE a.name = ANY (c.registers) AND b.name = ANY (c.registers)), 0),
    coalesce(min(k.clients), 0), min(c.taken_at), min(c.changed_seq)
FROM register AS a
JOIN register AS b ON a.name < b.name
JOIN ops.register_combination AS c ON c.week_on = %(week_on)s
LEFT JOIN conflict AS k ON k.register_a = a.name AND k.register_b = b.name
GROUP BY c.week_on, a.name, b.name

-- name: drop_found
DROP TABLE client_presence, client_conflict

-- name: has_week
SELECT EXISTS (SELECT FROM ops.register_combination WHERE week_on = %(week_on)s AND examples IS NOT NULL)

-- name: hub_size
-- What a run counted last; nobody counts anew to learn whether counting is dear.
SELECT coalesce(max(clients), 0) FROM ops.hub_clock

-- name: pairs
SELECT week_on, register_a, register_b, only_a, only_b, in_both, in_conflict, taken_at, is_latest
FROM onefold_v1.report_register_overlap
ORDER BY week_on, register_a COLLATE "C", register_b COLLATE "C"

-- name: latest_pairs
SELECT week_on, register_a, register_b, only_a, only_b, in_both, in_conflict, taken_at, is_latest
FROM onefold_v1.report_register_overlap
WHERE is_latest
ORDER BY register_a COLLATE "C", register_b COLLATE "C"

-- name: combinations
SELECT registers, clients
FROM onefold_v1.report_register_combination
WHERE is_latest
ORDER BY clients DESC, registers

-- name: clients
SELECT o.client_id::text, c.display_name, o.state, o.is_conflict, o.conflicting
FROM onefold_v1.report_register_overlap_client AS o
JOIN core.client AS c ON c.client_id = o.client_id
WHERE o.register_a = %(register_a)s AND o.register_b = %(register_b)s
    AND CASE %(state)s WHEN 'conflict' THEN o.is_conflict ELSE o.state = %(state)s END
ORDER BY c.display_name COLLATE "C", o.client_id
LIMIT %(limit)s

-- name: some_clients
-- Some of the clients behind a number of a pair, as it was counted last: for a page, which counts nothing. Who has come to
-- stand elsewhere since is left out.
SELECT e.client_id::text, c.display_name, c.kind
FROM (
    SELECT unnest(o.examples) AS client_id
    FROM ops.register_combination AS o
    WHERE o.week_on = (SELECT max(week_on) FROM ops.register_combination)
        AND %(register)s = ANY (o.registers) AND %(is_in_both)s = (%(other)s = ANY (o.registers))
) AS e
JOIN core.client AS c ON c.client_id = e.client_id AND c.role IN ('client', 'prospect') AND NOT c.is_deleted
CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(r.source = %(register)s), false) AS in_register,
        coalesce(bool_or(r.source = %(other)s), false) AS in_other
    FROM identity.crosswalk AS x
    JOIN identity.standard_record AS r ON r.record_id = x.record_id
    WHERE x.client_id = e.client_id
) AS s
WHERE s.in_register AND s.in_other = %(is_in_both)s
ORDER BY e.client_id
LIMIT %(limit)s
