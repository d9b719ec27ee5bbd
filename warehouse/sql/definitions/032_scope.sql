-- What a reader may see where row-level security is on (row_security.py makes the policies that ask these). They look
-- past every policy, so that nothing hangs on what the asking role may read itself; it cannot call them by name,
-- because it has no right to look into `core`, and who asks is told by the policy.

CREATE OR REPLACE FUNCTION core.sees_all(reader name) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog
RETURN pg_catalog.has_table_privilege(reader, 'core.client'::regclass, 'SELECT');
COMMENT ON FUNCTION core.sees_all(name) IS 'Whoever may read the tables themselves sees everything';

CREATE OR REPLACE FUNCTION core.scope_departments(reader name) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog
RETURN ARRAY(
    SELECT s.department
    FROM ops.reader_scope AS s
    JOIN pg_catalog.pg_roles AS r ON r.rolname = s.role
    WHERE pg_catalog.pg_has_role(reader, r.oid, 'USAGE')
);
COMMENT ON FUNCTION core.scope_departments(name) IS 'Departments granted to a role or to a group that it is a member of';

CREATE OR REPLACE FUNCTION core.scope_sources(reader name) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog
RETURN ARRAY(
    SELECT d.source FROM ops.source_department AS d WHERE d.department = ANY ((SELECT core.scope_departments(reader))::text[])
);
COMMENT ON FUNCTION core.scope_sources(name) IS 'Sources of the departments that a role sees';

CREATE OR REPLACE FUNCTION core.scope_types(reader name) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog
RETURN ARRAY(
    SELECT t.code FROM core.interaction_type AS t WHERE t.department = ANY ((SELECT core.scope_departments(reader))::text[])
);
COMMENT ON FUNCTION core.scope_types(name) IS 'Interaction types of the departments that a role sees';

CREATE OR REPLACE FUNCTION core.scope_marks(reader name) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog
RETURN ARRAY(
    SELECT 's:' || source FROM unnest(core.scope_sources(reader)) AS source
    UNION ALL
    SELECT 't:' || type FROM unnest(core.scope_types(reader)) AS type
);
COMMENT ON FUNCTION core.scope_marks(name) IS 'What a role sees, as core.client_scope has it';

-- Names by part and scope in one index: who sees little of a frequent name is not led through all its bearers.
DO $$
BEGIN
    CREATE INDEX IF NOT EXISTS ix_client_scope_search ON core.client_scope USING gin (display_name gin_trgm_ops, scope);
EXCEPTION WHEN undefined_object THEN
    RAISE NOTICE 'pg_trgm is not available: search by name reads the scopes of all clients';
END
$$;

-- The three below are asked by policies that were set before core.client_scope was there, until these are set anew.

