-- name: is_owned
SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class AS c WHERE c.oid = %(table)s::regclass

-- name: index_definitions
-- Statements that drop a table's constraints and indexes, and those that make them again, as the catalogue knows them.
SELECT
    CASE WHEN k.oid IS NULL THEN format('DROP INDEX %%s', i.indexrelid::regclass)
    ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', i.indrelid::regclass, k.conname) END,
    CASE WHEN k.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
    ELSE format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', i.indrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) END
FROM pg_index AS i
LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u')
WHERE i.indrelid = %(table)s::regclass
    AND NOT EXISTS (SELECT FROM unnest(%(keep)s::text[]) AS k (name) WHERE k.name::regclass = i.indexrelid)
ORDER BY i.indexrelid

-- name: column_types
SELECT a.attname, t.typname FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped

-- name: plain_columns
SELECT attname FROM pg_attribute
WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped AND atttypid <> 'jsonb'::regtype
ORDER BY attnum

-- name: drop_rows
DELETE FROM {table} AS t WHERE {scope} AND NOT EXISTS (SELECT FROM pg_temp.new_row AS n WHERE {same})

-- name: change_rows
UPDATE {table} AS t SET {assign} FROM pg_temp.new_row AS n
WHERE {same} AND ({old_values}) IS DISTINCT FROM ({new_values})

-- name: add_rows
INSERT INTO {table} ({columns})
SELECT {new} FROM pg_temp.new_row AS n
WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE {same})

-- name: drop_these
DELETE FROM {table} AS t USING {rows} WHERE {same}

-- name: change_these
UPDATE {table} AS t SET {assign} FROM {rows} WHERE {same}

-- name: as_arrays
SELECT {columns} FROM ({query}) AS q
