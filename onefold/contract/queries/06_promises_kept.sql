-- Which promises do we keep, which do we miss, and by how much?
-- Какие обещания мы выполняем, какие нет, и насколько?
SELECT
    p.kind,
    count(*) AS promises,
    count(*) FILTER (WHERE p.outcome = 'kept') AS kept,
    count(*) FILTER (WHERE p.outcome = 'missed') AS missed,
    count(*) FILTER (WHERE p.outcome IN ('open', 'overdue')) AS still_open,
    round(avg(p.days_late) FILTER (WHERE p.days_late > 0), 1) AS days_late_on_average
FROM onefold_v1.fct_promise_outcome AS p
WHERE p.is_counted
GROUP BY p.kind
ORDER BY promises DESC, p.kind;
