-- Which clients ordered before and not in the half year up to the newest order?
-- Какие клиенты раньше заказывали, а за последние полгода (до последнего заказа) нет?
WITH ordered AS (
    SELECT i.client_id, max(i.occurred_on) AS last_on, count(*) AS orders
    FROM onefold_v1.fct_interaction AS i
    JOIN onefold_v1.dim_interaction_type AS t USING (type)
    WHERE t.money = 'ordered' AND NOT i.is_deleted
    GROUP BY i.client_id
)
SELECT c.client_id, c.display_name, c.email, c.phone, o.orders, o.last_on
FROM ordered AS o
JOIN onefold_v1.dim_client AS c USING (client_id)
WHERE NOT c.is_deleted AND o.last_on < (SELECT max(last_on) FROM ordered) - 182
ORDER BY o.orders DESC, o.last_on, c.client_id;
