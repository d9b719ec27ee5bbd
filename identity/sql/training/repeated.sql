-- The records of the kind whose fingerprint several of the kind bear, those of one fingerprint in one part.
-- chosen(kind): the kind that is trained.
SELECT k.record_id, (k.fingerprint & p.mask) AS part
FROM keyed k
JOIN (
    SELECT q.kind, q.fingerprint
    FROM keyed q
    JOIN chosen h ON h.kind = q.kind
    WHERE q.fingerprint IS NOT NULL
    GROUP BY q.kind, q.fingerprint
    HAVING count(*) > 1
) s ON s.fingerprint = k.fingerprint AND s.kind = k.kind
CROSS JOIN parting p
