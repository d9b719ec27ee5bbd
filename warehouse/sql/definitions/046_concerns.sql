-- What worries about clients, with the rows that prove it.

CREATE OR REPLACE VIEW onefold_v1.concern AS
SELECT
    c.concern,
    c.question_en,
    c.question_ru,
    c.owner,
    c.template,
    c.threshold,
    c.is_shipped,
    c.state AS standing,
    c.why,
    c.clients AS client_count,
    c.row_count,
    c.is_cut,
    r.raised_at,
    r.acknowledged_at,
    clock.changed_seq,
    false AS is_deleted
FROM core.concern AS c
LEFT JOIN core.concern_raise AS r ON r.concern = c.concern AND r.closed_at IS NULL
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.concern IS 'Questions that are asked of what is published, and what they say now';

CREATE OR REPLACE VIEW onefold_v1.concern_raise AS
SELECT
    r.concern,
    r.raised_at,
    r.clients AS client_count,
    r.row_count,
    r.threshold,
    r.closed_at,
    r.closed_as AS over_as,
    r.acknowledged_at,
    clock.changed_seq,
    false AS is_deleted
FROM core.concern_raise AS r
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.concern_raise IS 'When each concern was raised, and when it was over and why';

CREATE OR REPLACE VIEW onefold_v1.concern_row AS
SELECT
    w.concern,
    w.row_key,
    w.client_id,
    w.record_id,
    w.note,
    w.since,
    i.type,
    i.occurred_on,
    i.source,
    i.stream,
    i.source_key,
    clock.changed_seq,
    false AS is_deleted
FROM core.concern_row AS w
LEFT JOIN core.published_interaction AS i ON i.record_id = w.record_id
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.concern_row IS 'Clients and interactions that prove a concern now';
