-- Row-level security of the served views (row_security.py).

-- name: is_on
SELECT coalesce((SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass('core.client')), false)

-- name: tables
-- Every table of the hub with the columns by which it may be told whose rows they are.
SELECT n.nspname || '.' || c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p')
GROUP BY n.nspname, c.relname
ORDER BY 1

-- name: enable
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY

-- name: disable
ALTER TABLE {table} DISABLE ROW LEVEL SECURITY

-- name: forget_policy
DROP POLICY IF EXISTS reader_scope ON {table}

-- name: make_policy
CREATE POLICY reader_scope ON {table} USING ((SELECT core.sees_all(current_user)) OR {condition})

-- name: leaky_views
-- Views that would show more than their reader may see: not the owner role's, or without a barrier.
SELECT n.nspname::text, c.relname::text
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_roles AS o ON o.oid = c.relowner
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind = 'v'
    AND (o.rolname <> %(owner)s OR NOT coalesce(c.reloptions, '{}') @> ARRAY['security_barrier=true'])
ORDER BY 1, 2

-- name: barred_views
SELECT n.nspname::text, c.relname::text
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind = 'v' AND c.reloptions @> ARRAY['security_barrier=true']

-- name: set_barrier
ALTER VIEW {view} SET (security_barrier = true)

-- name: reset_barrier
ALTER VIEW {view} RESET (security_barrier)

-- name: departments
SELECT source, department FROM ops.source_department

-- name: forget_departments
DELETE FROM ops.source_department

-- name: store_departments
INSERT INTO ops.source_department (source, department)
SELECT * FROM unnest(%(sources)s::text[], %(departments)s::text[])

-- name: known_departments
SELECT department FROM ops.source_department
UNION
SELECT department FROM core.interaction_type WHERE department IS NOT NULL
ORDER BY 1

-- name: role_exists
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %(role)s)

-- name: grant_department
INSERT INTO ops.reader_scope (role, department) VALUES (%(role)s, %(department)s) ON CONFLICT DO NOTHING

-- name: revoke_department
DELETE FROM ops.reader_scope WHERE role = %(role)s AND department = %(department)s

-- name: scopes
SELECT role, department FROM ops.reader_scope ORDER BY role COLLATE "C", department COLLATE "C"

-- name: move_scopes
WITH moved AS (
    DELETE FROM ops.reader_scope WHERE role = %(old)s RETURNING department
)
INSERT INTO ops.reader_scope (role, department) SELECT %(new)s, department FROM moved ON CONFLICT DO NOTHING
