-- How many clients does each pair of systems share?
-- Сколько общих клиентов у каждой пары систем?
WITH known AS (
    SELECT DISTINCT client_id, source FROM onefold_v1.xref_client_record WHERE NOT is_deleted
)
SELECT a.source AS system_a, b.source AS system_b, count(*) AS shared_clients
FROM known AS a
JOIN known AS b ON b.client_id = a.client_id AND b.source > a.source
GROUP BY 1, 2
ORDER BY shared_clients DESC, 1, 2;
