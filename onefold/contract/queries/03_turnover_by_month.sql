-- What was invoiced month by month, in each currency and system?
-- Сколько выставлено по месяцам, валютам и системам?
SELECT
    date_trunc('month', i.occurred_on)::date AS month,
    i.source,
    i.currency,
    count(*) AS documents,
    count(DISTINCT i.client_id) AS clients,
    sum(i.amount) AS amount
FROM onefold_v1.fct_interaction AS i
JOIN onefold_v1.dim_interaction_type AS t USING (type)
WHERE t.money = 'invoiced' AND NOT i.is_deleted
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;
