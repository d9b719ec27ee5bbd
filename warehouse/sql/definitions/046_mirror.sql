-- How the clients of served segments are treated, as of the last look (`onefold segments mirror`).

CREATE OR REPLACE VIEW onefold_v1.segment_mirror AS
SELECT
    m.scheme,
    m.segment,
    m.outcome,
    g.label_en AS segment_label_en,
    g.label_ru AS segment_label_ru,
    m.label_en,
    m.label_ru,
    m.position,
    m.measure,
    m.is_less_better,
    m.is_promised,
    m.verdict,
    m.clients,
    m.compared,
    m.typical,
    m.typical_elsewhere,
    m.difference,
    m.difference_low,
    m.difference_high,
    m.p_value,
    m.meets_promise,
    m.effect,
    m.effect_difference,
    m.effect_low,
    m.effect_high,
    m.since_on,
    m.looked_at,
    clock.changed_seq,
    false AS is_deleted
FROM core.segment_mirror AS m
JOIN core.segment AS g ON g.scheme = m.scheme AND g.segment = m.segment
JOIN core.segment_scheme AS s ON s.scheme = m.scheme AND s.is_served
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.segment_mirror IS 'Whether the clients of each segment get something else than others with as much business in the same place, and whether it was promised';
