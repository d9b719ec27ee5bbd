-- Search by part of a name: a trigram index where the server has the extension and lets us create it.

DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX IF NOT EXISTS ix_client_display_name ON core.client USING gin (display_name gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
    RAISE NOTICE 'pg_trgm is not available: search by name reads all clients';
END
$$;
