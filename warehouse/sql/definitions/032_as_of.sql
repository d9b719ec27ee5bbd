-- What was known at a moment (core.asof_moment), from versions and spans. The views of onefold_v1_asof are made from
-- those of onefold_v1 over these (as_of.py).

DO $$
DECLARE
    columns text;
    described record;
BEGIN
    SELECT string_agg(
        format(
            '%s AS %I',
            CASE
                WHEN c.name = 'changed_seq' THEN 'coalesce(h.opened_seq, h.changed_seq)'
                -- The first version holds from the beginning of time; the client was there from its first event on.
                WHEN c.name = 'valid_from' THEN
                    'CASE WHEN h.valid_from = ''-infinity'' THEN (SELECT e.at FROM ops.change_event AS e'
                    ' WHERE e.id >= coalesce(h.opened_seq, h.changed_seq) ORDER BY e.id LIMIT 1) ELSE h.valid_from END'
                WHEN c.is_kept THEN format('h.%I', c.name)
                ELSE format('NULL::%s', c.type)
            END,
            c.name
        ), ', ' ORDER BY c.place NULLS LAST, c.name COLLATE "C"
    )
    INTO columns
    FROM (
        SELECT b.attname::text AS name, format_type(b.atttypid, b.atttypmod) AS type, had.attnum AS place,
            kept.attname IS NOT NULL AS is_kept
        FROM pg_attribute AS b
        LEFT JOIN pg_attribute AS had ON had.attrelid = to_regclass('core.asof_client') AND had.attname = b.attname
        LEFT JOIN pg_attribute AS kept
            ON kept.attrelid = 'core.client_history'::regclass AND kept.attname = b.attname AND NOT kept.attisdropped
        WHERE b.attrelid = 'core.client'::regclass AND b.attnum > 0 AND NOT b.attisdropped
    ) AS c;
    EXECUTE 'CREATE OR REPLACE VIEW core.asof_client AS SELECT ' || columns || ' FROM core.client_history AS h'
        ' WHERE coalesce(h.opened_seq, h.changed_seq) <= (SELECT m.seq FROM core.asof_moment AS m)'
        ' AND (h.valid_to IS NULL OR h.changed_seq > (SELECT m.seq FROM core.asof_moment AS m))';
    FOR described IN
        SELECT a.attname, col_description(a.attrelid, a.attnum) AS comment FROM pg_attribute AS a
        WHERE a.attrelid = 'core.client'::regclass AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN core.asof_client.%I IS %L', described.attname, described.comment);
    END LOOP;
END
$$;
COMMENT ON VIEW core.asof_client IS 'Golden records as they were known at the moment asked about';

CREATE OR REPLACE VIEW core.asof_link AS
SELECT h.record_id, h.client_id, h.valid_from,
    greatest(
        h.opened_seq,
        -- A card that says another thing is news of its link.
        (
            SELECT max(c.ended_seq) FROM identity.card_version AS c
            WHERE c.record_id = h.record_id AND c.ended_seq <= (SELECT m.seq FROM core.asof_moment AS m)
        )
    ) AS changed_seq
FROM identity.crosswalk_history AS h
WHERE h.opened_seq <= (SELECT m.seq FROM core.asof_moment AS m)
    AND (h.ended_seq IS NULL OR h.ended_seq > (SELECT m.seq FROM core.asof_moment AS m))
    AND EXISTS (
        SELECT FROM core.client_history AS c
        WHERE coalesce(c.opened_seq, c.changed_seq) <= (SELECT m.seq FROM core.asof_moment AS m)
    );
COMMENT ON VIEW core.asof_link IS 'Which client a record belonged to, as it was known at the moment asked about';
COMMENT ON COLUMN core.asof_link.record_id IS 'The source record';
COMMENT ON COLUMN core.asof_link.client_id IS 'The client';
COMMENT ON COLUMN core.asof_link.valid_from IS 'As of when the record belonged to it';
COMMENT ON COLUMN core.asof_link.changed_seq IS 'The change event that published the link';

-- Facts with the client of their own day. As the columns of fct_interaction grow, so do these.
DO $$
DECLARE
    columns text;
BEGIN
    SELECT string_agg(
        CASE c.name
            WHEN 'client_id' THEN 'l.client_id'
            WHEN 'changed_seq' THEN 'greatest(f.changed_seq, l.opened_seq, h.opened_seq) AS changed_seq'
            WHEN 'client_valid_from' THEN 'h.valid_from AS client_valid_from'
            WHEN 'current_client_id' THEN 'f.client_id AS current_client_id'
            ELSE format('f.%I', c.name)
        END, ', ' ORDER BY c.had NULLS LAST, c.place
    )
    INTO columns
    FROM (
        SELECT n.name, n.place, had.attnum AS had
        FROM (
            -- Columns that came to fct_interaction later stand behind those of this view, in a new hub as in a grown one.
            SELECT a.attname::text AS name, a.attnum + CASE WHEN a.attnum > 23 THEN 3000 ELSE 0 END AS place
            FROM pg_attribute AS a
            WHERE a.attrelid = 'onefold_v1.fct_interaction'::regclass AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            VALUES ('client_valid_from', 2000), ('current_client_id', 2001)
        ) AS n
        LEFT JOIN pg_attribute AS had
            ON had.attrelid = to_regclass('onefold_v1.fct_interaction_as_of') AND had.attname = n.name
    ) AS c;
    EXECUTE 'CREATE OR REPLACE VIEW onefold_v1.fct_interaction_as_of AS SELECT ' || columns || $view$
        FROM onefold_v1.fct_interaction AS f
        -- A record whose key was given to somebody else later was its former version.
        LEFT JOIN LATERAL (
            SELECT r.former_id FROM identity.former_record AS r
            WHERE r.record_id = f.party_record_id AND r.until_at > f.occurred_at
            ORDER BY r.until_at, r.former_id
            LIMIT 1
        ) AS was ON true
        -- The link of that day; of a fact that is older than all links the first.
        LEFT JOIN LATERAL (
            SELECT k.client_id, k.opened_seq FROM identity.crosswalk_history AS k
            WHERE k.record_id = coalesce(was.former_id, f.party_record_id)
                AND (k.opened_seq < k.ended_seq OR k.opened_seq IS NOT NULL AND k.ended_seq IS NULL)
            ORDER BY k.valid_from <= coalesce(f.occurred_at, 'infinity') DESC,
                abs(extract(epoch FROM k.valid_from - coalesce(f.occurred_at, now())))
            LIMIT 1
        ) AS l ON true
        LEFT JOIN LATERAL (
            SELECT v.valid_from, coalesce(v.opened_seq, v.changed_seq) AS opened_seq FROM core.client_history AS v
            WHERE v.client_id = l.client_id AND v.valid_from <= coalesce(f.occurred_at, 'infinity')
            ORDER BY v.valid_from DESC
            LIMIT 1
        ) AS h ON true
    $view$;
END
$$;
COMMENT ON VIEW onefold_v1.fct_interaction_as_of IS 'What happened, with the client of its own day and the version of its golden record';
