-- For Spark: what candidate_pairs.sql is to pair in a whole run: every record that has a key.
SELECT DISTINCT record_id
FROM blocking_key
