-- The values that were seen often enough. listed(least): how often that is.
SELECT s.value, s.seen
FROM sightings s
JOIN listed l ON s.seen >= l.least
