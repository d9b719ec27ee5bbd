-- What every department contributes to what is known of clients, and which have fallen silent.

CREATE OR REPLACE VIEW onefold_v1.bridge_client_department AS
SELECT
    i.client_id,
    t.department,
    count(*) AS interactions,
    round(count(*) / sum(count(*)) OVER (PARTITION BY i.client_id), 4) AS share,
    min(i.occurred_on) AS first_on,
    max(i.occurred_on) AS last_on,
    (SELECT d.today FROM core.hub_day AS d) - max(i.occurred_on) AS days_silent,
    max(i.changed_seq) AS changed_seq,
    false AS is_deleted
FROM onefold_v1.fct_interaction AS i
JOIN core.interaction_type AS t ON t.code = i.type
WHERE i.client_id IS NOT NULL AND NOT i.is_deleted
GROUP BY i.client_id, t.department;
COMMENT ON VIEW onefold_v1.bridge_client_department IS 'Which departments know a client, and what share of its story each tells';

CREATE OR REPLACE VIEW onefold_v1.report_client_coverage AS
SELECT
    i.client_id,
    count(DISTINCT t.department) AS departments,
    count(*) AS interactions,
    round(count(*) FILTER (WHERE t.department <> 'sales')::numeric / count(*), 4) AS share_outside_sales,
    max(i.occurred_on) AS last_on,
    (SELECT d.today FROM core.hub_day AS d) - max(i.occurred_on) AS days_silent,
    max(i.changed_seq) AS changed_seq,
    false AS is_deleted
FROM onefold_v1.fct_interaction AS i
JOIN core.interaction_type AS t ON t.code = i.type
WHERE i.client_id IS NOT NULL AND NOT i.is_deleted
GROUP BY i.client_id;
COMMENT ON VIEW onefold_v1.report_client_coverage IS 'How many departments tell of a client, and what share of its story comes from outside sales';

CREATE OR REPLACE VIEW onefold_v1.report_department_coverage AS
SELECT
    d.department,
    count(i.record_id) AS interactions,
    count(DISTINCT i.client_id) AS clients,
    count(DISTINCT i.type) AS types,
    round(count(i.record_id) / nullif(sum(count(i.record_id)) OVER (), 0), 4) AS share,
    min(i.occurred_on) AS first_on,
    max(i.occurred_on) AS last_on,
    (SELECT d.today FROM core.hub_day AS d) - max(i.occurred_on) AS days_silent,
    count(i.record_id) = 0 AS is_silent,
    max(i.changed_seq) AS changed_seq,
    false AS is_deleted
FROM (SELECT DISTINCT department FROM core.interaction_type WHERE department IS NOT NULL) AS d
LEFT JOIN core.interaction_type AS t ON t.department = d.department
LEFT JOIN onefold_v1.fct_interaction AS i ON i.type = t.code AND NOT i.is_deleted
GROUP BY d.department;
COMMENT ON VIEW onefold_v1.report_department_coverage IS 'What each department contributes: interactions, clients, and since when it is silent';

CREATE OR REPLACE VIEW onefold_v1.dim_item AS
SELECT
    l.source,
    coalesce(l.item_code, l.item_name) AS item_key,
    max(l.item_code) AS item_code,
    (array_agg(l.item_name ORDER BY l.occurred_on DESC NULLS LAST, l.record_id) FILTER (WHERE l.item_name IS NOT NULL))[1]
        AS item_name,
    (array_agg(l.unit ORDER BY l.occurred_on DESC NULLS LAST, l.record_id) FILTER (WHERE l.unit IS NOT NULL))[1] AS unit,
    count(*) AS lines,
    min(l.occurred_on) AS first_on,
    max(l.occurred_on) AS last_on,
    max(l.changed_seq) AS changed_seq,
    false AS is_deleted
FROM onefold_v1.fct_interaction_line AS l
WHERE coalesce(l.item_code, l.item_name) IS NOT NULL AND NOT l.is_deleted
GROUP BY l.source, coalesce(l.item_code, l.item_name);
COMMENT ON VIEW onefold_v1.dim_item IS 'What stands in lines, by source: the latest name and unit of each item, when it was seen first and last';
