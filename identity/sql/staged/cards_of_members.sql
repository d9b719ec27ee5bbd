-- The cards of all records that hang together with others, in the part that settles them. members(part, record_id)
SELECT c.*, m.part
FROM cards c
JOIN members m ON m.record_id = c.record_id
