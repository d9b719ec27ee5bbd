-- Both records of each pair (parted), in the part of the pair.
SELECT left_id AS record_id, part
FROM parted
UNION
SELECT right_id AS record_id, part
FROM parted
