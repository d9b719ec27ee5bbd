-- Helpers of the served views. Their bodies are parsed when they are made and not when they run, because a reader of
-- the views has no right to look up names in `core`. A golden value is a scalar, a list, or an object with a "v".

CREATE OR REPLACE FUNCTION core.golden_text(attributes jsonb, name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(attributes -> name)
    WHEN 'array' THEN coalesce(attributes -> name -> 0 ->> 'v', attributes -> name ->> 0)
    WHEN 'object' THEN attributes -> name ->> 'v'
    ELSE attributes ->> name
END;
COMMENT ON FUNCTION core.golden_text(jsonb, text) IS 'One golden value as text; of several the first';

CREATE OR REPLACE FUNCTION core.golden_list(attributes jsonb, name text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(attributes -> name)
    WHEN 'array' THEN ARRAY(
        SELECT coalesce(CASE WHEN jsonb_typeof(item) = 'object' THEN item ->> 'v' END, item #>> '{}')
        FROM jsonb_array_elements(attributes -> name) WITH ORDINALITY AS listed (item, n)
        ORDER BY n
    )
    WHEN 'object' THEN ARRAY[attributes -> name ->> 'v']
    ELSE array_remove(ARRAY[attributes ->> name], NULL)
END;
COMMENT ON FUNCTION core.golden_list(jsonb, text) IS 'All golden values of an attribute as text';

CREATE OR REPLACE FUNCTION core.golden_date(attributes jsonb, name text) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN core.golden_text(attributes, name) ~ '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'
    THEN make_date(
        substr(core.golden_text(attributes, name), 1, 4)::integer,
        substr(core.golden_text(attributes, name), 6, 2)::integer,
        1
    ) + (substr(core.golden_text(attributes, name), 9, 2)::integer - 1)
END;
COMMENT ON FUNCTION core.golden_date(jsonb, text) IS 'One golden value as a date; null unless it is written YYYY-MM-DD';

CREATE OR REPLACE FUNCTION core.golden_number(attributes jsonb, name text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN core.golden_text(attributes, name) ~ '^[+-]?[0-9]{1,30}([.][0-9]{1,30})?$'
    THEN core.golden_text(attributes, name)::numeric
END;
COMMENT ON FUNCTION core.golden_number(jsonb, text) IS 'One golden value as a number; null unless it is written as one';

CREATE OR REPLACE FUNCTION core.golden_boolean(attributes jsonb, name text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE lower(core.golden_text(attributes, name)) WHEN 'true' THEN true WHEN 'false' THEN false END;
COMMENT ON FUNCTION core.golden_boolean(jsonb, text) IS 'One golden value as a boolean; null unless it is true or false';

CREATE OR REPLACE FUNCTION core.detail_timestamp(detail jsonb, name text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN detail ->> name ~ (
        '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]'
        '([.][0-9]{1,6})?(Z|[+]00:00)$'
    )
    THEN make_timestamptz(
        substr(detail ->> name, 1, 4)::integer,
        substr(detail ->> name, 6, 2)::integer,
        1,
        substr(detail ->> name, 12, 2)::integer,
        substr(detail ->> name, 15, 2)::integer,
        substring(detail ->> name FROM 'T[0-9]{2}:[0-9]{2}:([0-9]{2}([.][0-9]{1,6})?)')::double precision,
        'UTC'
    ) + make_interval(days => substr(detail ->> name, 9, 2)::integer - 1)
END;
COMMENT ON FUNCTION core.detail_timestamp(jsonb, text) IS 'A field of detail as a moment; null unless it is written in UTC as the mapping writes it';

COMMENT ON TABLE ops.alembic_version IS 'The last migration that ran';
COMMENT ON COLUMN ops.alembic_version.version_num IS 'Number of the migration';
