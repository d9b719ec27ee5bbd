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
    i.is_deleted,
    i.chain_id,
    i.reporting_amount,
    i.reporting_currency,
    i.rate,
    i.rate_on,
    i.reversed_by IS NOT NULL AS is_reversed,
    i.reversed_by,
    CASE
        WHEN i.reversal_of IS NOT NULL THEN 0 * i.amount
        WHEN i.amount < 0 THEN i.amount + coalesce(i.reversed_amount, 0)
        ELSE i.amount - coalesce(i.reversed_amount, 0)
    END AS net_amount,
    CASE
        WHEN i.reversal_of IS NOT NULL THEN 0 * i.reporting_amount
        WHEN i.reversed_amount IS NULL OR i.amount = 0 THEN i.reporting_amount
        ELSE round(i.reporting_amount * (1 - i.reversed_amount / abs(i.amount)), 2)
    END AS net_reporting_amount,
    i.event_id,
    i.is_counted,
    i.counted_by
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
    i.is_deleted OR l.is_removed AS is_deleted,
    i.source,
    round(l.amount * i.rate, 2) AS reporting_amount,
    i.reporting_currency
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
    i.is_deleted OR p.is_removed AS is_deleted,
    core.promise_outcome(p.due_on, p.actual_on, p.due_value, p.actual_value, (SELECT d.today FROM core.hub_day AS d)) AS outcome,
    CASE
        WHEN p.actual_on IS NULL AND p.actual_value IS NULL AND p.due_on < (SELECT d.today FROM core.hub_day AS d)
        THEN (SELECT d.today FROM core.hub_day AS d) - p.due_on
    END AS days_overdue
FROM core.published_promise AS p
JOIN core.published_interaction AS i ON i.record_id = p.record_id;
COMMENT ON VIEW onefold_v1.fct_promise IS 'What was promised to clients, and whether it was kept';

CREATE OR REPLACE VIEW onefold_v1.fct_promise_outcome AS
-- A deal in the CRM and the delivery in the ERP may tell the same promise: what is nearest to the deed, and no document
-- that others are copies of, tells what came of it. Asked by client or by day due, only those are looked at.
SELECT
    t.promise_key,
    t.record_id,
    t.client_id,
    t.type,
    t.kind,
    t.due_on,
    t.due_value,
    t.counted_key = t.promise_key AS is_counted,
    t.counted_by,
    t.counted_key,
    t.actual_on,
    t.actual_value,
    core.promise_outcome(t.due_on, t.actual_on, t.due_value, t.actual_value, (SELECT d.today FROM core.hub_day AS d)) AS outcome,
    t.actual_on - t.due_on AS days_late,
    CASE
        WHEN t.actual_on IS NULL AND t.actual_value IS NULL AND t.due_on < (SELECT d.today FROM core.hub_day AS d)
        THEN (SELECT d.today FROM core.hub_day AS d) - t.due_on
    END AS days_overdue,
    clock.changed_seq,
    false AS is_deleted
FROM (
    SELECT
        n.promise_key,
        n.record_id,
        n.client_id,
        n.type,
        n.kind,
        n.due_on,
        n.due_value,
        first_value(n.promise_key) OVER told AS counted_key,
        first_value(n.record_id) OVER told AS counted_by,
        first_value(n.actual_on) OVER told AS actual_on,
        first_value(n.actual_value) OVER told AS actual_value
    FROM (
        SELECT
            e.*,
            -- Two deliveries of one order are two promises, as are two complaints about it. The day comes first: sorted by
            -- client, promises would be looked up dealing by dealing.
            row_number() OVER (
                PARTITION BY e.due_on, e.kind, e.due_value, e.client_id, e.event_id, e.source, e.type
                ORDER BY e.promise_key
            ) AS number
        FROM (
            SELECT
                p.promise_key,
                p.record_id,
                i.client_id,
                i.type,
                i.source,
                p.kind,
                p.due_on,
                p.due_value,
                p.actual_on,
                p.actual_value,
                -- Of the parent it is asked by its key, for the few that have one: joined, all dealings would be.
                coalesce(i.event_id, CASE WHEN i.parent_record_id IS NOT NULL THEN (
                    SELECT max(a.event_id) FROM core.published_interaction AS a
                    WHERE a.record_id = i.parent_record_id AND a.client_id = i.client_id AND NOT a.is_deleted
                ) END, i.record_id) AS event_id,
                i.event_id IS NOT NULL AS is_copy
            FROM core.published_promise AS p
            JOIN core.published_interaction AS i ON i.record_id = p.record_id
            WHERE NOT (i.is_deleted OR p.is_removed)
        ) AS e
    ) AS n
    WINDOW told AS (
        PARTITION BY n.due_on, n.kind, n.due_value, n.client_id, n.event_id, n.number
        ORDER BY n.is_copy, n.promise_key
    )
) AS t
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.fct_promise_outcome IS 'What came of each promise, however many registers tell it: is_counted marks one row of each';

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

CREATE OR REPLACE VIEW onefold_v1.fct_chain_step AS
SELECT
    i.record_id,
    i.parent_record_id,
    i.chain_id,
    i.client_id,
    p.type AS from_type,
    i.type AS to_type,
    p.occurred_on AS from_on,
    i.occurred_on AS to_on,
    i.occurred_on - p.occurred_on AS days_elapsed,
    CASE
        WHEN p.precision <> 'day' AND i.precision <> 'day'
        THEN round(extract(epoch FROM i.occurred_at - p.occurred_at) / 3600, 2)
    END AS hours_elapsed,
    i.occurred_on - t.occurred_on AS days_since_start,
    p.source AS from_source,
    i.source AS to_source,
    greatest(i.changed_seq, p.changed_seq, t.changed_seq) AS changed_seq,
    i.is_deleted OR p.is_deleted AS is_deleted
FROM core.published_interaction AS i
JOIN core.published_interaction AS p ON p.record_id = i.parent_record_id
LEFT JOIN core.published_interaction AS t ON t.record_id = i.chain_id
WHERE i.parent_record_id IS NOT NULL;
COMMENT ON VIEW onefold_v1.fct_chain_step IS 'Steps of chains, such as order to delivery to invoice: what followed what, after how many days';

CREATE OR REPLACE VIEW onefold_v1.dim_exchange_rate AS
SELECT
    r.record_id,
    r.from_currency,
    r.to_currency,
    r.on_date AS rate_on,
    r.rate,
    r.nominal,
    r.source,
    r.stream,
    r.source_key,
    r.changed_seq,
    r.is_deleted
FROM (
    SELECT t.* FROM core.exchange_rate AS t WHERE t.changed_seq IS NOT NULL
    UNION ALL
    -- Stated anew, and that is not published yet.
    SELECT v.* FROM core.exchange_rate AS t CROSS JOIN LATERAL jsonb_populate_record(NULL::core.exchange_rate, t.served) AS v
    WHERE t.changed_seq IS NULL AND t.served IS NOT NULL
) AS r;
COMMENT ON VIEW onefold_v1.dim_exchange_rate IS 'Exchange rates as the sources state them';
