-- Who works for our organisations, and how are they reached?
-- Кто работает в организациях-клиентах и как с ними связаться?
SELECT o.display_name AS organisation, o.inn, p.display_name AS person, r.role_in_words, p.email, p.phone
FROM onefold_v1.bridge_relationship AS r
JOIN onefold_v1.dim_party AS p ON p.client_id = r.from_client_id AND NOT p.is_deleted
JOIN onefold_v1.dim_party AS o ON o.client_id = r.to_client_id AND NOT o.is_deleted
WHERE r.type = 'works_at' AND NOT r.is_deleted
ORDER BY organisation, person, r.relationship_key;
