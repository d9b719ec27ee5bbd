-- The cards of the records whose fingerprint several bear (repeated), in their parts.
SELECT c.*, r.part
FROM cards c
JOIN repeated r ON r.record_id = c.record_id
