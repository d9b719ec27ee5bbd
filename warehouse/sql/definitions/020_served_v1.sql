-- The served contract, version 1. Views are only ever replaced with columns appended: analysts hang their own on them.
-- dim_party, dim_client and dim_client_history are composed by warehouse/served.py from the two inner views below,
-- because attributes.yaml appends columns to them.

CREATE OR REPLACE VIEW core.served_party AS
SELECT
    c.client_id,
    c.kind,
    c.role,
    c.display_name,
    core.golden_text(c.attributes, 'given_name') AS given_name,
    core.golden_text(c.attributes, 'middle_name') AS middle_name,
    core.golden_text(c.attributes, 'family_name') AS family_name,
    core.golden_date(c.attributes, 'birth_date') AS birth_date,
    core.golden_text(c.attributes, 'gender') AS gender,
    core.golden_text(c.attributes, 'legal_name') AS legal_name,
    core.golden_text(c.attributes, 'inn') AS inn,
    core.golden_text(c.attributes, 'kpp') AS kpp,
    core.golden_text(c.attributes, 'ogrn') AS ogrn,
    core.golden_text(c.attributes, 'vat') AS vat,
    core.golden_text(c.attributes, 'email') AS email,
    core.golden_list(c.attributes, 'email') AS emails,
    core.golden_text(c.attributes, 'phone') AS phone,
    core.golden_list(c.attributes, 'phone') AS phones,
    core.golden_text(c.attributes, 'domain') AS domain,
    core.golden_text(c.attributes, 'country') AS country,
    core.golden_text(c.attributes, 'region') AS region,
    core.golden_text(c.attributes, 'city') AS city,
    core.golden_text(c.attributes, 'street') AS street,
    core.golden_text(c.attributes, 'house') AS house,
    core.golden_text(c.attributes, 'postcode') AS postcode,
    c.record_count,
    c.attributes,
    c.valid_from,
    c.changed_seq,
    c.is_deleted
FROM core.client AS c;
COMMENT ON VIEW core.served_party IS 'Golden records with the standard attributes as columns; the base of dim_party and dim_client';

CREATE OR REPLACE VIEW core.served_party_history AS
SELECT
    h.client_id,
    h.valid_from,
    h.valid_to,
    h.kind,
    h.role,
    h.display_name,
    core.golden_text(h.attributes, 'given_name') AS given_name,
    core.golden_text(h.attributes, 'middle_name') AS middle_name,
    core.golden_text(h.attributes, 'family_name') AS family_name,
    core.golden_date(h.attributes, 'birth_date') AS birth_date,
    core.golden_text(h.attributes, 'gender') AS gender,
    core.golden_text(h.attributes, 'legal_name') AS legal_name,
    core.golden_text(h.attributes, 'inn') AS inn,
    core.golden_text(h.attributes, 'kpp') AS kpp,
    core.golden_text(h.attributes, 'ogrn') AS ogrn,
    core.golden_text(h.attributes, 'vat') AS vat,
    core.golden_text(h.attributes, 'email') AS email,
    core.golden_list(h.attributes, 'email') AS emails,
    core.golden_text(h.attributes, 'phone') AS phone,
    core.golden_list(h.attributes, 'phone') AS phones,
    core.golden_text(h.attributes, 'domain') AS domain,
    core.golden_text(h.attributes, 'country') AS country,
    core.golden_text(h.attributes, 'region') AS region,
    core.golden_text(h.attributes, 'city') AS city,
    core.golden_text(h.attributes, 'street') AS street,
    core.golden_text(h.attributes, 'house') AS house,
    core.golden_text(h.attributes, 'postcode') AS postcode,
    h.record_count,
    h.attributes,
    h.changed_seq,
    h.is_deleted
FROM core.client_history AS h;
COMMENT ON VIEW core.served_party_history IS 'Versions of golden records with columns; the base of dim_client_history';

CREATE OR REPLACE VIEW onefold_v1.xref_client_record AS
SELECT
    x.client_id,
    x.record_id,
    r.source,
    r.stream,
    r.source_key,
    r.kind,
    r.role,
    core.golden_text(r.attributes, 'url') AS url,
    x.since AS valid_from,
    x.changed_seq,
    false AS is_deleted
FROM identity.crosswalk AS x
JOIN identity.standard_record AS r ON r.record_id = x.record_id
UNION ALL
SELECT
    h.client_id,
    h.record_id,
    w.source,
    w.stream,
    w.source_key,
    NULL,
    NULL,
    NULL,
    h.valid_from,
    h.ended_seq,
    true
FROM identity.crosswalk_history AS h
-- A record that was made of a card is no source's own; when it is gone, so is its name.
LEFT JOIN raw.record AS w ON w.record_id = h.record_id
WHERE h.ended_seq IS NOT NULL
    AND NOT EXISTS (SELECT FROM identity.crosswalk AS x WHERE x.record_id = h.record_id)
    AND NOT EXISTS (
        SELECT FROM identity.crosswalk_history AS later
        WHERE later.record_id = h.record_id AND later.valid_from > h.valid_from
    );
COMMENT ON VIEW onefold_v1.xref_client_record IS 'Which source record belongs to which client now; a record that left is marked deleted';

