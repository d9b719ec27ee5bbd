-- Which promises do we keep, which do we miss, and by how much?
-- Какие обещания мы выполняем, какие нет, и насколько?
SELECT
    p.kind,
    count(*) AS promises,
    count(*) FILTER (WHERE p.is_kept) AS kept,
    count(*) FILTER (WHERE NOT p.is_kept) AS missed,
    count(*) FILTER (WHERE p.is_kept IS NULL) AS still_open,
    round(avg(p.days_late) FILTER (WHERE p.days_late > 0), 1) AS days_late_on_average
FROM onefold_v1.fct_promise AS p
WHERE NOT p.is_deleted
GROUP BY p.kind
ORDER BY promises DESC, p.kind;
