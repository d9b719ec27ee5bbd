-- Blocks over the limit of their rule: their keys and sizes, largest first. Same relations as candidate_pairs.sql.
SELECT k.key, count(*) AS size
FROM blocking_key k
JOIN block_limit b ON b.rule = (k.key & 255)
GROUP BY k.key, b.cap
HAVING count(*) > b.cap
ORDER BY size DESC, k.key
