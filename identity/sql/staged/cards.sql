-- All cards.
SELECT *
FROM cards
