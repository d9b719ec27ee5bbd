-- Who bears which value (offers), with all that bear one value in one part. parting(mask bigint): how many parts less 1.
SELECT o.*, (o.value_hash & p.mask) AS part
FROM offers o
CROSS JOIN parting p
