-- For Spark: candidate pairs, those of one left record in one part.
SELECT c.left_id, c.right_id, (c.left_id & p.mask) AS part
FROM candidate_pairs c
CROSS JOIN parting p
