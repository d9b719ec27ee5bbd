-- Pairs that something is asked about (about), those of one left record in one part. asked(left_id, right_id, about)
SELECT a.left_id, a.right_id, a.about, (a.left_id & p.mask) AS part
FROM asked a
CROSS JOIN parting p
