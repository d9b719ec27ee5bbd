-- The cards of all records whose fingerprint several bear, those of one fingerprint in one part.
SELECT c.*, (k.fingerprint & p.mask) AS part
FROM cards c
JOIN keyed k ON k.record_id = c.record_id
JOIN (
    SELECT fingerprint
    FROM keyed
    WHERE fingerprint IS NOT NULL
    GROUP BY fingerprint
    HAVING count(*) > 1
) s ON s.fingerprint = k.fingerprint
CROSS JOIN parting p
