-- Which clients do several systems know, and under which keys?
-- Каких клиентов знают несколько систем и под какими ключами?
SELECT
    c.client_id,
    c.display_name,
    count(DISTINCT x.source) AS systems,
    string_agg(x.source || ':' || x.stream || ':' || x.source_key, ', ' ORDER BY x.source, x.stream, x.source_key) AS records
FROM onefold_v1.dim_client AS c
JOIN onefold_v1.xref_client_record AS x ON x.client_id = c.client_id AND NOT x.is_deleted
WHERE NOT c.is_deleted
GROUP BY c.client_id, c.display_name
HAVING count(DISTINCT x.source) > 1
ORDER BY systems DESC, c.display_name, c.client_id;
