-- Of each refused block the record that comes first in natural order: the example that a report names. For DuckDB and
-- Spark. Relations handed in: blocking_key as for candidate_pairs.sql, and
--   refused_blocks(key bigint, size bigint)
--   cards(record_id bigint, source text, stream text, source_key text, ...)
SELECT k.key, min_by(c.record_id, (c.source, c.stream, c.source_key)) AS record_id
FROM blocking_key k
JOIN refused_blocks r ON r.key = k.key
JOIN cards c ON c.record_id = k.record_id
GROUP BY k.key