CREATE OR REPLACE VIEW onefold_v1.xref_client_redirect AS
WITH RECURSIVE latest AS (
    SELECT DISTINCT ON (l.client_id) l.client_id, l.event, l.target_client_id, l.at
    FROM identity.client_id_ledger AS l
    WHERE l.event <> 'mint'
    ORDER BY l.client_id, l.id DESC
), step AS (
    SELECT client_id AS old_client_id, target_client_id AS client_id, at, 1 AS steps
    FROM latest
    WHERE event = 'redirect'
    UNION ALL
    SELECT s.old_client_id, l.target_client_id, s.at, s.steps + 1
    FROM step AS s
    JOIN latest AS l ON l.client_id = s.client_id AND l.event = 'redirect'
    -- A ring of redirects cannot come about; the bound keeps a damaged ledger from hanging every reader.
    WHERE s.steps < 100
)
SELECT DISTINCT ON (s.old_client_id)
    s.old_client_id,
    s.client_id,
    s.at AS redirected_at,
    greatest(c.changed_seq, t.changed_seq) AS changed_seq,
    false AS is_deleted
FROM step AS s
LEFT JOIN core.client AS c ON c.client_id = s.old_client_id
LEFT JOIN core.client AS t ON t.client_id = s.client_id
ORDER BY s.old_client_id, s.steps DESC;
COMMENT ON VIEW onefold_v1.xref_client_redirect IS 'Ids of merged-away clients and the client that answers for each now';

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
FROM core.interaction AS i;
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
    i.is_deleted
FROM core.interaction_line AS l
JOIN core.interaction AS i ON i.record_id = l.record_id;
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
    i.is_deleted
FROM core.promise AS p
JOIN core.interaction AS i ON i.record_id = p.record_id;
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
FROM core.relationship AS r
LEFT JOIN identity.crosswalk AS f ON f.record_id = r.from_record_id
LEFT JOIN identity.crosswalk AS t ON t.record_id = r.to_record_id;
COMMENT ON VIEW onefold_v1.bridge_relationship IS 'Who works for, belongs to, owns or succeeds whom, with the clients of today';

CREATE OR REPLACE VIEW onefold_v1.client_field_lineage AS
SELECT
    c.client_id,
    f.attribute,
    c.attributes -> f.attribute AS value,
    (f.lineage ->> 'record_id')::bigint AS record_id,
    f.lineage ->> 'rule' AS rule,
    f.lineage -> 'losers' AS losers,
    f.lineage,
    c.changed_seq,
    c.is_deleted,
    coalesce(w.source, p.source) AS source,
    coalesce(w.stream, p.stream) AS stream,
    coalesce(w.source_key, p.source_key) AS source_key
FROM core.client AS c
CROSS JOIN LATERAL (
    SELECT e.key AS attribute, item AS lineage
    FROM jsonb_each(c.lineage) AS e
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE WHEN jsonb_typeof(e.value) = 'array' THEN e.value ELSE jsonb_build_array(e.value) END
    ) AS item
) AS f
LEFT JOIN raw.record AS w ON w.record_id = (f.lineage ->> 'record_id')::bigint
-- A record that was made of a card stands in no source by itself.
LEFT JOIN identity.standard_record AS p ON w.record_id IS NULL AND p.record_id = (f.lineage ->> 'record_id')::bigint;
COMMENT ON VIEW onefold_v1.client_field_lineage IS 'For every golden value the record and rule that it came from, and what lost';

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
    false AS is_deleted
FROM core.interaction_type AS t;
COMMENT ON VIEW onefold_v1.dim_interaction_type IS 'Interaction types with their labels and what their amounts mean';

CREATE OR REPLACE VIEW onefold_v1.change_feed AS
SELECT e.id AS changed_seq, e.at AS changed_at, e.kind AS change, e.client_id, e.payload, false AS is_deleted
FROM ops.change_event AS e;
COMMENT ON VIEW onefold_v1.change_feed IS 'Everything that changed, in order; read on from the last changed_seq that you have';

CREATE OR REPLACE VIEW onefold_v1.meta_dataset AS
WITH last_run AS (
    SELECT max(finished_at) FILTER (WHERE command = 'publish' AND status = 'done') AS published_at,
        max(finished_at) FILTER (WHERE command = 'sync' AND status = 'done') AS synced_at
    FROM ops.run
), clock AS (
    SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock
)
SELECT d.dataset, d.rows, d.last_changed_at, last_run.published_at, last_run.synced_at, clock.changed_seq,
    false AS is_deleted
FROM (
    SELECT 'dim_party' AS dataset, (SELECT count(*) FROM core.client) AS rows,
        (SELECT max(valid_from) FROM core.client) AS last_changed_at
    UNION ALL
    SELECT 'dim_client', (SELECT count(*) FROM core.client WHERE role IN ('client', 'prospect')),
        (SELECT max(valid_from) FROM core.client WHERE role IN ('client', 'prospect'))
    UNION ALL
    SELECT 'xref_client_record', (SELECT count(*) FROM identity.crosswalk),
        (SELECT max(since) FROM identity.crosswalk)
    UNION ALL
    SELECT 'fct_interaction', (SELECT count(*) FROM core.interaction),
        (SELECT max(at) FROM ops.change_event WHERE kind = 'facts')
    UNION ALL
    SELECT 'bridge_relationship', (SELECT count(*) FROM core.relationship),
        (SELECT max(at) FROM ops.change_event WHERE kind = 'facts')
) AS d
CROSS JOIN last_run
CROSS JOIN clock;
COMMENT ON VIEW onefold_v1.meta_dataset IS 'Rows and freshness of the served views';
