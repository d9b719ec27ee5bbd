-- Documents kept in parallel: which of them record one business event, and what it was worth, counted once.

CREATE OR REPLACE VIEW onefold_v1.xref_document AS
SELECT
    coalesce(i.event_id, i.record_id) AS event_id,
    i.record_id,
    i.source,
    i.stream,
    i.source_key,
    i.type,
    t.money,
    i.document_number,
    i.occurred_on,
    i.amount,
    i.currency,
    i.client_id,
    i.is_counted,
    i.counted_by,
    i.changed_seq,
    i.is_deleted
FROM core.published_interaction AS i
JOIN core.interaction_type AS t ON t.code = i.type AND t.money <> 'none';
COMMENT ON VIEW onefold_v1.xref_document IS 'A business event and the documents of all registers that record it: deals, orders, invoices, payments, credit notes';

CREATE OR REPLACE VIEW core.counted_document AS
SELECT
    i.event_id,
    i.record_id,
    i.counted_by,
    i.is_counted,
    i.source,
    t.money,
    i.currency,
    i.changed_seq,
    CASE WHEN i.reverses_record_id IS NULL THEN i.amount ELSE -abs(i.amount) END AS amount,
    CASE WHEN i.reverses_record_id IS NULL THEN i.reporting_amount ELSE -abs(i.reporting_amount) END AS reporting_amount
FROM core.published_interaction AS i
JOIN core.interaction_type AS t ON t.code = i.type AND t.money <> 'none'
WHERE i.event_id IS NOT NULL AND NOT i.is_deleted;
COMMENT ON VIEW core.counted_document IS 'Documents in their events; what reverses another one is negative';
COMMENT ON COLUMN core.counted_document.event_id IS 'The business event';
COMMENT ON COLUMN core.counted_document.record_id IS 'The document';
COMMENT ON COLUMN core.counted_document.counted_by IS 'The document that counts in its place, or itself';
COMMENT ON COLUMN core.counted_document.is_counted IS 'It is the one that counts';
COMMENT ON COLUMN core.counted_document.source IS 'Source';
COMMENT ON COLUMN core.counted_document.money IS 'What its amount means';
COMMENT ON COLUMN core.counted_document.currency IS 'Currency, ISO 4217';
COMMENT ON COLUMN core.counted_document.changed_seq IS 'The change event';
COMMENT ON COLUMN core.counted_document.reporting_amount IS 'The same in the reporting currency; null while there is no rate';
COMMENT ON COLUMN core.counted_document.amount IS 'Amount; negative where it reverses another document';

CREATE OR REPLACE VIEW onefold_v1.fct_revenue AS
-- From the document that counts to its event, document by document: asked about one client this is a matter of
-- milliseconds, where events summed up first take as long as for all clients.
SELECT
    c.event_id,
    c.client_id,
    CASE WHEN t.money IN ('quoted', 'ordered', 'invoiced') THEN t.money END AS measure,
    e.amount,
    c.currency,
    c.occurred_on,
    e.paid_amount,
    e.credited_amount,
    e.sources,
    e.documents,
    h.counted_by,
    e.changed_seq,
    e.counted = 0 AS is_deleted,
    e.reporting_amount,
    c.reporting_currency
FROM core.published_interaction AS c
JOIN core.interaction_type AS t ON t.code = c.type
CROSS JOIN LATERAL (
    SELECT i.counted_by FROM core.published_interaction AS i
    WHERE i.record_id = c.event_id AND i.event_id = i.record_id AND c.record_id = coalesce(i.counted_by, i.record_id)
    LIMIT 1  -- there is one: said so that it stays a lookup by key
) AS h
CROSS JOIN LATERAL (
    SELECT
        sum(d.amount) FILTER (WHERE d.is_counted AND d.money IN ('quoted', 'ordered', 'invoiced')) AS amount,
        CASE
            WHEN bool_and(d.reporting_amount IS NOT NULL) FILTER (
                WHERE d.is_counted AND d.money IN ('quoted', 'ordered', 'invoiced')
            ) THEN sum(d.reporting_amount) FILTER (WHERE d.is_counted AND d.money IN ('quoted', 'ordered', 'invoiced'))
        END AS reporting_amount,
        sum(d.amount) FILTER (WHERE d.is_counted AND d.money = 'paid') AS paid_amount,
        sum(d.amount) FILTER (WHERE d.is_counted AND d.money = 'credited') AS credited_amount,
        array_agg(DISTINCT d.source) AS sources,
        count(*)::integer AS documents,
        count(*) FILTER (WHERE d.is_counted) AS counted,
        max(d.changed_seq) AS changed_seq
    FROM core.counted_document AS d
    WHERE d.event_id = c.event_id
    HAVING count(*) > 0
) AS e
WHERE c.event_id IS NOT NULL
UNION ALL
-- Any document may have given its id to an event: where it does not now, that event is no more.
SELECT
    i.record_id, i.client_id, NULL, NULL, i.currency, i.occurred_on, NULL, NULL, NULL, NULL, NULL, i.changed_seq, true,
    NULL, i.reporting_currency
