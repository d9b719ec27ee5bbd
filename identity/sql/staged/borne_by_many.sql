-- The hashes of values that so many bear (offers) as a generic one needs.
-- parting(mask bigint, names bigint): how many parts less 1, and behind a generic value there are more names.
SELECT o.value_hash
FROM offers o
CROSS JOIN parting p
GROUP BY o.value_hash, p.names
HAVING count(*) > p.names
