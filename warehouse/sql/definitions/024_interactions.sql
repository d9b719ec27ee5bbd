-- What happened with clients, and who belongs to whom.

CREATE OR REPLACE VIEW onefold_v1.fct_interaction AS
SELECT
    i.record_id,
    i.client_id,
    i.type,
    i.occurred_at,
    i.occurred_on,
    i.time_zone,
    i.precision,
    i.channel,
    i.direction,
    i.document_number,
    i.summary,
    i.amount,
    i.currency,
    i.detail,
    i.party_record_id,
    i.parent_record_id,
    i.reverses_record_id,
    i.source,
    i.stream,
    i.source_key,
    i.url,
    i.changed_seq,
    i.is_deleted
FROM core.published_interaction AS i;
COMMENT ON VIEW onefold_v1.fct_interaction IS 'What happened with clients: one row per source record that states it, with the client of today';

CREATE OR REPLACE VIEW onefold_v1.fct_interaction_line AS
SELECT
    l.record_id,
    l.position,
    i.client_id,
    i.type,
    i.occurred_on,
    l.item_code,
    l.item_name,
    l.quantity,
    l.unit,
    l.unit_price,
    l.amount,
    i.currency,
    i.changed_seq,
    i.is_deleted OR l.is_removed AS is_deleted
FROM core.published_line AS l
JOIN core.published_interaction AS i ON i.record_id = l.record_id;
COMMENT ON VIEW onefold_v1.fct_interaction_line IS 'Lines of orders, invoices and deliveries, with the client of today';

CREATE OR REPLACE VIEW onefold_v1.fct_promise AS
SELECT
    p.promise_key,
    p.record_id,
    i.client_id,
    i.type,
    p.kind,
    p.due_on,
    p.actual_on,
    p.due_value,
    p.actual_value,
    CASE
        WHEN p.due_on IS NOT NULL AND p.actual_on IS NOT NULL THEN p.actual_on <= p.due_on
        WHEN p.due_value IS NOT NULL AND p.actual_value IS NOT NULL THEN p.actual_value >= p.due_value
    END AS is_kept,
    p.actual_on - p.due_on AS days_late,
    p.due_value - p.actual_value AS value_missed,
    i.changed_seq,
    i.is_deleted OR p.is_removed AS is_deleted
FROM core.published_promise AS p
JOIN core.published_interaction AS i ON i.record_id = p.record_id;
COMMENT ON VIEW onefold_v1.fct_promise IS 'What was promised to clients, and whether it was kept';

CREATE OR REPLACE VIEW onefold_v1.bridge_relationship AS
SELECT
    r.relationship_key,
    f.client_id AS from_client_id,
    t.client_id AS to_client_id,
    r.type,
    r.role AS role_in_words,
    r.valid_from AS valid_from_on,
    r.valid_to AS valid_to_on,
    r.record_id,
    r.from_record_id,
    r.to_record_id,
    r.changed_seq,
    r.is_deleted
FROM core.published_relationship AS r
LEFT JOIN core.published_link AS f ON f.record_id = r.from_record_id
LEFT JOIN core.published_link AS t ON t.record_id = r.to_record_id;
COMMENT ON VIEW onefold_v1.bridge_relationship IS 'Who works for, belongs to, owns or succeeds whom, with the clients of today';

CREATE OR REPLACE VIEW onefold_v1.dim_interaction_type AS
SELECT
    t.code AS type,
    t.department,
    t.label_en,
    t.label_ru,
    t.direction,
    t.money,
    t.tax,
    t.detail_schema,
    0::bigint AS changed_seq,
    false AS is_deleted,
    'fct_' || t.code AS view_name,
    CASE WHEN t.has_lines THEN 'fct_' || t.code || '_line' END AS line_view_name
FROM core.interaction_type AS t;
COMMENT ON VIEW onefold_v1.dim_interaction_type IS 'Interaction types with their labels and what their amounts mean';
