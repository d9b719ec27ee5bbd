-- Who bears a value (offers) that so many bear as a generic one needs, with all that bear one value in one part.
-- parting(mask bigint, names bigint): how many parts less 1, and behind a generic value there are more names.
SELECT o.*, (o.value_hash & p.mask) AS part
FROM offers o
JOIN (
    SELECT b.value_hash
    FROM offers b
    CROSS JOIN parting q
    GROUP BY b.value_hash, q.names
    HAVING count(*) > q.names
) s ON s.value_hash = o.value_hash
CROSS JOIN parting p
