-- Where golden values come from.

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
