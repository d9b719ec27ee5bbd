-- Which records and which former ids a client answers for.

CREATE OR REPLACE VIEW onefold_v1.xref_client_record AS
SELECT
    x.client_id,
    x.record_id,
    r.source,
    r.stream,
    r.source_key,
    r.kind,
    r.role,
    core.golden_text(r.attributes, 'url') AS url,
    x.since AS valid_from,
    x.changed_seq,
    false AS is_deleted
FROM identity.crosswalk AS x
JOIN identity.standard_record AS r ON r.record_id = x.record_id
UNION ALL
SELECT
    h.client_id,
    h.record_id,
    w.source,
    w.stream,
    w.source_key,
    NULL,
    NULL,
    NULL,
    h.valid_from,
    h.ended_seq,
    true
FROM identity.crosswalk_history AS h
-- A record that was made of a card is no source's own; when it is gone, so is its name.
LEFT JOIN raw.record AS w ON w.record_id = h.record_id
WHERE h.ended_seq IS NOT NULL
    AND NOT EXISTS (SELECT FROM identity.crosswalk AS x WHERE x.record_id = h.record_id)
    AND NOT EXISTS (
        SELECT FROM identity.crosswalk_history AS later
        WHERE later.record_id = h.record_id AND later.valid_from > h.valid_from
    );
COMMENT ON VIEW onefold_v1.xref_client_record IS 'Which source record belongs to which client now; a record that left is marked deleted';

CREATE OR REPLACE VIEW onefold_v1.xref_client_redirect AS
WITH RECURSIVE latest AS (
    SELECT DISTINCT ON (l.client_id) l.client_id, l.event, l.target_client_id, l.at
    FROM identity.client_id_ledger AS l
    WHERE l.event <> 'mint'
    ORDER BY l.client_id, l.id DESC
), step AS (
    SELECT client_id AS old_client_id, target_client_id AS client_id, at, 1 AS steps
    FROM latest
    WHERE event = 'redirect'
    UNION ALL
    SELECT s.old_client_id, l.target_client_id, s.at, s.steps + 1
    FROM step AS s
    JOIN latest AS l ON l.client_id = s.client_id AND l.event = 'redirect'
    -- A ring of redirects cannot come about; the bound keeps a damaged ledger from hanging every reader.
    WHERE s.steps < 100
)
SELECT DISTINCT ON (s.old_client_id)
    s.old_client_id,
    s.client_id,
    s.at AS redirected_at,
    greatest(c.changed_seq, t.changed_seq) AS changed_seq,
    false AS is_deleted
FROM step AS s
LEFT JOIN core.client AS c ON c.client_id = s.old_client_id
LEFT JOIN core.client AS t ON t.client_id = s.client_id
ORDER BY s.old_client_id, s.steps DESC;
COMMENT ON VIEW onefold_v1.xref_client_redirect IS 'Ids of merged-away clients and the client that answers for each now';
