-- A migration among others who read and write (migrate.py, exclusive.py, prepare.py).

-- name: wait_at_most
SELECT set_config('lock_timeout', %(milliseconds)s::bigint::text, true)

-- name: session_waits_at_most
SELECT set_config('lock_timeout', %(milliseconds)s::bigint::text, false)

-- name: finish_within
SELECT set_config('statement_timeout', %(milliseconds)s::bigint::text, true)

-- name: deadlock_timeout
-- In milliseconds.
SELECT setting::bigint FROM pg_settings WHERE name = 'deadlock_timeout'

-- name: lock_everything
-- Views first, as a query locks them before what they read. To give a view to the owner that it has changes nothing and
-- locks it; LOCK TABLE would ask whether that owner may write the tables below. What somebody holds now comes first: who
-- waits for it and has nothing yet lets its holder go on to whatever that reads next, and newcomers queue behind.
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format('ALTER VIEW %s OWNER TO %I', c.oid::regclass, pg_get_userbyid(c.relowner))
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN (
            SELECT l.relation, count(*) AS held FROM pg_locks AS l
            WHERE l.granted AND l.pid <> pg_backend_pid()
                AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
            GROUP BY l.relation
        ) AS o ON o.relation = c.oid
        WHERE n.nspname IN ('raw', 'identity', 'core', 'ops', 'onefold_v1', 'onefold_v1_asof') AND c.relkind = 'v'
        ORDER BY o.held DESC NULLS LAST, n.nspname DESC, c.relname
    LOOP
        EXECUTE statement;
    END LOOP;
    SELECT 'LOCK TABLE ' || string_agg(c.oid::regclass::text, ', ' ORDER BY n.nspname, c.relname) || ' IN ACCESS EXCLUSIVE MODE'
    INTO statement
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('raw', 'identity', 'core', 'ops') AND c.relkind IN ('r', 'p');
    EXECUTE statement;
END
$$

-- name: holders
-- Whom this process waits for, and at what. Others' statements may hold client data and are not looked at.
SELECT a.pid, a.usename::text, a.application_name, a.backend_type, a.state,
    extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS open_seconds,
    (
        SELECT l.relation::regclass::text FROM pg_locks AS l
        WHERE l.pid = %(pid)s AND NOT l.granted AND l.relation IS NOT NULL
        LIMIT 1
    ) AS waited_for
FROM unnest(pg_blocking_pids(%(pid)s)) AS b (pid)
JOIN pg_stat_activity AS a ON a.pid = b.pid
ORDER BY a.xact_start, a.pid

-- name: try_preparing
SELECT pg_try_advisory_lock(7305118004)

-- name: size
-- In bytes; null: there is no such table.
SELECT pg_table_size(to_regclass(%(table)s))

-- name: index_state
-- Whether an index can be used; no row: there is none.
SELECT i.indisvalid FROM pg_index AS i WHERE i.indexrelid = to_regclass(%(name)s)

-- name: drop_index
DROP INDEX CONCURRENTLY {name}
