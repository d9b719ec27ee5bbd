-- What did every department do with one client? (here: the one with the longest story)
-- Что каждый отдел делал с одним клиентом? (здесь: с самой длинной историей)
WITH chosen AS (
    SELECT i.client_id
    FROM onefold_v1.fct_interaction AS i
    JOIN onefold_v1.dim_client AS c ON c.client_id = i.client_id AND NOT c.is_deleted
    WHERE NOT i.is_deleted
    GROUP BY i.client_id
    ORDER BY count(*) DESC, i.client_id
    LIMIT 1
)
SELECT i.occurred_on, t.department, t.label_en, i.source, i.document_number, i.amount, i.currency, i.summary
FROM onefold_v1.fct_interaction AS i
JOIN chosen USING (client_id)
JOIN onefold_v1.dim_interaction_type AS t USING (type)
WHERE NOT i.is_deleted
ORDER BY i.occurred_at, i.record_id;
