-- What changed in the last run, client by client, and where does each changed value come from?
-- Что изменилось при последнем запуске и откуда взялось каждое значение?
SELECT f.changed_seq, f.change, c.display_name, l.attribute, l.value, l.source, l.source_key, l.rule
FROM onefold_v1.change_feed AS f
JOIN onefold_v1.dim_party AS c USING (client_id)
LEFT JOIN onefold_v1.client_field_lineage AS l ON l.client_id = f.client_id
WHERE f.changed_at = (SELECT max(changed_at) FROM onefold_v1.change_feed WHERE client_id IS NOT NULL)
ORDER BY f.changed_seq, l.attribute, l.record_id;
