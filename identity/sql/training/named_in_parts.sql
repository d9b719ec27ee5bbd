-- The cards of the records that have a name, those of one name in one part. named(record_id, name_hash)
SELECT c.*, (n.name_hash & p.mask) AS part
FROM cards c
JOIN named n ON n.record_id = c.record_id
CROSS JOIN parting p
