-- The cards of the records of the kind that are evidence.
SELECT c.*
FROM cards c
JOIN chosen h ON h.kind = c.kind
WHERE NOT c.is_own
