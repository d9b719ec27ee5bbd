-- Facts and links as they were last published, and as they were at a moment (core.asof_moment). A row that was changed since (its changed_seq is null) stands behind the
-- version that readers still see, which is kept as JSON (versions.sql); a row that was never published is not seen.
-- The columns are those of the tables, appended as these grow: first those that a view has, then new ones by name.

DO $$
DECLARE
    made record;
    listed record;
    described record;
BEGIN
    FOR made IN
        SELECT * FROM (VALUES
            ('core.published_interaction', 'core.interaction', 't.changed_seq IS NOT NULL', 't.changed_seq <= (SELECT m.seq FROM core.asof_moment AS m)',
                'core.interaction_version AS v CROSS JOIN LATERAL jsonb_populate_record(NULL::core.interaction, v.version) AS t',
                'Interactions'),
            ('core.published_line', 'core.interaction_line', 't.is_unpublished IS NULL',
                't.is_unpublished IS NULL AND EXISTS (SELECT FROM core.interaction AS i WHERE i.record_id = t.record_id'
                ' AND i.changed_seq <= (SELECT m.seq FROM core.asof_moment AS m))',
                'core.interaction_version AS v CROSS JOIN LATERAL jsonb_populate_recordset(NULL::core.interaction_line, v.lines) AS t',
                'Lines of interactions'),
            ('core.published_promise', 'core.promise', 't.is_unpublished IS NULL',
                't.is_unpublished IS NULL AND EXISTS (SELECT FROM core.interaction AS i WHERE i.record_id = t.record_id'
                ' AND i.changed_seq <= (SELECT m.seq FROM core.asof_moment AS m))',
                'core.interaction_version AS v CROSS JOIN LATERAL jsonb_populate_recordset(NULL::core.promise, v.promises) AS t',
                'Promises'),
            ('core.published_relationship', 'core.relationship', 't.changed_seq IS NOT NULL', 't.changed_seq <= (SELECT m.seq FROM core.asof_moment AS m)',
                'core.relationship_version AS v CROSS JOIN LATERAL jsonb_populate_record(NULL::core.relationship, v.version) AS t',
                'Relationships')
        ) AS m (view, base, condition, condition_then, versions, comment)
    LOOP
        SELECT string_agg(format('t.%I', c.name), ', ' ORDER BY c.place NULLS LAST, c.name COLLATE "C") AS current,
            string_agg(
                CASE
                    WHEN c.name = 'changed_seq' OR c.name = 'client_id' THEN format('v.%I', c.name)
                    WHEN c.name = 'record_id' AND made.base <> 'core.relationship' THEN 'v.record_id'
                    WHEN c.name = 'relationship_key' THEN 'v.relationship_key'
                    -- By its index: who asks for the documents of an event is not led through all versions.
                    WHEN c.name = 'event_id' THEN '(v.version ->> ''event_id'')::bigint'
                    ELSE format('t.%I', c.name)
                END, ', ' ORDER BY c.place NULLS LAST, c.name COLLATE "C"
            ) AS former
        INTO listed
        FROM (
            SELECT b.attname::text AS name, had.attnum AS place
            FROM pg_attribute AS b
            LEFT JOIN pg_attribute AS had ON had.attrelid = to_regclass(made.view) AND had.attname = b.attname
            WHERE b.attrelid = made.base::regclass AND b.attnum > 0 AND NOT b.attisdropped
        ) AS c;
        -- The condition stands around the union, where all versions meet it too: a table with one of its own inside would
        -- be read as a subquery that hands on every column, in 1.7 times the time.
        EXECUTE format(
            'CREATE OR REPLACE VIEW %s AS SELECT %s FROM (SELECT %s FROM %s AS t UNION ALL SELECT %s FROM %s'
            ' WHERE v.ended_seq IS NULL) AS t WHERE %s',
            made.view, listed.current, listed.current, made.base, listed.former, made.versions, made.condition
        );
        EXECUTE format('COMMENT ON VIEW %s IS %L', made.view, made.comment || ' as they were last published');
        EXECUTE format(
            'CREATE OR REPLACE VIEW %s AS SELECT %s FROM %s AS t WHERE %s UNION ALL SELECT %s FROM %s'
            ' WHERE v.changed_seq <= (SELECT m.seq FROM core.asof_moment AS m)'
            ' AND (v.ended_seq IS NULL OR v.ended_seq > (SELECT m.seq FROM core.asof_moment AS m))',
            replace(made.view, '.published_', '.asof_'), listed.current, made.base, made.condition_then, listed.former,
            made.versions
        );
        EXECUTE format(
            'COMMENT ON VIEW %s IS %L', replace(made.view, '.published_', '.asof_'),
            made.comment || ' as they were known at the moment asked about'
        );
        FOR described IN
            SELECT a.attname, col_description(a.attrelid, a.attnum) AS comment FROM pg_attribute AS a
            WHERE a.attrelid = made.base::regclass AND a.attnum > 0 AND NOT a.attisdropped
        LOOP
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', made.view, described.attname, described.comment);
            EXECUTE format(
                'COMMENT ON COLUMN %s.%I IS %L', replace(made.view, '.published_', '.asof_'), described.attname,
                described.comment
            );
        END LOOP;
    END LOOP;
