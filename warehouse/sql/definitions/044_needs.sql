-- Needs of clients with their grounds, and segments by them. Of a scheme that has not passed its check nothing is shown.

CREATE OR REPLACE VIEW onefold_v1.client_need AS
SELECT
    n.client_id,
    n.need,
    d.label_en,
    d.label_ru,
    d.job_en,
    d.job_ru,
    d.dimension,
    n.origin,
    n.is_held,
    n.sightings_for,
    n.sightings_against,
    round(n.weight_for / 1000000.0, 3) AS weight_for,
    round(n.weight_against / 1000000.0, 3) AS weight_against,
    round(n.expected_for / 1000000.0, 3) AS expected_for,
    round(n.expected_against / 1000000.0, 3) AS expected_against,
    round((n.weight_for + 1000000.0) / (n.expected_for + 1000000.0), 2) AS lift,
    n.dealings,
    n.first_on,
    n.last_on,
    -- Too little was to be expected of so few dealings: what they show says nothing against the client's word.
    s.is_held IS NOT NULL AND o.is_held IS NOT NULL AND s.is_held <> o.is_held
        AND (o.is_held OR o.expected_for >= 1000000) AS is_disputed,
    clock.changed_seq,
    false AS is_deleted
FROM core.client_need AS n
JOIN core.need AS d ON d.code = n.need
LEFT JOIN core.client_need AS s ON s.client_id = n.client_id AND s.need = n.need AND s.origin = 'declared'
LEFT JOIN core.client_need AS o ON o.client_id = n.client_id AND o.need = n.need AND o.origin = 'observed'
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.client_need IS 'What clients need: what they say, what they do and what is concluded kept apart, each beside what so many dealings let expect';

CREATE OR REPLACE VIEW onefold_v1.client_need_evidence AS
SELECT
    e.client_id,
    s.need,
    s.code AS signal,
    s.label_en,
    s.label_ru,
    s.origin,
    NOT s.is_against AS speaks_for,
    s.weight,
    e.record_id,
    i.type,
    i.occurred_on,
    i.summary,
    i.source,
    i.stream,
    i.source_key,
    clock.changed_seq,
    false AS is_deleted
FROM core.client_need_evidence AS e
JOIN core.need_signal AS s ON s.signal_key = e.signal_key
JOIN core.published_interaction AS i ON i.record_id = e.record_id
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.client_need_evidence IS 'The interactions that speak for or against a need of a client';

CREATE OR REPLACE VIEW onefold_v1.dim_segment AS
SELECT
    g.scheme,
    g.segment,
    s.basis,
    s.label_en AS scheme_label_en,
    s.label_ru AS scheme_label_ru,
    g.label_en,
    g.label_ru,
    g.needs,
    g.policy,
    s.owner,
    s.checked_at,
    (s.figures -> 'stability' ->> g.segment)::numeric AS stability,
    clock.changed_seq,
    false AS is_deleted,
    g.policy_field,
    g.policy_test,
    g.policy_value,
    g.policy_from,
    s.review_on
FROM core.segment AS g
JOIN core.segment_scheme AS s ON s.scheme = g.scheme AND s.is_served
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.dim_segment IS 'Segments of the schemes that have passed their check';

CREATE OR REPLACE VIEW onefold_v1.bridge_client_segment AS
SELECT
    c.client_id,
    c.scheme,
    c.segment,
    c.entered_at,
    c.entered_reason,
    c.left_at,
    c.left_reason,
    c.left_at IS NULL AS is_current,
    c.probability,
    c.runner_up,
    c.runner_up_probability,
    clock.changed_seq,
    false AS is_deleted
FROM core.client_segment AS c
JOIN core.segment_scheme AS s ON s.scheme = c.scheme AND s.is_served
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.bridge_client_segment IS 'In which segment of each scheme a client is and was; segment is null while it is unknown';
