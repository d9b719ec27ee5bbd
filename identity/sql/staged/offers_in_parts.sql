-- Who bears one of these values, with all that bear one value in one part.
SELECT o.*, (o.value_hash & p.mask) AS part
FROM offers o
JOIN borne_by_many s ON s.value_hash = o.value_hash
CROSS JOIN parting p
