-- The cards of both records of each pair (parted), in the part of the pair.
SELECT c.*, w.part
FROM cards c
JOIN (
    SELECT left_id AS record_id, part
    FROM parted
    UNION
    SELECT right_id AS record_id, part
    FROM parted
) w ON w.record_id = c.record_id
