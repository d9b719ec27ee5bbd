-- The cards of the points that are settled together, in the part that settles them.
-- members(part, component, size, record_id): the first record of each point, and how many records it stands for.
SELECT c.*, m.part, m.component, m.size
FROM cards c
JOIN members m ON m.record_id = c.record_id
