-- The distinct names of organisations.
SELECT DISTINCT org_latin
FROM cards
WHERE kind = 'organisation' AND NOT is_own AND org_latin <> ''
