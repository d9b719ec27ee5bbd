-- Who paid most, and when last?
-- Кто заплатил больше всех и когда в последний раз?
SELECT c.client_id, c.display_name, i.currency, sum(i.amount) AS paid, count(*) AS payments, max(i.occurred_on) AS last_paid_on
FROM onefold_v1.fct_interaction AS i
JOIN onefold_v1.dim_interaction_type AS t USING (type)
JOIN onefold_v1.dim_client AS c USING (client_id)
WHERE t.money = 'paid' AND NOT i.is_deleted AND NOT c.is_deleted
GROUP BY c.client_id, c.display_name, i.currency
ORDER BY paid DESC, c.client_id
LIMIT 50;
