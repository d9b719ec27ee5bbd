-- The moment that a session asks about: `SET onefold.as_of = '2026-03-31'`, or `SET onefold.as_of_seq = 4711` for the
-- change event itself. Numbers of change events rise with their time, so the last one is found by halving.

CREATE OR REPLACE VIEW core.asof_moment AS
WITH RECURSIVE wanted AS (
    SELECT nullif(current_setting('onefold.as_of', true), '')::timestamptz AS at,
        nullif(current_setting('onefold.as_of_seq', true), '')::bigint AS seq
), search (first, past) AS (
    SELECT 0::bigint, coalesce((SELECT max(e.id) FROM ops.change_event AS e), 0) + 1
    FROM wanted AS w
    WHERE w.seq IS NULL AND w.at IS NOT NULL
    UNION ALL
    SELECT CASE WHEN e.at <= w.at THEN e.id ELSE s.first END,
        CASE WHEN e.at <= w.at THEN s.past ELSE (s.first + s.past) / 2 END
    FROM search AS s
    CROSS JOIN wanted AS w
    LEFT JOIN LATERAL (
        SELECT n.id, n.at FROM ops.change_event AS n
        WHERE n.id >= (s.first + s.past) / 2 AND n.id < s.past
        ORDER BY n.id
        LIMIT 1
    ) AS e ON true
    WHERE s.past - s.first > 1
)
SELECT coalesce(w.seq, (SELECT max(s.first) FROM search AS s), 9223372036854775807) AS seq
FROM wanted AS w;
COMMENT ON VIEW core.asof_moment IS 'The last change event of the moment that onefold.as_of or onefold.as_of_seq names; without them all';
COMMENT ON COLUMN core.asof_moment.seq IS 'Number of the change event';