FROM core.published_interaction AS i
JOIN core.interaction_type AS t ON t.code = i.type AND t.money <> 'none'
WHERE i.event_id IS DISTINCT FROM i.record_id;
COMMENT ON VIEW onefold_v1.fct_revenue IS 'Business events, each counted once, however many registers record it: what was sold, paid and credited';

CREATE OR REPLACE VIEW onefold_v1.report_document_overlap AS
WITH entry AS (
    -- What a register says of an event: a register is a source and what its amounts mean.
    SELECT
        d.event_id,
        d.source,
        d.money,
        d.money = 'paid' AS is_payment,
        date_trunc('month', c.occurred_on)::date AS month,
        c.currency,
        sum(d.amount) AS amount,
        max(d.changed_seq) AS changed_seq
    FROM core.counted_document AS d
    JOIN core.published_interaction AS c ON c.record_id = d.counted_by
    WHERE d.money <> 'credited'
    GROUP BY d.event_id, d.source, d.money, date_trunc('month', c.occurred_on), c.currency
), register AS (
    -- Not from entry: asked twice it would be summed up for all months whoever asks for one.
    SELECT DISTINCT d.source, d.money, d.money = 'paid' AS is_payment
    FROM core.counted_document AS d
    WHERE d.money <> 'credited'
), pair AS (
    SELECT a.source AS register_a, a.money AS measure_a, b.source AS register_b, b.money AS measure_b
    FROM register AS a
    JOIN register AS b ON b.is_payment = a.is_payment
        AND (a.source COLLATE "C", a.money COLLATE "C") < (b.source COLLATE "C", b.money COLLATE "C")
), event AS (
    SELECT
        p.register_a,
        p.measure_a,
        p.register_b,
        p.measure_b,
        e.month,
        e.currency,
        sum(e.amount) FILTER (WHERE (e.source, e.money) = (p.register_a, p.measure_a)) AS left_amount,
        sum(e.amount) FILTER (WHERE (e.source, e.money) = (p.register_b, p.measure_b)) AS right_amount,
        bool_or((e.source, e.money) = (p.register_a, p.measure_a)) AS in_left,
        bool_or((e.source, e.money) = (p.register_b, p.measure_b)) AS in_right,
        max(e.changed_seq) AS changed_seq
    FROM pair AS p
    JOIN entry AS e ON (e.source, e.money) IN ((p.register_a, p.measure_a), (p.register_b, p.measure_b))
    GROUP BY p.register_a, p.measure_a, p.register_b, p.measure_b, e.event_id, e.month, e.currency
)
SELECT
    e.register_a,
    e.measure_a,
    e.register_b,
    e.measure_b,
    e.month,
    e.currency,
    count(*) FILTER (WHERE NOT e.in_right) AS events_only_a,
    count(*) FILTER (WHERE NOT e.in_left) AS events_only_b,
    count(*) FILTER (WHERE e.in_left AND e.in_right) AS events_in_both,
    count(*) FILTER (WHERE e.in_left AND e.in_right AND e.left_amount IS DISTINCT FROM e.right_amount) AS events_in_conflict,
    coalesce(sum(e.left_amount) FILTER (WHERE NOT e.in_right), 0) AS amount_only_a,
    coalesce(sum(e.right_amount) FILTER (WHERE NOT e.in_left), 0) AS amount_only_b,
    coalesce(sum(e.left_amount) FILTER (WHERE e.in_left AND e.in_right), 0) AS amount_in_both,
    coalesce(
        sum(e.left_amount - e.right_amount) FILTER (WHERE e.in_left AND e.in_right), 0
    ) AS amount_in_conflict,
    max(e.changed_seq) AS changed_seq,
    false AS is_deleted
FROM event AS e
GROUP BY e.register_a, e.measure_a, e.register_b, e.measure_b, e.month, e.currency;
COMMENT ON VIEW onefold_v1.report_document_overlap IS 'Two registers beside each other, month by month: events and money in one only, in both, and in conflict';
