-- By what each client is in a reader's scope (client_scopes.py). A mark is s:source or t:type.

-- name: forget
DELETE FROM core.client_scope

-- name: fill
-- All clients anew, in two passes over links and facts.
INSERT INTO core.client_scope (client_id, display_name, scope)
SELECT c.client_id, CASE WHEN NOT c.is_deleted THEN c.display_name END, coalesce(m.scope, '{}')
FROM core.client AS c
LEFT JOIN (
    SELECT o.client_id, array_agg(o.mark ORDER BY o.mark COLLATE "C") AS scope
    FROM (
        SELECT l.client_id, 's:' || r.source AS mark
        FROM core.published_link AS l
        JOIN identity.standard_record AS r ON r.record_id = l.record_id
        UNION
        SELECT i.client_id, 't:' || i.type
        FROM (
            SELECT client_id, type FROM core.published_interaction
            WHERE client_id IS NOT NULL AND NOT is_deleted
            GROUP BY client_id, type
        ) AS i
        UNION
        SELECT h.client_id, 's:' || w.source
        FROM core.client AS g
        JOIN identity.crosswalk_history AS h ON h.client_id = g.client_id
        JOIN raw.record AS w ON w.record_id = h.record_id
        WHERE g.is_deleted
    ) AS o
    GROUP BY o.client_id
) AS m ON m.client_id = c.client_id
ORDER BY c.client_id

-- name: are_filled
INSERT INTO ops.hub_clock AS c (scoped_event_id) VALUES (0)
ON CONFLICT (only_row) DO UPDATE SET scoped_event_id = c.last_event_id

-- name: are_forgotten
UPDATE ops.hub_clock SET scoped_event_id = NULL WHERE scoped_event_id IS NOT NULL

-- name: is_kept
SELECT bool_or(scoped_event_id IS NOT NULL) FROM ops.hub_clock

-- name: behind
SELECT scoped_event_id FROM ops.hub_clock WHERE scoped_event_id < last_event_id

-- name: are_kept_up
UPDATE ops.hub_clock SET scoped_event_id = last_event_id

-- name: find_changed
-- Clients whose golden record, links or facts were published by change events behind :after; of the facts those that
-- bring the client a type, or may have taken one from it.
CREATE TEMP TABLE changed_scope ON COMMIT DROP AS
SELECT client_id FROM core.client WHERE changed_seq > %(after)s
UNION
SELECT client_id FROM identity.crosswalk WHERE changed_seq > %(after)s
UNION
SELECT client_id FROM identity.crosswalk_history WHERE valid_to IS NOT NULL AND ended_seq > %(after)s
UNION
SELECT i.client_id
FROM core.interaction AS i
LEFT JOIN core.client_scope AS s ON s.client_id = i.client_id
WHERE i.changed_seq > %(after)s AND i.client_id IS NOT NULL
    AND (i.is_deleted OR NOT coalesce(s.scope @> ARRAY['t:' || i.type], false))
UNION
SELECT v.client_id
FROM core.interaction AS i
JOIN core.interaction_version AS v ON v.record_id = i.record_id AND v.ended_seq > %(after)s
WHERE i.changed_seq > %(after)s AND v.client_id IS NOT NULL
    AND (v.client_id, v.version ->> 'type') IS DISTINCT FROM (i.client_id, i.type)

-- name: analyse_changed
ANALYZE changed_scope

-- name: refresh
-- Of one that is gone the records that it once had decide: whoever saw it has to learn that it is gone.
INSERT INTO core.client_scope (client_id, display_name, scope)
SELECT n.client_id, n.display_name, n.scope
FROM (
    SELECT c.client_id, CASE WHEN NOT c.is_deleted THEN c.display_name END AS display_name,
        ARRAY(
            SELECT o.mark
            FROM (
                SELECT 's:' || r.source AS mark
                FROM core.published_link AS l
                JOIN identity.standard_record AS r ON r.record_id = l.record_id
                WHERE l.client_id = c.client_id
                UNION
                SELECT 't:' || i.type FROM core.published_interaction AS i
                WHERE i.client_id = c.client_id AND NOT i.is_deleted
                UNION
                SELECT 's:' || w.source
                FROM identity.crosswalk_history AS h
                JOIN raw.record AS w ON w.record_id = h.record_id
                WHERE c.is_deleted AND h.client_id = c.client_id
            ) AS o
            ORDER BY o.mark COLLATE "C"
        ) AS scope
    FROM changed_scope AS f
    JOIN core.client AS c ON c.client_id = f.client_id
) AS n
LEFT JOIN core.client_scope AS s ON s.client_id = n.client_id
WHERE s.client_id IS NULL OR (s.display_name, s.scope) IS DISTINCT FROM (n.display_name, n.scope)
ORDER BY n.client_id
ON CONFLICT (client_id) DO UPDATE SET display_name = excluded.display_name, scope = excluded.scope

-- name: drop_changed
DROP TABLE changed_scope
