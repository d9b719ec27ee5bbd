-- How the hub's database is doing (health.py). Nothing is read but catalogues and statistics.

-- name: tables
-- Tables of the hub and of whoever hung something on it, the largest first.
SELECT s.schemaname || '.' || s.relname AS name, pg_total_relation_size(s.relid) AS total_bytes,
    pg_table_size(s.relid) AS table_bytes, pg_indexes_size(s.relid) AS index_bytes,
    s.n_live_tup AS live_rows, s.n_dead_tup AS dead_rows,
    greatest(s.last_autovacuum, s.last_vacuum) AS vacuumed_at,
    EXISTS (SELECT FROM pg_stats AS p WHERE p.schemaname = s.schemaname AND p.tablename = s.relname) AS has_statistics,
    s.n_mod_since_analyze AS changed_rows, age(c.relfrozenxid) AS frozen_age, s.n_tup_upd AS updated_rows,
    s.n_tup_hot_upd AS updated_in_place, array_to_string(c.reloptions, ', ') AS options
FROM pg_stat_user_tables AS s
JOIN pg_class AS c ON c.oid = s.relid
ORDER BY 2 DESC, 1

-- name: unused_indexes
-- Since the statistics began; unique ones guard, whether they are read or not.
SELECT s.schemaname || '.' || s.indexrelname AS name, s.schemaname || '.' || s.relname AS on_table,
    pg_relation_size(s.indexrelid) AS bytes
FROM pg_stat_user_indexes AS s
JOIN pg_index AS i ON i.indexrelid = s.indexrelid
WHERE s.idx_scan = 0 AND NOT i.indisunique AND i.indisvalid AND pg_relation_size(s.indexrelid) >= %(bytes)s
ORDER BY 3 DESC, 1

-- name: duplicate_indexes
-- Same table, columns, order, classes, collations, condition and expressions; the one that guards nothing goes, else the younger.
SELECT n.nspname || '.' || c.relname AS name, a.indexrelid::regclass::text AS same_as, pg_relation_size(c.oid) AS bytes
FROM pg_index AS b
JOIN pg_class AS c ON c.oid = b.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_index AS a ON a.indrelid = b.indrelid AND a.indexrelid <> b.indexrelid
    AND a.indkey::text = b.indkey::text AND a.indclass::text = b.indclass::text AND a.indoption::text = b.indoption::text
    AND a.indcollation::text = b.indcollation::text
    AND coalesce(pg_get_expr(a.indpred, a.indrelid), '') = coalesce(pg_get_expr(b.indpred, b.indrelid), '')
    AND coalesce(pg_get_expr(a.indexprs, a.indrelid), '') = coalesce(pg_get_expr(b.indexprs, b.indrelid), '')
    AND (a.indisunique OR NOT b.indisunique)
    AND (NOT (a.indisunique = b.indisunique AND a.indexrelid > b.indexrelid))
WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema') AND NOT b.indisprimary
ORDER BY 1, 2

-- name: invalid_indexes
SELECT i.indexrelid::regclass::text AS name FROM pg_index AS i WHERE NOT i.indisvalid ORDER BY 1

-- name: oldest
-- Whoever keeps vacuum from removing what is dead: sessions, prepared transactions, replication slots; the oldest first.
SELECT what, name, age, seconds, is_idle FROM (
    SELECT a.pid::text AS what, coalesce(nullif(a.application_name, ''), a.backend_type) AS name,
        age(coalesce(a.backend_xmin, a.backend_xid)) AS age,
        extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds,
        a.state LIKE 'idle in transaction%%' AS is_idle
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
        AND coalesce(a.backend_xmin, a.backend_xid) IS NOT NULL AND a.backend_type <> 'autovacuum worker'
    UNION ALL
    SELECT 'prepared', p.gid, age(p.transaction), extract(epoch FROM clock_timestamp() - p.prepared)::float8, true
    FROM pg_prepared_xacts AS p
    WHERE p.database = current_database()
    UNION ALL
    SELECT 'slot', r.slot_name::text, greatest(age(r.xmin), age(r.catalog_xmin)), NULL, NOT r.active
    FROM pg_replication_slots AS r
    WHERE coalesce(r.xmin, r.catalog_xmin) IS NOT NULL
) AS holding
ORDER BY age DESC

-- name: database
SELECT pg_database_size(d.oid) AS bytes, age(d.datfrozenxid) AS frozen_age, s.stats_reset
FROM pg_database AS d
LEFT JOIN pg_stat_database AS s ON s.datid = d.oid
WHERE d.datname = current_database()

-- name: settings
-- Sizes in bytes.
SELECT name, CASE unit WHEN '8kB' THEN setting::numeric * 8192 WHEN 'kB' THEN setting::numeric * 1024 END::bigint AS bytes, setting
FROM pg_settings
WHERE name IN ('shared_buffers', 'work_mem', 'maintenance_work_mem', 'effective_cache_size', 'autovacuum',
    'track_counts', 'autovacuum_freeze_max_age')

-- name: vacuum
VACUUM (ANALYZE) {tables}
