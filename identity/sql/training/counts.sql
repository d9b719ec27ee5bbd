-- How many pairs show the same. shown(about, seen, pairs): what parts of the pairs counted.
SELECT about, seen, CAST(sum(pairs) AS bigint) AS pairs
FROM shown
GROUP BY about, seen