END
$$;

CREATE OR REPLACE VIEW core.published_link AS
-- Until the first golden records are there no link is told.
SELECT x.record_id, x.client_id, x.since AS valid_from, x.changed_seq
FROM identity.crosswalk AS x
WHERE x.changed_seq IS NOT NULL AND EXISTS (SELECT FROM core.client)
UNION ALL
-- It has moved or left, and that is not published yet.
SELECT h.record_id, h.client_id, h.valid_from,
    greatest(h.opened_seq, (SELECT max(v.ended_seq) FROM identity.card_version AS v WHERE v.record_id = h.record_id))
FROM identity.crosswalk_history AS h
WHERE h.valid_to IS NOT NULL AND h.ended_seq IS NULL AND h.opened_seq IS NOT NULL;
COMMENT ON VIEW core.published_link IS 'Which client a record belongs to, as it was last published';
COMMENT ON COLUMN core.published_link.record_id IS 'The source record';
COMMENT ON COLUMN core.published_link.client_id IS 'The client';
COMMENT ON COLUMN core.published_link.valid_from IS 'As of when the record belongs to it';
COMMENT ON COLUMN core.published_link.changed_seq IS 'The change event that published the link';

CREATE OR REPLACE VIEW core.published_card AS
-- What a record said of itself where it says another thing now, or is gone, and that is not published yet.
SELECT v.record_id, v.source, v.stream, v.source_key, v.kind, v.role, v.url
FROM identity.card_version AS v
WHERE v.ended_seq IS NULL;
COMMENT ON VIEW core.published_card IS 'Cards of records as they were last published, where they differ from what stands';

CREATE OR REPLACE VIEW core.asof_card AS
SELECT v.record_id, v.source, v.stream, v.source_key, v.kind, v.role, v.url
FROM identity.card_version AS v
WHERE (v.ended_seq IS NULL OR v.ended_seq > (SELECT m.seq FROM core.asof_moment AS m))
    -- The first that ended later; joined by record, so no DISTINCT ON stands in the way of a lookup.
    AND NOT EXISTS (
        SELECT FROM identity.card_version AS e
        WHERE e.record_id = v.record_id AND e.ended_seq > (SELECT m.seq FROM core.asof_moment AS m)
            AND (v.ended_seq IS NULL OR e.ended_seq < v.ended_seq)
    );
COMMENT ON VIEW core.asof_card IS 'Cards of records as they were known at the moment asked about, where they differ from what stands';

CREATE OR REPLACE VIEW core.published_link_span AS
SELECT h.record_id, h.client_id, h.valid_from, h.valid_to, h.ended_seq
FROM identity.crosswalk_history AS h
WHERE h.opened_seq < h.ended_seq OR h.opened_seq IS NOT NULL AND h.ended_seq IS NULL;
COMMENT ON VIEW core.published_link_span IS 'Links that were published, also those that ended';

CREATE OR REPLACE VIEW core.asof_link_span AS
SELECT h.record_id, h.client_id, h.valid_from, h.valid_to,
    CASE WHEN h.ended_seq <= (SELECT m.seq FROM core.asof_moment AS m) THEN h.ended_seq END AS ended_seq
FROM identity.crosswalk_history AS h
WHERE h.opened_seq <= (SELECT m.seq FROM core.asof_moment AS m) AND (h.ended_seq IS NULL OR h.opened_seq < h.ended_seq);
COMMENT ON VIEW core.asof_link_span IS 'Links that had been published at the moment asked about, also those that had ended';

DO $$
DECLARE
    described record;
BEGIN
    FOR described IN
        SELECT s.relation, a.attname, col_description(s.of::regclass, b.attnum) AS comment
        FROM (VALUES
            ('card', 'identity.card_version'), ('link_span', 'identity.crosswalk_history')
        ) AS v (name, of)
        CROSS JOIN LATERAL (VALUES ('core.published_' || v.name, v.of), ('core.asof_' || v.name, v.of)) AS s (relation, of)
        JOIN pg_attribute AS a ON a.attrelid = s.relation::regclass AND a.attnum > 0
        JOIN pg_attribute AS b ON b.attrelid = s.of::regclass AND b.attname = a.attname
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', described.relation, described.attname, described.comment);
    END LOOP;
END
$$;
