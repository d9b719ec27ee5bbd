-- Candidate pairs: distinct pairs of records that share an active blocking key, at least one of them dirty.
-- One text for DuckDB and PostgreSQL. Relations handed in:
--   blocking_key(key bigint, record_id bigint)   every key of every record, without duplicates
--   dirty(record_id bigint)                      the records to pair; all of them for a whole run; no duplicates
--   block_limit(rule bigint, cap bigint)         a block is active while it holds 2 to cap records; the low eight bits
--                                                of a key are its rule
WITH touched AS (
    SELECT DISTINCT k.key
    FROM blocking_key k
    JOIN dirty d ON d.record_id = k.record_id
), active AS (
    SELECT k.key
    FROM blocking_key k
    JOIN touched t ON t.key = k.key
    JOIN block_limit b ON b.rule = (k.key & 255)
    GROUP BY k.key, b.cap
    HAVING count(*) BETWEEN 2 AND b.cap
), member AS (
    SELECT k.key, k.record_id, CASE WHEN d.record_id IS NULL THEN 0 ELSE 1 END AS is_dirty
    FROM blocking_key k
    JOIN active a ON a.key = k.key
    LEFT JOIN dirty d ON d.record_id = k.record_id
)
SELECT DISTINCT l.record_id AS left_id, r.record_id AS right_id
FROM member l
JOIN member r ON r.key = l.key AND l.record_id < r.record_id
WHERE l.is_dirty + r.is_dirty > 0
