-- The hub's schemas as facts (name, definition).

-- name: schemas
SELECT n.nspname::text, coalesce(obj_description(n.oid, 'pg_namespace'), '') || ' ' || coalesce(n.nspacl::text, '')
FROM pg_namespace AS n
WHERE n.nspname IN ('raw', 'identity', 'core', 'ops', 'onefold_v1', 'onefold_v1_asof')

-- name: relations
SELECT c.oid::regclass::text,
    c.relkind::text || ' ' || c.relpersistence::text || ' ' || c.relrowsecurity::text || ' '
    || coalesce(c.reloptions::text, '') || ' ' || coalesce(c.relacl::text, '') || ' '
    || coalesce(obj_description(c.oid, 'pg_class'), '')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('raw', 'identity', 'core', 'ops', 'onefold_v1', 'onefold_v1_asof') AND c.relkind IN ('r', 'v', 'm', 'p', 'S')
    AND c.relname <> 'alembic_version'

-- name: columns
SELECT c.oid::regclass::text || '.' || a.attname,
    format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text || ' ' || a.attidentity::text || ' '
    || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || ' ' || a.attcollation::regcollation::text || ' '
    || CASE WHEN c.relkind = 'v' THEN a.attnum::text ELSE '' END || ' '
    || coalesce(col_description(c.oid, a.attnum), '')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname IN ('raw', 'identity', 'core', 'ops', 'onefold_v1', 'onefold_v1_asof') AND c.relkind IN ('r', 'v', 'm', 'p')
    AND c.relname <> 'alembic_version'

-- name: constraints
SELECT c.oid::regclass::text || '.' || k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('raw', 'identity', 'core', 'ops', 'onefold_v1', 'onefold_v1_asof') AND c.relname <> 'alembic_version'

-- name: indexes
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('raw', 'identity', 'core', 'ops', 'onefold_v1', 'onefold_v1_asof') AND c.relname <> 'alembic_version'

-- name: views
SELECT c.oid::regclass::text, pg_get_viewdef(c.oid, true)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('raw', 'identity', 'core', 'ops', 'onefold_v1', 'onefold_v1_asof') AND c.relkind IN ('v', 'm')

-- name: functions
SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid) || coalesce(obj_description(p.oid, 'pg_proc'), '')
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname IN ('raw', 'identity', 'core', 'ops', 'onefold_v1', 'onefold_v1_asof')

-- name: policies
SELECT p.polrelid::regclass::text || '.' || p.polname,
    p.polcmd::text || ' ' || coalesce(pg_get_expr(p.polqual, p.polrelid), '') || ' '
    || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM pg_policy AS p

-- name: triggers
SELECT t.tgrelid::regclass::text || '.' || t.tgname, pg_get_triggerdef(t.oid)
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('raw', 'identity', 'core', 'ops', 'onefold_v1', 'onefold_v1_asof') AND NOT t.tgisinternal
