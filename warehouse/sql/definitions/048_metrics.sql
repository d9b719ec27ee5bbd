-- What is measured, from the client's side and from the company's, with sample and uncertainty; and loyalty.

CREATE OR REPLACE VIEW onefold_v1.metric AS
SELECT
    m.metric,
    m.version,
    m.label_en,
    m.label_ru,
    m.perspective,
    m.unit,
    m.direction AS good_is,
    m.kind AS aggregation,
    m.types AS interaction_types,
    m.minimum,
    m.minimum_per_client,
    m.definition,
    m.is_available,
    m.why_en,
    m.why_ru,
    clock.changed_seq,
    false AS is_deleted
FROM core.metric AS m
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.metric IS 'What is measured, from whose side, and why what is not available is not';

CREATE OR REPLACE VIEW onefold_v1.metric_value AS
SELECT
    v.metric,
    v.place,
    v.scope,
    v.month,
    v.scheme,
    v.segment,
    v.version,
    v.observations,
    v.clients,
    v.value,
    v.low,
    v.high,
    clock.changed_seq,
    false AS is_deleted
FROM core.metric_value AS v
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.metric_value IS 'Values of metrics of the hub, of months and of segments, with sample and 95 % interval';

CREATE OR REPLACE VIEW onefold_v1.client_metric AS
SELECT
    s.client_id,
    s.metric,
    m.version,
    s.observations::bigint AS observations,
    CASE
        WHEN m.kind = 'total' THEN s.total
        ELSE round(s.total / nullif(s.weight, 0), 6)
    END AS value,
    round(CASE m.kind WHEN 'share' THEN w.middle - w.half WHEN 'mean' THEN s.mean - t.half END, 6) AS low,
    round(CASE m.kind WHEN 'share' THEN w.middle + w.half WHEN 'mean' THEN s.mean + t.half END, 6) AS high,
    s.first_month,
    s.last_month,
    clock.changed_seq,
    false AS is_deleted
FROM (
    SELECT
        c.client_id,
        c.metric,
        sum(c.observations)::numeric AS observations,
        sum(c.total) AS total,
        sum(c.weight) AS weight,
        sum(c.squares) AS squares,
        sum(c.total) / nullif(sum(c.weight), 0) AS mean,
        min(c.month) AS first_month,
        max(c.month) AS last_month
    FROM core.client_metric_month AS c
    GROUP BY c.client_id, c.metric
) AS s
-- Of fewer dealings than the definition asks for nothing is told.
JOIN core.metric AS m ON m.metric = s.metric AND 'client' = ANY (m.breakdowns) AND s.observations >= m.minimum_per_client
-- Wilson's interval for a share (Wilson 1927), z = 1.96.
CROSS JOIN LATERAL (
    SELECT
        (s.mean + 3.841459 / (2 * s.observations)) / (1 + 3.841459 / s.observations) AS middle,
        1.959964 / (1 + 3.841459 / s.observations)
            * sqrt(greatest(s.mean * (1 - s.mean), 0) / s.observations + 3.841459 / (4 * s.observations ^ 2)) AS half
) AS w
-- Student's for a mean; its quantile by degrees of freedom after Abramowitz and Stegun 26.7.5: from 3 on right to 0.01.
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN s.observations > 3 THEN (
            1.959964 + 2.372271 / (s.observations - 1) + 2.822499 / (s.observations - 1) ^ 2
            + 2.555849 / (s.observations - 1) ^ 3 + 1.589536 / (s.observations - 1) ^ 4
        ) * sqrt(greatest(s.squares - s.total ^ 2 / s.observations, 0) / (s.observations - 1) / s.observations)
    END AS half
) AS t
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.client_metric IS 'Values of metrics of clients with enough observations';

CREATE OR REPLACE VIEW onefold_v1.loyalty AS
SELECT
    l.ground,
    l.outcome AS loyalty,
    l.since AS split_on,
    l.clients,
    l.difference AS gain,
    l.low,
    l.high,
    l.trend_p,
    l.verdict AS finding,
    l.why_en,
    l.why_ru,
    clock.changed_seq,
    false AS is_deleted
FROM core.loyalty AS l
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.loyalty IS 'Whether clients with more promises kept and more needs met stay and buy again more often';

CREATE OR REPLACE VIEW onefold_v1.loyalty_band AS
SELECT
    b.ground,
    b.outcome AS loyalty,
    b.band,
    CASE b.band WHEN 0 THEN 'below 50 %' WHEN 1 THEN '50 to 80 %' WHEN 2 THEN '80 to 100 %' ELSE 'all' END AS label_en,
    CASE b.band WHEN 0 THEN 'меньше 50 %' WHEN 1 THEN 'от 50 до 80 %' WHEN 2 THEN 'от 80 до 100 %' ELSE 'все' END AS label_ru,
    b.clients,
    b.came_back,
    b.share,
    b.low,
    b.high,
    clock.changed_seq,
    false AS is_deleted
FROM core.loyalty_band AS b
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.loyalty_band IS 'How many clients came back, by bands of what was kept to them';
