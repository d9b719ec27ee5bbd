-- Which records and which former ids a client answers for.

CREATE OR REPLACE VIEW onefold_v1.xref_client_record AS
SELECT
    x.client_id,
    x.record_id,
    CASE WHEN v.record_id IS NULL THEN r.source ELSE v.source END AS source,
    CASE WHEN v.record_id IS NULL THEN r.stream ELSE v.stream END AS stream,
    CASE WHEN v.record_id IS NULL THEN r.source_key ELSE v.source_key END AS source_key,
    CASE WHEN v.record_id IS NULL THEN r.kind ELSE v.kind END AS kind,
    CASE WHEN v.record_id IS NULL THEN r.role ELSE v.role END AS role,
    CASE WHEN v.record_id IS NULL THEN core.golden_text(r.attributes, 'url') ELSE v.url END AS url,
    x.valid_from,
    x.changed_seq,
    false AS is_deleted
FROM core.published_link AS x
LEFT JOIN identity.standard_record AS r ON r.record_id = x.record_id
LEFT JOIN core.published_card AS v ON v.record_id = x.record_id
UNION ALL
SELECT
    h.client_id,
    h.record_id,
    coalesce(w.source, f.source),
    coalesce(w.stream, f.stream),
    coalesce(w.source_key, f.source_key),
    NULL,
    NULL,
    NULL,
    h.valid_from,
    h.ended_seq,
    true
FROM core.published_link_span AS h
-- A record that was made of a card is no source's own; its last card tells its name.
LEFT JOIN raw.record AS w ON w.record_id = h.record_id
LEFT JOIN LATERAL (
    SELECT v.source, v.stream, v.source_key FROM identity.card_version AS v
    WHERE v.record_id = h.record_id
    ORDER BY v.ended_seq DESC
    LIMIT 1
) AS f ON true
WHERE h.valid_to IS NOT NULL AND h.ended_seq IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM core.published_link_span AS later
        WHERE later.record_id = h.record_id AND later.valid_from > h.valid_from
    );
COMMENT ON VIEW onefold_v1.xref_client_record IS 'Which source record belongs to which client now; a record that left is marked deleted';

CREATE OR REPLACE VIEW onefold_v1.xref_client_redirect AS
WITH RECURSIVE step AS (
    SELECT c.client_id AS old_client_id, c.redirected_to AS client_id, c.redirected_at, c.changed_seq,
        NOT c.is_redirected AS is_deleted, 1 AS steps
    FROM core.client AS c
    WHERE c.redirected_to IS NOT NULL
    UNION ALL
    SELECT s.old_client_id, n.redirected_to, s.redirected_at, greatest(s.changed_seq, n.changed_seq), s.is_deleted,
        s.steps + 1
    FROM step AS s
    JOIN core.client AS n ON n.client_id = s.client_id AND n.is_redirected
    -- A ring of redirects cannot come about; the bound keeps a damaged ledger from hanging every reader.
    WHERE s.steps < 100
)
SELECT DISTINCT ON (s.old_client_id)
    s.old_client_id,
    s.client_id,
    s.redirected_at,
    greatest(s.changed_seq, t.changed_seq) AS changed_seq,
    s.is_deleted
FROM step AS s
LEFT JOIN core.client AS t ON t.client_id = s.client_id
ORDER BY s.old_client_id, s.steps DESC;
COMMENT ON VIEW onefold_v1.xref_client_redirect IS 'Ids of merged-away clients and the client that answers for each now';