CREATE OR REPLACE FUNCTION core.client_in_scope(client uuid, sources text[], types text[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog
RETURN EXISTS (
    SELECT FROM identity.crosswalk AS x
    JOIN identity.standard_record AS r ON r.record_id = x.record_id
    WHERE x.client_id = client AND r.source = ANY (sources)
) OR EXISTS (
    SELECT FROM core.interaction AS i
    WHERE i.client_id = client AND i.type = ANY (types) AND NOT i.is_deleted
) OR (
    -- Of one that is gone it was the last records that decided: whoever saw it has to learn that it is gone.
    EXISTS (SELECT FROM core.client AS c WHERE c.client_id = client AND c.is_deleted)
    AND EXISTS (
        SELECT FROM identity.crosswalk_history AS h
        JOIN raw.record AS w ON w.record_id = h.record_id
        WHERE h.client_id = client AND w.source = ANY (sources)
    )
);
COMMENT ON FUNCTION core.client_in_scope(uuid, text[], text[]) IS 'The client has a record of these sources or an interaction of these types';

CREATE OR REPLACE FUNCTION core.fact_in_scope(fact bigint, types text[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog
RETURN EXISTS (SELECT FROM core.interaction AS i WHERE i.record_id = fact AND i.type = ANY (types));
COMMENT ON FUNCTION core.fact_in_scope(bigint, text[]) IS 'The interaction is of these types';

CREATE OR REPLACE FUNCTION core.record_in_scope(record bigint, sources text[], types text[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog
RETURN core.fact_in_scope(record, types) OR EXISTS (
    SELECT FROM identity.standard_record AS r WHERE r.record_id = record AND r.source = ANY (sources)
) OR EXISTS (
    SELECT FROM identity.crosswalk AS x
    WHERE x.record_id = record AND core.client_in_scope(x.client_id, sources, types)
);
COMMENT ON FUNCTION core.record_in_scope(bigint, text[], text[]) IS 'The record is one of these sources, or of a client or interaction that is in scope';

CREATE OR REPLACE FUNCTION core.search_client(wanted text, most integer, reader name)
RETURNS TABLE (client_id uuid, kind text, role text, display_name text, record_count integer, changed_seq bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    -- Said of both: the name of who asks would give them its collation, and no index is in that.
    pattern text COLLATE "default" := '%' || regexp_replace(wanted, '([\\%_])', '\\\1', 'g') || '%';
    marks text[] COLLATE "default";
    is_enough boolean;
    found uuid[];
BEGIN
    -- Without row-level security everybody sees everything. Of a text that more bear than are looked at, those looked
    -- at are in order.
    IF core.sees_all(reader)
        OR NOT (SELECT t.relrowsecurity FROM pg_class AS t WHERE t.oid = 'core.client'::regclass)
    THEN
        RETURN QUERY
        SELECT c.client_id, c.kind, c.role, c.display_name, c.record_count, c.changed_seq
        FROM (
            SELECT n.* FROM core.client AS n
            WHERE n.display_name ILIKE pattern AND NOT n.is_deleted
            LIMIT 1000
        ) AS c
        ORDER BY c.display_name COLLATE "C", c.client_id
        LIMIT least(most, 1000);
        RETURN;
    END IF;
    marks := core.scope_marks(reader);
    -- Mostly the first who bear it tell; of a frequent text and a reader who sees little, name and scope together do.
    WITH named AS MATERIALIZED (
        SELECT s.client_id, s.display_name, s.scope && marks AS is_seen FROM core.client_scope AS s
        WHERE s.display_name ILIKE pattern
        LIMIT 3000
    )
    SELECT (SELECT count(*) < 3000 OR count(*) FILTER (WHERE n.is_seen) >= 1000 FROM named AS n), ARRAY(
        SELECT n.client_id FROM named AS n
        WHERE n.is_seen
        ORDER BY n.display_name COLLATE "C", n.client_id
        LIMIT least(most, 1000)
    )
    INTO is_enough, found;
    IF NOT is_enough THEN
        found := ARRAY(
            SELECT n.client_id
            FROM (
                SELECT s.client_id, s.display_name FROM core.client_scope AS s
                WHERE s.display_name ILIKE pattern AND s.scope && marks
                LIMIT 1000
            ) AS n
            ORDER BY n.display_name COLLATE "C", n.client_id
            LIMIT least(most, 1000)
        );
    END IF;
    RETURN QUERY
    SELECT c.client_id, c.kind, c.role, c.display_name, c.record_count, c.changed_seq FROM core.client AS c
    WHERE c.client_id = ANY (found) AND NOT c.is_deleted
    ORDER BY c.display_name COLLATE "C", c.client_id;
END
$$;
COMMENT ON FUNCTION core.search_client(text, integer, name) IS 'search_client for a reader: names and scopes are searched by one index';

CREATE OR REPLACE FUNCTION onefold_v1.search_client(wanted text, most integer DEFAULT 20)
RETURNS TABLE (client_id uuid, kind text, role text, display_name text, record_count integer, changed_seq bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    -- The name of who asks is given from here: inside a function with other rights it would be the owner's.
    SELECT s.client_id, s.kind, s.role, s.display_name, s.record_count, s.changed_seq
    FROM core.search_client(wanted, most, current_user) AS s;
END;
COMMENT ON FUNCTION onefold_v1.search_client(text, integer) IS 'Parties whose name has the text in it, by name; quick by its index, and only what the reader may see';
