-- Blocks over the cap: their keys and sizes, largest first. Same relations as candidate_pairs.sql.
SELECT k.key, count(*) AS size
FROM blocking_key k
CROSS JOIN block_limit b
GROUP BY k.key, b.cap
HAVING count(*) > b.cap
ORDER BY size DESC, k.key
