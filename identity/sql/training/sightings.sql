-- How often each value was seen. values_seen(value, seen): what parts of the records counted.
SELECT value, CAST(sum(seen) AS bigint) AS seen
FROM values_seen
GROUP BY value
