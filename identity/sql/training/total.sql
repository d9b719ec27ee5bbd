-- How often any value was seen.
SELECT CAST(coalesce(sum(seen), 0) AS bigint) AS seen
FROM sightings
