-- The records whose fingerprint several bear, those of one fingerprint in one part.
SELECT k.record_id, (k.fingerprint & p.mask) AS part
FROM keyed k
JOIN (
    SELECT q.fingerprint
    FROM keyed q
    WHERE q.fingerprint IS NOT NULL
    GROUP BY q.fingerprint
    HAVING count(*) > 1
) s ON s.fingerprint = k.fingerprint
CROSS JOIN parting p
