-- name: row_versions
SELECT ctid::text, xmin::text, xmax::text FROM {table}

-- name: rows
SELECT line
FROM (
    SELECT (
        to_jsonb(t) - {without}::text[] || jsonb_strip_nulls(jsonb_build_object('#', {number}, 'is_open', {is_open}))
    )::text AS line
    FROM {table} AS t
    WHERE {condition}
) AS dumped
ORDER BY line COLLATE "C"
