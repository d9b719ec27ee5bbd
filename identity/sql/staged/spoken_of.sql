-- The cards of the records that people joined. joined(record_id bigint), with repetitions.
SELECT c.*
FROM cards c
WHERE c.record_id IN (SELECT j.record_id FROM joined j)
