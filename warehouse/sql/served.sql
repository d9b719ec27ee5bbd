-- name: columns_of
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass(%(view)s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum

-- name: replace_view
CREATE OR REPLACE VIEW {view} AS SELECT {columns} FROM {base} AS p{condition}

-- name: definition
SELECT pg_get_viewdef(c.oid), obj_description(c.oid, 'pg_class')
FROM pg_class AS c
WHERE c.oid = to_regclass(%(view)s)

-- name: clients_only
 WHERE p.role IN ('client', 'prospect')

-- name: comment_view
COMMENT ON VIEW {view} IS {comment}

-- name: attributes
SELECT name, type, is_multi, label_en FROM core.attribute ORDER BY name COLLATE "C"

-- name: store_attribute
INSERT INTO core.attribute (name, kind, type, is_multi, label_en, label_ru, personal_data)
VALUES (%(name)s, %(kind)s, %(type)s, %(is_multi)s, %(label_en)s, %(label_ru)s, %(personal_data)s)
ON CONFLICT (name) DO UPDATE
SET kind = excluded.kind, type = excluded.type, is_multi = excluded.is_multi, label_en = excluded.label_en,
    label_ru = excluded.label_ru, personal_data = excluded.personal_data

-- name: stored_attributes
SELECT name, kind, type, is_multi, label_en, label_ru, personal_data FROM core.attribute

-- name: comment_columns
-- A column of one name means the same in every view; what the glossary lacks is reported by the caller's test.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.oid::regclass AS view, a.attname, coalesce(f.label_en, r.label_en, g.comment) AS comment
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN core.attribute AS r ON r.name = a.attname AND c.relname LIKE 'dim\_%'
        LEFT JOIN core.interaction_field AS f ON c.relname = 'fct_' || f.type AND f.column_name = a.attname
        LEFT JOIN (
            VALUES {glossary}
        ) AS g (name, comment) ON g.name = a.attname
        WHERE c.relkind = 'v' AND (
                n.nspname IN ('onefold_v1', 'onefold_v1_asof')
                OR n.nspname = 'core' AND (c.relname LIKE 'served\_%' OR c.relname = 'asof_served_party')
            )
            AND col_description(c.oid, a.attnum) IS DISTINCT FROM coalesce(f.label_en, r.label_en, g.comment)
            AND coalesce(f.label_en, r.label_en, g.comment) IS NOT NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', found.view, found.attname, found.comment);
    END LOOP;
END
$$

-- name: lock
SELECT pg_advisory_xact_lock(7305118003)

-- name: interaction_types
SELECT code, label_en, detail_schema, has_lines FROM core.interaction_type ORDER BY code COLLATE "C"

-- name: interaction_fields
SELECT type, column_name, field, detail_type FROM core.interaction_field

-- name: store_interaction_field
INSERT INTO core.interaction_field (type, column_name, field, detail_type, label_en, label_ru)
VALUES (%(type)s, %(column_name)s, %(field)s, %(detail_type)s, %(label_en)s, %(label_ru)s)
ON CONFLICT (type, column_name) DO UPDATE
SET label_en = excluded.label_en, label_ru = excluded.label_ru

-- name: of_type
WHERE p.type = {type}
