-- Plausible pairs in the part that settles both of their records.
SELECT left_id, right_id, part
FROM member_pairs
