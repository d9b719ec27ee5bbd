-- What was published and is about to be replaced. Of cleared change events the last of each moment is there.

-- name: lock_interactions
-- In one order, here and where publish moves them: of two that meet, one waits.
SELECT count(*) FROM (SELECT FROM core.interaction WHERE record_id {which} ORDER BY record_id FOR UPDATE) AS locked

-- name: keep_interactions
-- The whole row, so that columns that are added later are kept as well.
INSERT INTO core.interaction_version (
    record_id, changed_seq, ended_seq, known_from, known_to, client_id, version, lines, promises
)
SELECT i.record_id, i.changed_seq, %(seq)s, (SELECT e.at FROM ops.change_event AS e WHERE e.id >= i.changed_seq ORDER BY e.id LIMIT 1),
    %(as_of)s, i.client_id, to_jsonb(i) - 'changed_seq',
    (
        SELECT jsonb_agg(to_jsonb(l) - 'is_unpublished' ORDER BY l.position)
        FROM core.interaction_line AS l WHERE l.record_id = i.record_id
    ),
    (
        SELECT jsonb_agg(to_jsonb(p) - 'is_unpublished' ORDER BY p.promise_key)
        FROM core.promise AS p WHERE p.record_id = i.record_id
    )
FROM core.interaction AS i
WHERE i.record_id {which} AND i.changed_seq IS NOT NULL
ORDER BY i.record_id

-- name: hide_lines
UPDATE core.interaction_line SET is_unpublished = true WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: hide_promises
UPDATE core.promise SET is_unpublished = true WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: drop_lines
-- Those that come again in another form.
DELETE FROM core.interaction_line AS l
USING unnest(%(lines_of)s::bigint[], %(positions)s::integer[]) AS n (record_id, position)
WHERE l.record_id = n.record_id AND l.position = n.position

-- name: remove_lines
UPDATE core.interaction_line SET is_removed = true, is_unpublished = true
WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: promises_of
SELECT record_id, kind, promise_key FROM core.promise
WHERE record_id = ANY (%(record_ids)s::bigint[])
ORDER BY promise_key

-- name: drop_promises
DELETE FROM core.promise WHERE promise_key = ANY (%(promise_keys)s::bigint[])

-- name: remove_promises
UPDATE core.promise SET is_removed = true, is_unpublished = true WHERE record_id = ANY (%(record_ids)s::bigint[])

-- name: lock_relationships
SELECT count(*) FROM (
    SELECT FROM core.relationship WHERE relationship_key {which} ORDER BY relationship_key FOR NO KEY UPDATE
) AS locked

-- name: keep_relationships
INSERT INTO core.relationship_version (relationship_key, changed_seq, ended_seq, known_from, known_to, version)
SELECT r.relationship_key, r.changed_seq, %(seq)s, (SELECT e.at FROM ops.change_event AS e WHERE e.id >= r.changed_seq ORDER BY e.id LIMIT 1),
    %(as_of)s, to_jsonb(r) - '{{changed_seq,relationship_key}}'::text[]
FROM core.relationship AS r
WHERE r.relationship_key {which} AND r.changed_seq IS NOT NULL
ORDER BY r.relationship_key

-- name: keep_cards
-- What a record says of itself beside its client, where it says it otherwise now. A version that is open already stays,
-- and is locked: publish must not end it between this look and the change.
INSERT INTO identity.card_version (record_id, source, stream, source_key, kind, role, url)
SELECT r.record_id, r.source, r.stream, r.source_key, r.kind, r.role, core.golden_text(r.attributes, 'url')
FROM unnest(%(record_ids)s::bigint[], %(kinds)s::text[], %(roles)s::text[], %(urls)s::text[]) AS n (record_id, kind, role, url)
JOIN identity.standard_record AS r ON r.record_id = n.record_id
WHERE (r.kind, r.role, core.golden_text(r.attributes, 'url')) IS DISTINCT FROM (n.kind, n.role, n.url)
    AND EXISTS (SELECT FROM identity.crosswalk_history AS h WHERE h.record_id = n.record_id AND h.opened_seq IS NOT NULL)
