-- What dealings show, feature by feature, for suggestions of needs: read only, in one transaction.

-- name: clients
CREATE TEMP TABLE discover_client ON COMMIT DROP AS
SELECT c.client_id, (row_number() OVER (ORDER BY c.client_id) - 1)::integer AS place
FROM (
    SELECT i.client_id FROM core.published_interaction AS i
    JOIN core.client AS c ON c.client_id = i.client_id AND NOT c.is_deleted AND c.role IN ('client', 'prospect')
    WHERE NOT i.is_deleted
    GROUP BY i.client_id
    HAVING count(*) >= %(minimum)s
    ORDER BY i.client_id
    LIMIT %(most)s
) AS c

-- name: dealings
CREATE TEMP TABLE discover_dealing ON COMMIT DROP AS
SELECT c.place, i.record_id, i.type, i.channel, i.detail, translate(lower(coalesce(i.summary, '')), 'ё', 'е') AS summary
FROM discover_client AS c
JOIN core.published_interaction AS i ON i.client_id = c.client_id
WHERE NOT i.is_deleted

-- name: shown
-- Words are counted by their stem; numbers, and fields in which every dealing has a value of its own, tell nothing.
CREATE TEMP TABLE discover_shown ON COMMIT DROP AS
SELECT DISTINCT d.place, d.record_id, d.type, f.looked, f.value, f.is_word
FROM discover_dealing AS d
CROSS JOIN LATERAL (
    SELECT 'channel' AS looked, d.channel AS value, false AS is_word WHERE d.channel IS NOT NULL
    UNION ALL
    SELECT 'detail.' || v.key, lower(v.value), false FROM jsonb_each_text(d.detail) AS v
    WHERE length(v.value) <= 40 AND v.value !~ '\d{3}' AND v.key !~ '[.\s]'
    UNION ALL
    SELECT t.looked, w.stem, true
    FROM (
        SELECT 'summary' AS looked, d.summary AS text
        UNION ALL
        SELECT 'detail.' || v.key, translate(lower(v.value), 'ё', 'е') FROM jsonb_each_text(d.detail) AS v
        WHERE v.value ~ '\s' AND v.key !~ '[.\s]'
    ) AS t
    CROSS JOIN LATERAL unnest(tsvector_to_array(to_tsvector('russian', t.text))) AS w (stem)
    WHERE w.stem ~ '^\D{3,}$'
) AS f
WHERE f.value <> ''

-- name: features
WITH total AS (
    SELECT d.type, count(*) AS dealings FROM discover_dealing AS d GROUP BY d.type
), feature AS (
    SELECT s.type, s.looked, s.value, s.is_word, count(DISTINCT s.record_id) AS dealings, count(DISTINCT s.place) AS clients
    FROM discover_shown AS s
    GROUP BY s.type, s.looked, s.value, s.is_word
)
SELECT f.type, f.looked, f.value, f.is_word, f.dealings::double precision / t.dealings AS share
FROM feature AS f
JOIN total AS t ON t.type = f.type
WHERE f.clients >= 10 AND f.dealings BETWEEN t.dealings * 0.01 AND t.dealings * 0.8
ORDER BY f.clients DESC, f.type COLLATE "C", f.looked COLLATE "C", f.value COLLATE "C", f.is_word
LIMIT %(most)s

-- name: counts
-- Of the features that were found, by their place among them.
SELECT s.place, (f.place - 1)::integer, count(*)
FROM unnest(%(types)s::text[], %(looked)s::text[], %(values)s::text[], %(words)s::boolean[])
    WITH ORDINALITY AS f (type, looked, value, is_word, place)
JOIN discover_shown AS s
    ON s.type = f.type AND s.looked = f.looked AND s.value = f.value AND s.is_word = f.is_word
GROUP BY s.place, f.place

-- name: dealings_of
SELECT d.place, d.type, count(*) FROM discover_dealing AS d GROUP BY d.place, d.type

-- name: spelling
-- Of each stem the word in which it stands most often.
SELECT DISTINCT ON (w.stem) w.stem, w.word
FROM (
    SELECT (tsvector_to_array(to_tsvector('russian', p.word)))[1] AS stem, p.word, count(*) AS times
    FROM discover_dealing AS d
    CROSS JOIN LATERAL regexp_split_to_table(
        d.summary || ' ' || translate(lower(coalesce((SELECT string_agg(v.value, ' ') FROM jsonb_each_text(d.detail) AS v), '')), 'ё', 'е'),
        '[^[:alpha:]]+'
    ) AS p (word)
    WHERE p.word <> ''
    GROUP BY p.word
) AS w
WHERE w.stem = ANY (%(stems)s::text[])
ORDER BY w.stem, w.times DESC, w.word COLLATE "C"
