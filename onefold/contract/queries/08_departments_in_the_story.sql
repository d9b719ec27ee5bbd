-- What does each department add to the clients' story?
-- Что каждый отдел добавляет к истории клиентов?
SELECT
    t.department,
    count(*) AS interactions,
    count(DISTINCT i.client_id) AS clients,
    round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent_of_all,
    max(i.occurred_on) AS latest_on
FROM onefold_v1.fct_interaction AS i
JOIN onefold_v1.dim_interaction_type AS t USING (type)
WHERE NOT i.is_deleted AND i.client_id IS NOT NULL
GROUP BY t.department
ORDER BY interactions DESC, t.department;