ORDER BY r.record_id
ON CONFLICT (record_id) WHERE ended_seq IS NULL DO UPDATE SET record_id = excluded.record_id

-- name: links_wait
-- Mostly nothing does; three looks into indexes tell.
SELECT EXISTS (SELECT FROM identity.crosswalk WHERE changed_seq IS NULL)
    OR EXISTS (SELECT FROM identity.crosswalk_history WHERE valid_to IS NOT NULL AND ended_seq IS NULL)
    OR EXISTS (SELECT FROM identity.card_version WHERE ended_seq IS NULL)

-- name: find_links
CREATE TEMP TABLE waiting_link ON COMMIT DROP AS
SELECT record_id FROM identity.crosswalk WHERE record_id = ANY (%(record_ids)s::bigint[]) AND changed_seq IS NULL
UNION
SELECT record_id FROM identity.crosswalk_history
WHERE record_id = ANY (%(record_ids)s::bigint[]) AND (opened_seq IS NULL OR valid_to IS NOT NULL AND ended_seq IS NULL)
UNION
SELECT record_id FROM identity.card_version WHERE record_id = ANY (%(record_ids)s::bigint[]) AND ended_seq IS NULL

-- name: postpone_links
-- Of a record whose client is not there (it is deleted, and resolve has yet to hear of that) readers go on to see what
-- they saw.
DELETE FROM waiting_link AS w
USING identity.crosswalk AS x
WHERE x.record_id = w.record_id AND EXISTS (SELECT FROM core.client)
    AND NOT EXISTS (SELECT FROM core.client AS c WHERE c.client_id = x.client_id AND NOT c.is_deleted)

-- name: lock_cards
SELECT count(*) FROM (
    SELECT FROM identity.card_version
    WHERE record_id IN (SELECT record_id FROM waiting_link) AND ended_seq IS NULL
    ORDER BY record_id FOR UPDATE
) AS locked

-- name: count_links
SELECT count(*) FROM waiting_link

-- name: publish_links
UPDATE identity.crosswalk AS x SET changed_seq = %(seq)s
FROM waiting_link AS w
WHERE x.record_id = w.record_id

-- name: publish_link_history
-- A link that came and went between two publications gets an empty span: nobody ever saw it.
UPDATE identity.crosswalk_history AS h
SET opened_seq = coalesce(h.opened_seq, %(seq)s),
    ended_seq = CASE WHEN h.valid_to IS NOT NULL THEN coalesce(h.ended_seq, %(seq)s) END
FROM waiting_link AS w
WHERE h.record_id = w.record_id AND (h.opened_seq IS NULL OR h.valid_to IS NOT NULL AND h.ended_seq IS NULL)

-- name: publish_cards
UPDATE identity.card_version AS v SET ended_seq = %(seq)s
FROM waiting_link AS w
WHERE v.record_id = w.record_id AND v.ended_seq IS NULL

-- name: drop_links
DROP TABLE waiting_link

-- name: end_interactions
UPDATE core.interaction_version AS v SET ended_seq = %(seq)s, known_to = %(as_of)s
FROM moved_fact AS m
WHERE v.record_id = m.record_id AND v.ended_seq IS NULL

-- name: end_relationships
UPDATE core.relationship_version AS v SET ended_seq = %(seq)s, known_to = %(as_of)s
FROM moved_fact AS m
WHERE v.relationship_key = m.relationship_key AND v.ended_seq IS NULL

-- name: show_lines
UPDATE core.interaction_line AS l SET is_unpublished = NULL
FROM moved_fact AS m
WHERE l.record_id = m.record_id AND l.is_unpublished

-- name: show_promises
UPDATE core.promise AS p SET is_unpublished = NULL
FROM moved_fact AS m
WHERE p.record_id = m.record_id AND p.is_unpublished
