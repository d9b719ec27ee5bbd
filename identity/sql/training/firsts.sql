-- The records of the kind that stand for their point, with their keys. alike(left_id, right_id): the first of a point,
-- another one.
SELECT k.record_id, k.keys
FROM keyed k
JOIN chosen h ON h.kind = k.kind
LEFT JOIN alike a ON a.right_id = k.record_id
WHERE a.right_id IS NULL
