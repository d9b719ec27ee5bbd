--
-- PostgreSQL database dump
--


-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: core; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA core;


--
-- Name: identity; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA identity;


--
-- Name: onefold_v1; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA onefold_v1;


--
-- Name: ops; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA ops;


--
-- Name: raw; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA raw;


--
-- Name: golden_text(jsonb, text); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core.golden_text(attributes jsonb, name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE jsonb_typeof((attributes -> name)) WHEN 'array'::text THEN COALESCE((((attributes -> name) -> 0) ->> 'v'::text), ((attributes -> name) ->> 0)) WHEN 'object'::text THEN ((attributes -> name) ->> 'v'::text) ELSE (attributes ->> name) END;


--
-- Name: golden_boolean(jsonb, text); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core.golden_boolean(attributes jsonb, name text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE lower(core.golden_text(attributes, name)) WHEN 'true'::text THEN true WHEN 'false'::text THEN false ELSE NULL::boolean END;


--
-- Name: golden_date(jsonb, text); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core.golden_date(attributes jsonb, name text) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (core.golden_text(attributes, name) ~ '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'::text) THEN (make_date((substr(core.golden_text(attributes, name), 1, 4))::integer, (substr(core.golden_text(attributes, name), 6, 2))::integer, 1) + ((substr(core.golden_text(attributes, name), 9, 2))::integer - 1)) ELSE NULL::date END;


--
-- Name: golden_list(jsonb, text); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core.golden_list(attributes jsonb, name text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE jsonb_typeof((attributes -> name)) WHEN 'array'::text THEN ARRAY(SELECT COALESCE(CASE WHEN (jsonb_typeof(listed.item) = 'object'::text) THEN (listed.item ->> 'v'::text) ELSE NULL::text END, (listed.item #>> '{}'::text[])) AS "coalesce" FROM jsonb_array_elements((golden_list.attributes -> golden_list.name)) WITH ORDINALITY listed(item, n) ORDER BY listed.n) WHEN 'object'::text THEN ARRAY[((attributes -> name) ->> 'v'::text)] ELSE array_remove(ARRAY[(attributes ->> name)], NULL::text) END;


--
-- Name: golden_number(jsonb, text); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core.golden_number(attributes jsonb, name text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (core.golden_text(attributes, name) ~ '^[+-]?[0-9]{1,30}([.][0-9]{1,30})?$'::text) THEN (core.golden_text(attributes, name))::numeric ELSE NULL::numeric END;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: attribute; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.attribute (
    name text NOT NULL,
    kind text DEFAULT 'any'::text NOT NULL,
    type text DEFAULT 'text'::text NOT NULL,
    is_multi boolean DEFAULT false NOT NULL,
    label_en text NOT NULL,
    label_ru text,
    personal_data text,
    CONSTRAINT ck_attribute_kind CHECK ((kind = ANY (ARRAY['person'::text, 'organisation'::text, 'any'::text])))
);


--
-- Name: client; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.client (
    client_id uuid NOT NULL,
    kind text NOT NULL,
    role text NOT NULL,
    display_name text,
    attributes jsonb NOT NULL,
    lineage jsonb NOT NULL,
    record_count integer NOT NULL,
    golden_hash uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    changed_seq bigint NOT NULL,
    is_deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT ck_client_kind CHECK ((kind = ANY (ARRAY['person'::text, 'organisation'::text]))),
    CONSTRAINT ck_client_role CHECK ((role = ANY (ARRAY['client'::text, 'prospect'::text, 'supplier'::text, 'staff'::text, 'authority'::text])))
);


--
-- Name: client_history; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.client_history (
    client_id uuid NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_to timestamp with time zone,
    kind text NOT NULL,
    role text NOT NULL,
    display_name text,
    attributes jsonb NOT NULL,
    lineage jsonb NOT NULL,
    record_count integer NOT NULL,
    golden_hash uuid NOT NULL,
    changed_seq bigint NOT NULL,
    is_deleted boolean DEFAULT false NOT NULL
);


--
-- Name: interaction; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.interaction (
    record_id bigint NOT NULL,
    source text NOT NULL,
    stream text NOT NULL,
    source_key text NOT NULL,
    type text NOT NULL,
    party_record_id bigint,
    occurred_at timestamp with time zone,
    occurred_on date,
    time_zone text,
    "precision" text,
    channel text,
    direction text,
    document_number text,
    summary text,
    amount numeric,
    currency text,
    parent_record_id bigint,
    reverses_record_id bigint,
    url text,
    detail jsonb NOT NULL,
    content_hash uuid NOT NULL,
    client_id uuid,
    changed_seq bigint,
    is_deleted boolean DEFAULT false NOT NULL,
    CONSTRAINT ck_interaction_direction CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text, 'internal'::text]))),
    CONSTRAINT ck_interaction_precision CHECK (("precision" = ANY (ARRAY['day'::text, 'minute'::text, 'second'::text])))
);


--
-- Name: interaction_line; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.interaction_line (
    record_id bigint NOT NULL,
    "position" integer NOT NULL,
    item_code text,
    item_name text,
    quantity numeric,
    unit text,
    unit_price numeric,
    amount numeric
);


--
-- Name: interaction_record_id_seq; Type: SEQUENCE; Schema: core; Owner: -
--

CREATE SEQUENCE core.interaction_record_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: interaction_record_id_seq; Type: SEQUENCE OWNED BY; Schema: core; Owner: -
--

ALTER SEQUENCE core.interaction_record_id_seq OWNED BY core.interaction.record_id;


--
-- Name: interaction_type; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.interaction_type (
    code text NOT NULL,
    department text,
    label_en text NOT NULL,
    label_ru text,
    direction text,
    detail_schema jsonb DEFAULT '{}'::jsonb NOT NULL,
    money text DEFAULT 'none'::text NOT NULL,
    tax text,
    CONSTRAINT ck_interaction_type_direction CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text, 'internal'::text]))),
    CONSTRAINT ck_interaction_type_money CHECK ((money = ANY (ARRAY['quoted'::text, 'ordered'::text, 'invoiced'::text, 'paid'::text, 'credited'::text, 'none'::text]))),
    CONSTRAINT ck_interaction_type_tax CHECK ((tax = ANY (ARRAY['net'::text, 'gross'::text])))
);


--
-- Name: promise; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.promise (
    promise_key bigint NOT NULL,
    record_id bigint NOT NULL,
    kind text NOT NULL,
    due_on date,
    actual_on date,
    due_value numeric,
    actual_value numeric
);


--
-- Name: promise_promise_key_seq; Type: SEQUENCE; Schema: core; Owner: -
--

ALTER TABLE core.promise ALTER COLUMN promise_key ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME core.promise_promise_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: relationship; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.relationship (
    relationship_key bigint NOT NULL,
    record_id bigint NOT NULL,
    from_record_id bigint NOT NULL,
    to_record_id bigint NOT NULL,
    type text NOT NULL,
    role text,
    valid_from date,
    valid_to date,
    changed_seq bigint,
    is_deleted boolean DEFAULT false NOT NULL
);


--
-- Name: relationship_relationship_key_seq; Type: SEQUENCE; Schema: core; Owner: -
--

ALTER TABLE core.relationship ALTER COLUMN relationship_key ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME core.relationship_relationship_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: served_party; Type: VIEW; Schema: core; Owner: -
--

CREATE VIEW core.served_party AS
 SELECT client_id,
    kind,
    role,
    display_name,
    core.golden_text(attributes, 'given_name'::text) AS given_name,
    core.golden_text(attributes, 'middle_name'::text) AS middle_name,
    core.golden_text(attributes, 'family_name'::text) AS family_name,
    core.golden_date(attributes, 'birth_date'::text) AS birth_date,
    core.golden_text(attributes, 'gender'::text) AS gender,
    core.golden_text(attributes, 'legal_name'::text) AS legal_name,
    core.golden_text(attributes, 'inn'::text) AS inn,
    core.golden_text(attributes, 'kpp'::text) AS kpp,
    core.golden_text(attributes, 'ogrn'::text) AS ogrn,
    core.golden_text(attributes, 'vat'::text) AS vat,
    core.golden_text(attributes, 'email'::text) AS email,
    core.golden_list(attributes, 'email'::text) AS emails,
    core.golden_text(attributes, 'phone'::text) AS phone,
    core.golden_list(attributes, 'phone'::text) AS phones,
    core.golden_text(attributes, 'domain'::text) AS domain,
    core.golden_text(attributes, 'country'::text) AS country,
    core.golden_text(attributes, 'region'::text) AS region,
    core.golden_text(attributes, 'city'::text) AS city,
    core.golden_text(attributes, 'street'::text) AS street,
    core.golden_text(attributes, 'house'::text) AS house,
    core.golden_text(attributes, 'postcode'::text) AS postcode,
    record_count,
    attributes,
    valid_from,
    changed_seq,
    is_deleted
   FROM core.client c;


--
-- Name: served_party_history; Type: VIEW; Schema: core; Owner: -
--

CREATE VIEW core.served_party_history AS
 SELECT client_id,
    valid_from,
    valid_to,
    kind,
    role,
    display_name,
    core.golden_text(attributes, 'given_name'::text) AS given_name,
    core.golden_text(attributes, 'middle_name'::text) AS middle_name,
    core.golden_text(attributes, 'family_name'::text) AS family_name,
    core.golden_date(attributes, 'birth_date'::text) AS birth_date,
    core.golden_text(attributes, 'gender'::text) AS gender,
    core.golden_text(attributes, 'legal_name'::text) AS legal_name,
    core.golden_text(attributes, 'inn'::text) AS inn,
    core.golden_text(attributes, 'kpp'::text) AS kpp,
    core.golden_text(attributes, 'ogrn'::text) AS ogrn,
    core.golden_text(attributes, 'vat'::text) AS vat,
    core.golden_text(attributes, 'email'::text) AS email,
    core.golden_list(attributes, 'email'::text) AS emails,
    core.golden_text(attributes, 'phone'::text) AS phone,
    core.golden_list(attributes, 'phone'::text) AS phones,
    core.golden_text(attributes, 'domain'::text) AS domain,
    core.golden_text(attributes, 'country'::text) AS country,
    core.golden_text(attributes, 'region'::text) AS region,
    core.golden_text(attributes, 'city'::text) AS city,
    core.golden_text(attributes, 'street'::text) AS street,
    core.golden_text(attributes, 'house'::text) AS house,
    core.golden_text(attributes, 'postcode'::text) AS postcode,
    record_count,
    attributes,
    changed_seq,
    is_deleted
   FROM core.client_history h;


--
-- Name: blocking_key; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.blocking_key (
    key bigint NOT NULL,
    record_id bigint NOT NULL
);


--
-- Name: child_link; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.child_link (
    child_record_id bigint NOT NULL,
    parent_record_id bigint NOT NULL
);


--
-- Name: client_id_ledger; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.client_id_ledger (
    id bigint NOT NULL,
    client_id uuid NOT NULL,
    event text NOT NULL,
    at timestamp with time zone NOT NULL,
    target_client_id uuid,
    founding_key text NOT NULL,
    mint_number integer NOT NULL,
    run_id bigint,
    CONSTRAINT ck_client_id_ledger_event CHECK ((event = ANY (ARRAY['mint'::text, 'redirect'::text, 'retire'::text, 'revive'::text])))
);


--
-- Name: client_id_ledger_id_seq; Type: SEQUENCE; Schema: identity; Owner: -
--

ALTER TABLE identity.client_id_ledger ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME identity.client_id_ledger_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: crosswalk; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.crosswalk (
    record_id bigint NOT NULL,
    client_id uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    changed_seq bigint NOT NULL
);


--
-- Name: crosswalk_history; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.crosswalk_history (
    record_id bigint NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_to timestamp with time zone,
    client_id uuid NOT NULL,
    ended_seq bigint
);


--
-- Name: crosswalk_record_id_seq; Type: SEQUENCE; Schema: identity; Owner: -
--

CREATE SEQUENCE identity.crosswalk_record_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: crosswalk_record_id_seq; Type: SEQUENCE OWNED BY; Schema: identity; Owner: -
--

ALTER SEQUENCE identity.crosswalk_record_id_seq OWNED BY identity.crosswalk.record_id;


--
-- Name: identifier; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.identifier (
    record_id bigint NOT NULL,
    type text NOT NULL,
    value text NOT NULL,
    is_valid boolean NOT NULL,
    invalid_reason text
);


--
-- Name: judgement; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.judgement (
    judgement_id bigint NOT NULL,
    verdict text NOT NULL,
    left_ids bigint[] NOT NULL,
    right_ids bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    relationship text,
    attribute text,
    value jsonb,
    policy text,
    until date,
    lifts bigint,
    reason text,
    decided_by text NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_judgement_policy CHECK ((policy = ANY (ARRAY['pin'::text, 'until_source_changes'::text, 'until_date'::text, 'fill_if_empty'::text]))),
    CONSTRAINT ck_judgement_verdict CHECK ((verdict = ANY (ARRAY['same'::text, 'not_same'::text, 'related'::text, 'cannot_tell'::text, 'pin'::text, 'lift'::text])))
);


--
-- Name: judgement_judgement_id_seq; Type: SEQUENCE; Schema: identity; Owner: -
--

ALTER TABLE identity.judgement ALTER COLUMN judgement_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME identity.judgement_judgement_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: model; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.model (
    version integer NOT NULL,
    kind text NOT NULL,
    body jsonb NOT NULL,
    is_current boolean DEFAULT false NOT NULL,
    fingerprint uuid NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: model_version_seq; Type: SEQUENCE; Schema: identity; Owner: -
--

CREATE SEQUENCE identity.model_version_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: model_version_seq; Type: SEQUENCE OWNED BY; Schema: identity; Owner: -
--

ALTER SEQUENCE identity.model_version_seq OWNED BY identity.model.version;


--
-- Name: pair; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.pair (
    left_id bigint NOT NULL,
    right_id bigint NOT NULL,
    weight integer NOT NULL,
    model_version integer NOT NULL
);


--
-- Name: review_case; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.review_case (
    fingerprint uuid NOT NULL,
    kind text NOT NULL,
    record_ids bigint[] NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    weight integer,
    impact bigint DEFAULT 0 NOT NULL,
    evidence jsonb NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    judgement_id bigint,
    CONSTRAINT ck_review_case_status CHECK ((status = ANY (ARRAY['open'::text, 'closed'::text, 'decided'::text])))
);


--
-- Name: standard_record; Type: TABLE; Schema: identity; Owner: -
--

CREATE TABLE identity.standard_record (
    record_id bigint NOT NULL,
    source text NOT NULL,
    stream text NOT NULL,
    source_key text NOT NULL,
    kind text NOT NULL,
    role text NOT NULL,
    is_own boolean NOT NULL,
    full_name text,
    full_latin text,
    given_name text,
    given_latin text,
    middle_name text,
    middle_latin text,
    family_name text,
    family_latin text,
    birth_date date,
    gender text,
    org_name text,
    org_latin text,
    legal_form text,
    country text,
    region text,
    city text,
    street text,
    house text,
    postcode text,
    attributes jsonb NOT NULL,
    source_updated_at timestamp with time zone,
    content_hash uuid NOT NULL,
    CONSTRAINT ck_standard_record_kind CHECK ((kind = ANY (ARRAY['person'::text, 'organisation'::text]))),
    CONSTRAINT ck_standard_record_role CHECK ((role = ANY (ARRAY['client'::text, 'prospect'::text, 'supplier'::text, 'staff'::text, 'authority'::text])))
);


--
-- Name: standard_record_record_id_seq; Type: SEQUENCE; Schema: identity; Owner: -
--

CREATE SEQUENCE identity.standard_record_record_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: standard_record_record_id_seq; Type: SEQUENCE OWNED BY; Schema: identity; Owner: -
--

ALTER SEQUENCE identity.standard_record_record_id_seq OWNED BY identity.standard_record.record_id;


--
-- Name: bridge_relationship; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.bridge_relationship AS
 SELECT r.relationship_key,
    f.client_id AS from_client_id,
    t.client_id AS to_client_id,
    r.type,
    r.role AS role_in_words,
    r.valid_from AS valid_from_on,
    r.valid_to AS valid_to_on,
    r.record_id,
    r.from_record_id,
    r.to_record_id,
    r.changed_seq,
    r.is_deleted
   FROM ((core.relationship r
     LEFT JOIN identity.crosswalk f ON ((f.record_id = r.from_record_id)))
     LEFT JOIN identity.crosswalk t ON ((t.record_id = r.to_record_id)));


--
-- Name: change_event; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.change_event (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    client_id uuid,
    payload jsonb NOT NULL,
    CONSTRAINT ck_change_event_kind CHECK ((kind = ANY (ARRAY['created'::text, 'changed'::text, 'redirected'::text, 'retired'::text, 'revived'::text, 'links'::text, 'facts'::text])))
);


--
-- Name: change_feed; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.change_feed AS
 SELECT id AS changed_seq,
    at AS changed_at,
    kind AS change,
    client_id,
    payload,
    false AS is_deleted
   FROM ops.change_event e;


--
-- Name: record; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.record (
    record_id bigint NOT NULL,
    source text NOT NULL,
    stream text NOT NULL,
    source_key text NOT NULL,
    payload jsonb NOT NULL,
    payload_hash uuid NOT NULL,
    is_deleted boolean DEFAULT false NOT NULL,
    is_deletion_inferred boolean DEFAULT false NOT NULL,
    source_updated_at timestamp with time zone,
    ingested_at timestamp with time zone NOT NULL,
    run_id bigint NOT NULL
);


--
-- Name: client_field_lineage; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.client_field_lineage AS
 SELECT c.client_id,
    f.attribute,
    (c.attributes -> f.attribute) AS value,
    ((f.lineage ->> 'record_id'::text))::bigint AS record_id,
    (f.lineage ->> 'rule'::text) AS rule,
    (f.lineage -> 'losers'::text) AS losers,
    f.lineage,
    c.changed_seq,
    c.is_deleted,
    w.source,
    w.stream,
    w.source_key
   FROM ((core.client c
     CROSS JOIN LATERAL ( SELECT e.key AS attribute,
            item.value AS lineage
           FROM (jsonb_each(c.lineage) e(key, value)
             CROSS JOIN LATERAL jsonb_array_elements(
                CASE
                    WHEN (jsonb_typeof(e.value) = 'array'::text) THEN e.value
                    ELSE jsonb_build_array(e.value)
                END) item(value))) f)
     LEFT JOIN raw.record w ON ((w.record_id = ((f.lineage ->> 'record_id'::text))::bigint)));


--
-- Name: dim_client; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.dim_client AS
 SELECT client_id,
    kind,
    role,
    display_name,
    given_name,
    middle_name,
    family_name,
    birth_date,
    gender,
    legal_name,
    inn,
    kpp,
    ogrn,
    vat,
    email,
    emails,
    phone,
    phones,
    domain,
    country,
    region,
    city,
    street,
    house,
    postcode,
    record_count,
    attributes,
    valid_from,
    changed_seq,
    is_deleted,
    core.golden_text(attributes, 'segment'::text) AS segment
   FROM core.served_party p
  WHERE (role = ANY (ARRAY['client'::text, 'prospect'::text]));


--
-- Name: dim_client_history; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.dim_client_history AS
 SELECT client_id,
    valid_from,
    valid_to,
    kind,
    role,
    display_name,
    given_name,
    middle_name,
    family_name,
    birth_date,
    gender,
    legal_name,
    inn,
    kpp,
    ogrn,
    vat,
    email,
    emails,
    phone,
    phones,
    domain,
    country,
    region,
    city,
    street,
    house,
    postcode,
    record_count,
    attributes,
    changed_seq,
    is_deleted,
    core.golden_text(attributes, 'segment'::text) AS segment
   FROM core.served_party_history p;


--
-- Name: dim_interaction_type; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.dim_interaction_type AS
 SELECT code AS type,
    department,
    label_en,
    label_ru,
    direction,
    money,
    tax,
    detail_schema,
    (0)::bigint AS changed_seq,
    false AS is_deleted
   FROM core.interaction_type t;


--
-- Name: dim_party; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.dim_party AS
 SELECT client_id,
    kind,
    role,
    display_name,
    given_name,
    middle_name,
    family_name,
    birth_date,
    gender,
    legal_name,
    inn,
    kpp,
    ogrn,
    vat,
    email,
    emails,
    phone,
    phones,
    domain,
    country,
    region,
    city,
    street,
    house,
    postcode,
    record_count,
    attributes,
    valid_from,
    changed_seq,
    is_deleted,
    core.golden_text(attributes, 'segment'::text) AS segment
   FROM core.served_party p;


--
-- Name: fct_interaction; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.fct_interaction AS
 SELECT record_id,
    client_id,
    type,
    occurred_at,
    occurred_on,
    time_zone,
    "precision",
    channel,
    direction,
    document_number,
    summary,
    amount,
    currency,
    detail,
    party_record_id,
    parent_record_id,
    reverses_record_id,
    source,
    stream,
    source_key,
    url,
    changed_seq,
    is_deleted
   FROM core.interaction i;


--
-- Name: fct_interaction_line; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.fct_interaction_line AS
 SELECT l.record_id,
    l."position",
    i.client_id,
    i.type,
    i.occurred_on,
    l.item_code,
    l.item_name,
    l.quantity,
    l.unit,
    l.unit_price,
    l.amount,
    i.currency,
    i.changed_seq,
    i.is_deleted
   FROM (core.interaction_line l
     JOIN core.interaction i ON ((i.record_id = l.record_id)));


--
-- Name: fct_promise; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.fct_promise AS
 SELECT p.promise_key,
    p.record_id,
    i.client_id,
    i.type,
    p.kind,
    p.due_on,
    p.actual_on,
    p.due_value,
    p.actual_value,
        CASE
            WHEN ((p.due_on IS NOT NULL) AND (p.actual_on IS NOT NULL)) THEN (p.actual_on <= p.due_on)
            WHEN ((p.due_value IS NOT NULL) AND (p.actual_value IS NOT NULL)) THEN (p.actual_value >= p.due_value)
            ELSE NULL::boolean
        END AS is_kept,
    (p.actual_on - p.due_on) AS days_late,
    (p.due_value - p.actual_value) AS value_missed,
    i.changed_seq,
    i.is_deleted
   FROM (core.promise p
     JOIN core.interaction i ON ((i.record_id = p.record_id)));


--
-- Name: hub_clock; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.hub_clock (
    only_row boolean DEFAULT true NOT NULL,
    last_as_of timestamp with time zone,
    last_event_id bigint DEFAULT 0 NOT NULL,
    CONSTRAINT ck_hub_clock_only_row CHECK (only_row)
);


--
-- Name: run; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.run (
    run_id bigint NOT NULL,
    command text NOT NULL,
    source text,
    status text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    report jsonb,
    CONSTRAINT ck_run_status CHECK ((status = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text, 'deferred'::text, 'stopped'::text])))
);


--
-- Name: meta_dataset; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.meta_dataset AS
 WITH last_run AS (
         SELECT max(run.finished_at) FILTER (WHERE ((run.command = 'publish'::text) AND (run.status = 'done'::text))) AS published_at,
            max(run.finished_at) FILTER (WHERE ((run.command = 'sync'::text) AND (run.status = 'done'::text))) AS synced_at
           FROM ops.run
        ), clock AS (
         SELECT COALESCE(max(hub_clock.last_event_id), (0)::bigint) AS changed_seq
           FROM ops.hub_clock
        )
 SELECT d.dataset,
    d.rows,
    d.last_changed_at,
    last_run.published_at,
    last_run.synced_at,
    clock.changed_seq,
    false AS is_deleted
   FROM ((( SELECT 'dim_party'::text AS dataset,
            ( SELECT count(*) AS count
                   FROM core.client) AS rows,
            ( SELECT max(client.valid_from) AS max
                   FROM core.client) AS last_changed_at
        UNION ALL
         SELECT 'dim_client'::text,
            ( SELECT count(*) AS count
                   FROM core.client
                  WHERE (client.role = ANY (ARRAY['client'::text, 'prospect'::text]))) AS count,
            ( SELECT max(client.valid_from) AS max
                   FROM core.client
                  WHERE (client.role = ANY (ARRAY['client'::text, 'prospect'::text]))) AS max
        UNION ALL
         SELECT 'xref_client_record'::text,
            ( SELECT count(*) AS count
                   FROM identity.crosswalk) AS count,
            ( SELECT max(crosswalk.since) AS max
                   FROM identity.crosswalk) AS max
        UNION ALL
         SELECT 'fct_interaction'::text,
            ( SELECT count(*) AS count
                   FROM core.interaction) AS count,
            ( SELECT max(change_event.at) AS max
                   FROM ops.change_event
                  WHERE (change_event.kind = 'facts'::text)) AS max
        UNION ALL
         SELECT 'bridge_relationship'::text,
            ( SELECT count(*) AS count
                   FROM core.relationship) AS count,
            ( SELECT max(change_event.at) AS max
                   FROM ops.change_event
                  WHERE (change_event.kind = 'facts'::text)) AS max) d
     CROSS JOIN last_run)
     CROSS JOIN clock);


--
-- Name: xref_client_record; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.xref_client_record AS
 SELECT x.client_id,
    x.record_id,
    r.source,
    r.stream,
    r.source_key,
    r.kind,
    r.role,
    core.golden_text(r.attributes, 'url'::text) AS url,
    x.since AS valid_from,
    x.changed_seq,
    false AS is_deleted
   FROM (identity.crosswalk x
     JOIN identity.standard_record r ON ((r.record_id = x.record_id)))
UNION ALL
 SELECT h.client_id,
    h.record_id,
    w.source,
    w.stream,
    w.source_key,
    NULL::text AS kind,
    NULL::text AS role,
    NULL::text AS url,
    h.valid_from,
    h.ended_seq AS changed_seq,
    true AS is_deleted
   FROM (identity.crosswalk_history h
     JOIN raw.record w ON ((w.record_id = h.record_id)))
  WHERE ((h.ended_seq IS NOT NULL) AND (NOT (EXISTS ( SELECT
           FROM identity.crosswalk x
          WHERE (x.record_id = h.record_id)))) AND (NOT (EXISTS ( SELECT
           FROM identity.crosswalk_history later
          WHERE ((later.record_id = h.record_id) AND (later.valid_from > h.valid_from))))));


--
-- Name: xref_client_redirect; Type: VIEW; Schema: onefold_v1; Owner: -
--

CREATE VIEW onefold_v1.xref_client_redirect AS
 WITH RECURSIVE latest AS (
         SELECT DISTINCT ON (l.client_id) l.client_id,
            l.event,
            l.target_client_id,
            l.at
           FROM identity.client_id_ledger l
          WHERE (l.event <> 'mint'::text)
          ORDER BY l.client_id, l.id DESC
        ), step AS (
         SELECT latest.client_id AS old_client_id,
            latest.target_client_id AS client_id,
            latest.at,
            1 AS steps
           FROM latest
          WHERE (latest.event = 'redirect'::text)
        UNION ALL
         SELECT s_1.old_client_id,
            l.target_client_id,
            s_1.at,
            (s_1.steps + 1)
           FROM (step s_1
             JOIN latest l ON (((l.client_id = s_1.client_id) AND (l.event = 'redirect'::text))))
          WHERE (s_1.steps < 100)
        )
 SELECT DISTINCT ON (s.old_client_id) s.old_client_id,
    s.client_id,
    s.at AS redirected_at,
    GREATEST(c.changed_seq, t.changed_seq) AS changed_seq,
    false AS is_deleted
   FROM ((step s
     LEFT JOIN core.client c ON ((c.client_id = s.old_client_id)))
     LEFT JOIN core.client t ON ((t.client_id = s.client_id)))
  ORDER BY s.old_client_id, s.steps DESC;


--
-- Name: alembic_version; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: change_event_id_seq; Type: SEQUENCE; Schema: ops; Owner: -
--

CREATE SEQUENCE ops.change_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: change_event_id_seq; Type: SEQUENCE OWNED BY; Schema: ops; Owner: -
--

ALTER SEQUENCE ops.change_event_id_seq OWNED BY ops.change_event.id;


--
-- Name: checkpoint; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.checkpoint (
    source text NOT NULL,
    stream text NOT NULL,
    state jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    run_id bigint NOT NULL
);


--
-- Name: definition; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.definition (
    kind text NOT NULL,
    name text NOT NULL,
    fingerprint uuid NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: pending; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.pending (
    step text NOT NULL,
    id bigint NOT NULL,
    record_id bigint NOT NULL,
    CONSTRAINT ck_pending_step CHECK ((step = ANY (ARRAY['standardise'::text, 'resolve'::text, 'publish'::text])))
);


--
-- Name: pending_id_seq; Type: SEQUENCE; Schema: ops; Owner: -
--

ALTER TABLE ops.pending ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.pending_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: reject; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.reject (
    fingerprint uuid NOT NULL,
    source text NOT NULL,
    stream text NOT NULL,
    source_key text,
    record_id bigint,
    step text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    place text NOT NULL,
    path text,
    payload bytea NOT NULL,
    run_id bigint NOT NULL,
    first_at timestamp with time zone NOT NULL,
    is_open boolean DEFAULT true NOT NULL,
    is_retried boolean DEFAULT false NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT ck_reject_step CHECK ((step = ANY (ARRAY['sync'::text, 'standardise'::text])))
);


--
-- Name: run_run_id_seq; Type: SEQUENCE; Schema: ops; Owner: -
--

ALTER TABLE ops.run ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.run_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: sweep_mark; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.sweep_mark (
    id bigint NOT NULL,
    source text NOT NULL,
    stream text NOT NULL,
    pass_id text NOT NULL,
    record_ids bigint[] NOT NULL
);


--
-- Name: sweep_mark_id_seq; Type: SEQUENCE; Schema: ops; Owner: -
--

ALTER TABLE ops.sweep_mark ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.sweep_mark_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: record_record_id_seq; Type: SEQUENCE; Schema: raw; Owner: -
--

CREATE SEQUENCE raw.record_record_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: record_record_id_seq; Type: SEQUENCE OWNED BY; Schema: raw; Owner: -
--

ALTER SEQUENCE raw.record_record_id_seq OWNED BY raw.record.record_id;


--
-- Name: record_version; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.record_version (
    version_key bigint NOT NULL,
    record_id bigint NOT NULL,
    payload jsonb NOT NULL,
    payload_hash uuid NOT NULL,
    is_deleted boolean NOT NULL,
    is_deletion_inferred boolean NOT NULL,
    source_updated_at timestamp with time zone,
    ingested_at timestamp with time zone NOT NULL,
    superseded_at timestamp with time zone NOT NULL,
    run_id bigint NOT NULL
);


--
-- Name: record_version_version_key_seq; Type: SEQUENCE; Schema: raw; Owner: -
--

ALTER TABLE raw.record_version ALTER COLUMN version_key ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME raw.record_version_version_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: interaction record_id; Type: DEFAULT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.interaction ALTER COLUMN record_id SET DEFAULT nextval('core.interaction_record_id_seq'::regclass);


--
-- Name: crosswalk record_id; Type: DEFAULT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.crosswalk ALTER COLUMN record_id SET DEFAULT nextval('identity.crosswalk_record_id_seq'::regclass);


--
-- Name: model version; Type: DEFAULT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.model ALTER COLUMN version SET DEFAULT nextval('identity.model_version_seq'::regclass);


--
-- Name: standard_record record_id; Type: DEFAULT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.standard_record ALTER COLUMN record_id SET DEFAULT nextval('identity.standard_record_record_id_seq'::regclass);


--
-- Name: change_event id; Type: DEFAULT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.change_event ALTER COLUMN id SET DEFAULT nextval('ops.change_event_id_seq'::regclass);


--
-- Name: record record_id; Type: DEFAULT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.record ALTER COLUMN record_id SET DEFAULT nextval('raw.record_record_id_seq'::regclass);


--
-- Data for Name: attribute; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.attribute (name, kind, type, is_multi, label_en, label_ru, personal_data) FROM stdin;
segment	any	text	f	Segment	\N	none
\.


--
-- Data for Name: client; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.client (client_id, kind, role, display_name, attributes, lineage, record_count, golden_hash, valid_from, changed_seq, is_deleted) FROM stdin;
167a8df8-b175-5a3d-90e8-557b1642adcc	person	client	Peter Brandt	{"email": ["p.brandt@mail.example"], "phone": ["+492212210"], "full_name": "Peter Brandt", "given_name": "Peter", "family_name": "Brandt"}	{"email": {"rule": "all", "values": [{"value": "p.brandt@mail.example", "record_id": 7519522108815331909}], "record_id": 7519522108815331909}, "phone": {"rule": "all", "values": [{"value": "+492212210", "record_id": 7519522108815331909}], "record_id": 7519522108815331909}, "full_name": {"rule": "only", "group": "name", "record_id": 7519522108815331909}, "given_name": {"rule": "only", "group": "name", "derived": "full_name", "record_id": 7519522108815331909}, "family_name": {"rule": "only", "group": "name", "derived": "full_name", "record_id": 7519522108815331909}}	1	df0cc868-3f99-305d-9557-1202fc7635b2	2026-11-28 12:10:41.000612+00	2	f
2ecce4c6-1042-5329-a72b-efc3939e92c1	person	client	Maria Keller	{"city": "Munich", "email": ["maria@keller.example"], "phone": ["+49892180"], "segment": "retail", "full_name": "Maria Keller", "birth_date": "1990-07-25", "given_name": "Maria", "family_name": "Keller"}	{"city": {"rule": "only", "group": "address", "record_id": -3633422425620241237}, "email": {"rule": "all", "values": [{"value": "maria@keller.example", "record_id": -3633422425620241237}], "record_id": -3633422425620241237}, "phone": {"rule": "all", "values": [{"value": "+49892180", "record_id": -3633422425620241237}], "record_id": -3633422425620241237}, "segment": {"rule": "only", "record_id": -3633422425620241237}, "full_name": {"rule": "only", "group": "name", "derived": "parts", "record_id": -3633422425620241237}, "birth_date": {"rule": "only", "record_id": -3633422425620241237}, "given_name": {"rule": "only", "group": "name", "record_id": -3633422425620241237}, "family_name": {"rule": "only", "group": "name", "record_id": -3633422425620241237}}	1	2c65fd83-c676-83e3-3ef9-b3a483555ad0	2026-11-28 12:10:41.000612+00	3	f
51b3050d-565a-5266-aac3-56b5c4575516	person	client	Jonas Fischer	{"city": "Hamburg", "email": ["j.fischer@mail.example", "jonas@fischer.example"], "phone": ["+4915123456789"], "segment": "wholesale", "full_name": "Jonas Fischer", "birth_date": "1979-11-02", "given_name": "Jonas", "family_name": "Fischer"}	{"city": {"rule": "only", "group": "address", "record_id": -7884696123852520042}, "email": {"rule": "all", "values": [{"value": "j.fischer@mail.example", "record_id": -7884696123852520042}, {"value": "jonas@fischer.example", "record_id": 8343923905826488325}], "record_id": -7884696123852520042}, "phone": {"rule": "all", "values": [{"value": "+4915123456789", "record_id": -7884696123852520042}], "record_id": -7884696123852520042}, "segment": {"rule": "only", "record_id": -7884696123852520042}, "full_name": {"rule": "trust", "group": "name", "losers": [{"value": "Fischer Jonas", "reason": "trust", "record_id": 8343923905826488325}], "derived": "parts", "record_id": -7884696123852520042}, "birth_date": {"rule": "only", "record_id": -7884696123852520042}, "given_name": {"rule": "trust", "group": "name", "losers": [{"value": "Fischer", "reason": "trust", "record_id": 8343923905826488325}], "record_id": -7884696123852520042}, "family_name": {"rule": "trust", "group": "name", "losers": [{"value": "Jonas", "reason": "trust", "record_id": 8343923905826488325}], "record_id": -7884696123852520042}}	2	f0bf3ca0-7df9-1fe5-fae0-b0b2f302e15c	2026-11-28 12:10:41.000612+00	4	f
90977c0a-ee04-5c4a-936a-9a6091e61e4c	person	client	Anna Weber	{"city": "Berlin", "email": ["anna.weber@mail.example"], "phone": ["+4930901820"], "segment": "retail", "full_name": "Anna Weber", "birth_date": "1984-03-12", "given_name": "Anna", "family_name": "Weber"}	{"city": {"rule": "agreed", "group": "address", "record_id": 4391951748509024073}, "email": {"rule": "all", "values": [{"value": "anna.weber@mail.example", "record_id": 4391951748509024073}], "record_id": 4391951748509024073}, "phone": {"rule": "all", "values": [{"value": "+4930901820", "record_id": 4391951748509024073}], "record_id": 4391951748509024073}, "segment": {"rule": "agreed", "record_id": 4391951748509024073}, "full_name": {"rule": "frequent", "group": "name", "losers": [{"value": "Ana Weber", "reason": "frequent", "record_id": -6914081643283460435}], "derived": "parts", "record_id": 4391951748509024073}, "birth_date": {"rule": "agreed", "record_id": 4391951748509024073}, "given_name": {"rule": "frequent", "group": "name", "losers": [{"value": "Ana", "reason": "frequent", "record_id": -6914081643283460435}], "record_id": 4391951748509024073}, "family_name": {"rule": "frequent", "group": "name", "record_id": 4391951748509024073}}	3	b7f241fd-5acd-a23e-c3d6-42c23e56c7b6	2026-11-28 12:10:41.000612+00	5	f
\.


--
-- Data for Name: client_history; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.client_history (client_id, valid_from, valid_to, kind, role, display_name, attributes, lineage, record_count, golden_hash, changed_seq, is_deleted) FROM stdin;
167a8df8-b175-5a3d-90e8-557b1642adcc	-infinity	\N	person	client	Peter Brandt	{"email": ["p.brandt@mail.example"], "phone": ["+492212210"], "full_name": "Peter Brandt", "given_name": "Peter", "family_name": "Brandt"}	{"email": {"rule": "all", "values": [{"value": "p.brandt@mail.example", "record_id": 7519522108815331909}], "record_id": 7519522108815331909}, "phone": {"rule": "all", "values": [{"value": "+492212210", "record_id": 7519522108815331909}], "record_id": 7519522108815331909}, "full_name": {"rule": "only", "group": "name", "record_id": 7519522108815331909}, "given_name": {"rule": "only", "group": "name", "derived": "full_name", "record_id": 7519522108815331909}, "family_name": {"rule": "only", "group": "name", "derived": "full_name", "record_id": 7519522108815331909}}	1	df0cc868-3f99-305d-9557-1202fc7635b2	2	f
2ecce4c6-1042-5329-a72b-efc3939e92c1	-infinity	\N	person	client	Maria Keller	{"city": "Munich", "email": ["maria@keller.example"], "phone": ["+49892180"], "segment": "retail", "full_name": "Maria Keller", "birth_date": "1990-07-25", "given_name": "Maria", "family_name": "Keller"}	{"city": {"rule": "only", "group": "address", "record_id": -3633422425620241237}, "email": {"rule": "all", "values": [{"value": "maria@keller.example", "record_id": -3633422425620241237}], "record_id": -3633422425620241237}, "phone": {"rule": "all", "values": [{"value": "+49892180", "record_id": -3633422425620241237}], "record_id": -3633422425620241237}, "segment": {"rule": "only", "record_id": -3633422425620241237}, "full_name": {"rule": "only", "group": "name", "derived": "parts", "record_id": -3633422425620241237}, "birth_date": {"rule": "only", "record_id": -3633422425620241237}, "given_name": {"rule": "only", "group": "name", "record_id": -3633422425620241237}, "family_name": {"rule": "only", "group": "name", "record_id": -3633422425620241237}}	1	2c65fd83-c676-83e3-3ef9-b3a483555ad0	3	f
51b3050d-565a-5266-aac3-56b5c4575516	-infinity	\N	person	client	Jonas Fischer	{"city": "Hamburg", "email": ["j.fischer@mail.example", "jonas@fischer.example"], "phone": ["+4915123456789"], "segment": "wholesale", "full_name": "Jonas Fischer", "birth_date": "1979-11-02", "given_name": "Jonas", "family_name": "Fischer"}	{"city": {"rule": "only", "group": "address", "record_id": -7884696123852520042}, "email": {"rule": "all", "values": [{"value": "j.fischer@mail.example", "record_id": -7884696123852520042}, {"value": "jonas@fischer.example", "record_id": 8343923905826488325}], "record_id": -7884696123852520042}, "phone": {"rule": "all", "values": [{"value": "+4915123456789", "record_id": -7884696123852520042}], "record_id": -7884696123852520042}, "segment": {"rule": "only", "record_id": -7884696123852520042}, "full_name": {"rule": "trust", "group": "name", "losers": [{"value": "Fischer Jonas", "reason": "trust", "record_id": 8343923905826488325}], "derived": "parts", "record_id": -7884696123852520042}, "birth_date": {"rule": "only", "record_id": -7884696123852520042}, "given_name": {"rule": "trust", "group": "name", "losers": [{"value": "Fischer", "reason": "trust", "record_id": 8343923905826488325}], "record_id": -7884696123852520042}, "family_name": {"rule": "trust", "group": "name", "losers": [{"value": "Jonas", "reason": "trust", "record_id": 8343923905826488325}], "record_id": -7884696123852520042}}	2	f0bf3ca0-7df9-1fe5-fae0-b0b2f302e15c	4	f
90977c0a-ee04-5c4a-936a-9a6091e61e4c	-infinity	\N	person	client	Anna Weber	{"city": "Berlin", "email": ["anna.weber@mail.example"], "phone": ["+4930901820"], "segment": "retail", "full_name": "Anna Weber", "birth_date": "1984-03-12", "given_name": "Anna", "family_name": "Weber"}	{"city": {"rule": "agreed", "group": "address", "record_id": 4391951748509024073}, "email": {"rule": "all", "values": [{"value": "anna.weber@mail.example", "record_id": 4391951748509024073}], "record_id": 4391951748509024073}, "phone": {"rule": "all", "values": [{"value": "+4930901820", "record_id": 4391951748509024073}], "record_id": 4391951748509024073}, "segment": {"rule": "agreed", "record_id": 4391951748509024073}, "full_name": {"rule": "frequent", "group": "name", "losers": [{"value": "Ana Weber", "reason": "frequent", "record_id": -6914081643283460435}], "derived": "parts", "record_id": 4391951748509024073}, "birth_date": {"rule": "agreed", "record_id": 4391951748509024073}, "given_name": {"rule": "frequent", "group": "name", "losers": [{"value": "Ana", "reason": "frequent", "record_id": -6914081643283460435}], "record_id": 4391951748509024073}, "family_name": {"rule": "frequent", "group": "name", "record_id": 4391951748509024073}}	3	b7f241fd-5acd-a23e-c3d6-42c23e56c7b6	5	f
\.


--
-- Data for Name: interaction; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.interaction (record_id, source, stream, source_key, type, party_record_id, occurred_at, occurred_on, time_zone, "precision", channel, direction, document_number, summary, amount, currency, parent_record_id, reverses_record_id, url, detail, content_hash, client_id, changed_seq, is_deleted) FROM stdin;
-6033408397576558717	shop	orders	S-1002	sales_order	8343923905826488325	2026-01-19 23:00:00+00	2026-01-20	Europe/Berlin	day	web	inbound	S-1002	Order S-1002	1290.00	EUR	\N	\N	\N	{}	98bfb7f9-507b-bba9-eff3-ab094d11862c	51b3050d-565a-5266-aac3-56b5c4575516	6	f
8121704880274986112	shop	orders	S-1001	sales_order	-6813212030395222203	2026-01-13 23:00:00+00	2026-01-14	Europe/Berlin	day	web	inbound	S-1001	Order S-1001	149.90	EUR	\N	\N	\N	{}	37e459bc-5874-f759-20d3-50707aad51ae	90977c0a-ee04-5c4a-936a-9a6091e61e4c	6	f
9152536994504973218	shop	orders	S-1003	sales_order	-6813212030395222203	2026-02-02 23:00:00+00	2026-02-03	Europe/Berlin	day	web	inbound	S-1003	Order S-1003	35.50	EUR	\N	\N	\N	{}	219bbfea-bf93-a2a2-cecc-b7ac1f7a11ee	90977c0a-ee04-5c4a-936a-9a6091e61e4c	6	f
\.


--
-- Data for Name: interaction_line; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.interaction_line (record_id, "position", item_code, item_name, quantity, unit, unit_price, amount) FROM stdin;
\.


--
-- Data for Name: interaction_type; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.interaction_type (code, department, label_en, label_ru, direction, detail_schema, money, tax) FROM stdin;
call	sales	Call	Звонок	\N	{}	none	\N
complaint	service	Complaint	Жалоба	inbound	{"reason": {"type": "text", "labels": {"en": "Reason", "ru": "Причина"}}, "status": {"type": "text", "labels": {"en": "Status", "ru": "Статус"}}}	none	\N
contract	sales	Contract	Договор	outbound	{"valid_to": {"type": "date", "labels": {"en": "Valid to", "ru": "Действует до"}}}	none	\N
credit_note	accounting	Credit note	Корректировочный счёт	outbound	{}	credited	gross
delivery	logistics	Delivery	Доставка	outbound	{"status": {"type": "text", "labels": {"en": "Status", "ru": "Статус"}}}	none	\N
email	sales	E-mail	Электронное письмо	\N	{}	none	\N
invoice	accounting	Invoice	Счёт	outbound	{"status": {"type": "text", "labels": {"en": "Status", "ru": "Статус"}}}	invoiced	gross
meeting	sales	Meeting	Встреча	\N	{}	none	\N
message	sales	Message	Сообщение	\N	{}	none	\N
payment	accounting	Payment	Оплата	inbound	{}	paid	gross
project	delivery	Project	Проект	outbound	{"status": {"type": "text", "labels": {"en": "Status", "ru": "Статус"}}}	none	\N
quote	sales	Quote	Коммерческое предложение	outbound	{}	quoted	gross
return	logistics	Return	Возврат	inbound	{"reason": {"type": "text", "labels": {"en": "Reason", "ru": "Причина"}}}	credited	gross
sales_deal	sales	Deal	Сделка	outbound	{"stage": {"type": "text", "labels": {"en": "Stage", "ru": "Стадия"}}, "reason_lost": {"type": "text", "labels": {"en": "Why lost", "ru": "Причина отказа"}}}	quoted	\N
sales_order	sales	Sales order	Заказ	inbound	{"status": {"type": "text", "labels": {"en": "Status", "ru": "Статус"}}}	ordered	gross
service_ticket	service	Service ticket	Обращение в поддержку	inbound	{"status": {"type": "text", "labels": {"en": "Status", "ru": "Статус"}}, "priority": {"type": "text", "labels": {"en": "Priority", "ru": "Приоритет"}}}	none	\N
subscription	sales	Subscription	Подписка	inbound	{}	none	\N
visit	sales	Visit	Визит	outbound	{}	none	\N
\.


--
-- Data for Name: promise; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.promise (promise_key, record_id, kind, due_on, actual_on, due_value, actual_value) FROM stdin;
\.


--
-- Data for Name: relationship; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.relationship (relationship_key, record_id, from_record_id, to_record_id, type, role, valid_from, valid_to, changed_seq, is_deleted) FROM stdin;
\.


--
-- Data for Name: blocking_key; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.blocking_key (key, record_id) FROM stdin;
-1780888151116708318	4391951748509024073
-1290072442161624501	4391951748509024073
-5356211742058594145	4391951748509024073
-5814340530343962066	4391951748509024073
4209068487963137324	4391951748509024073
8713878725070538838	4391951748509024073
904013830185165908	4391951748509024073
2286255682170280487	4391951748509024073
-2156502384074892676	4391951748509024073
5025540334388450411	4391951748509024073
8177161805604762228	4391951748509024073
1407991626330007493	4391951748509024073
-2277575333423276499	4391951748509024073
-6005500508747052635	4391951748509024073
-8227964561970582004	4391951748509024073
-8139147158933261143	4391951748509024073
-5178545704961548549	-7884696123852520042
-1964674315080406590	-7884696123852520042
7025537324369798199	-7884696123852520042
-2309976396232033245	-7884696123852520042
7361503694023032611	-7884696123852520042
-1308378689381686012	-7884696123852520042
-3494779668035469565	-7884696123852520042
2330675205402763005	-7884696123852520042
7414838648288484665	-7884696123852520042
-6773306602682812856	-7884696123852520042
-177432488519270783	-7884696123852520042
8105508406505398697	-7884696123852520042
-8819106682896110079	-7884696123852520042
8260202832454818278	-7884696123852520042
1390172992907237910	-7884696123852520042
-5532159421873448338	-7884696123852520042
4344287618516494795	-3633422425620241237
-3647147611143266271	-3633422425620241237
-5612024466496891868	-3633422425620241237
4664707987576095534	-3633422425620241237
2954572291239502852	-3633422425620241237
-3295242473446384983	-3633422425620241237
3352245399883481480	-3633422425620241237
-3193257722624963059	-3633422425620241237
8238361158018364296	-3633422425620241237
597389470810927039	-3633422425620241237
6719963555979344977	-3633422425620241237
837522583393923493	-3633422425620241237
-8062746825927993813	-3633422425620241237
-2640688910770045284	-3633422425620241237
-1618755750704644599	-3633422425620241237
-1082076803794167925	-3633422425620241237
-1290072442161624501	-6914081643283460435
-5356211742058594145	-6914081643283460435
-5814340530343962066	-6914081643283460435
4209068487963137324	-6914081643283460435
8713878725070538838	-6914081643283460435
904013830185165908	-6914081643283460435
2286255682170280487	-6914081643283460435
-2156502384074892676	-6914081643283460435
5025540334388450411	-6914081643283460435
8177161805604762228	-6914081643283460435
1407991626330007493	-6914081643283460435
-2277575333423276499	-6914081643283460435
-6005500508747052635	-6914081643283460435
-8227964561970582004	-6914081643283460435
-8139147158933261143	-6914081643283460435
-1780888151116708318	-6813212030395222203
-1290072442161624501	-6813212030395222203
-5356211742058594145	-6813212030395222203
-5814340530343962066	-6813212030395222203
4209068487963137324	-6813212030395222203
-8227964561970582004	-6813212030395222203
-5178545704961548549	8343923905826488325
-67644618720134266	8343923905826488325
-3564153347277742212	8343923905826488325
-2309976396232033245	8343923905826488325
1396459334196547068	8343923905826488325
1390172992907237910	8343923905826488325
-6781454254085786578	7519522108815331909
-3587309942890610667	7519522108815331909
-3252422376393216251	7519522108815331909
-5817879593475671243	7519522108815331909
1678875137154851821	7519522108815331909
3911986147691709554	7519522108815331909
\.


--
-- Data for Name: child_link; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.child_link (child_record_id, parent_record_id) FROM stdin;
\.


--
-- Data for Name: client_id_ledger; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.client_id_ledger (id, client_id, event, at, target_client_id, founding_key, mint_number, run_id) FROM stdin;
1	167a8df8-b175-5a3d-90e8-557b1642adcc	mint	2026-11-28 12:10:40.905753+00	\N	shop:accounts:A19	1	4
2	2ecce4c6-1042-5329-a72b-efc3939e92c1	mint	2026-11-28 12:10:40.905753+00	\N	customers:people:3	1	4
3	51b3050d-565a-5266-aac3-56b5c4575516	mint	2026-11-28 12:10:40.905753+00	\N	customers:people:2	1	4
4	90977c0a-ee04-5c4a-936a-9a6091e61e4c	mint	2026-11-28 12:10:40.905753+00	\N	customers:people:1	1	4
\.


--
-- Data for Name: crosswalk; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.crosswalk (record_id, client_id, since, changed_seq) FROM stdin;
-7884696123852520042	51b3050d-565a-5266-aac3-56b5c4575516	2026-11-28 12:10:40.905753+00	1
-6914081643283460435	90977c0a-ee04-5c4a-936a-9a6091e61e4c	2026-11-28 12:10:40.905753+00	1
-6813212030395222203	90977c0a-ee04-5c4a-936a-9a6091e61e4c	2026-11-28 12:10:40.905753+00	1
-3633422425620241237	2ecce4c6-1042-5329-a72b-efc3939e92c1	2026-11-28 12:10:40.905753+00	1
4391951748509024073	90977c0a-ee04-5c4a-936a-9a6091e61e4c	2026-11-28 12:10:40.905753+00	1
7519522108815331909	167a8df8-b175-5a3d-90e8-557b1642adcc	2026-11-28 12:10:40.905753+00	1
8343923905826488325	51b3050d-565a-5266-aac3-56b5c4575516	2026-11-28 12:10:40.905753+00	1
\.


--
-- Data for Name: crosswalk_history; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.crosswalk_history (record_id, valid_from, valid_to, client_id, ended_seq) FROM stdin;
-7884696123852520042	2026-11-28 12:10:40.905753+00	\N	51b3050d-565a-5266-aac3-56b5c4575516	\N
-6914081643283460435	2026-11-28 12:10:40.905753+00	\N	90977c0a-ee04-5c4a-936a-9a6091e61e4c	\N
-6813212030395222203	2026-11-28 12:10:40.905753+00	\N	90977c0a-ee04-5c4a-936a-9a6091e61e4c	\N
-3633422425620241237	2026-11-28 12:10:40.905753+00	\N	2ecce4c6-1042-5329-a72b-efc3939e92c1	\N
4391951748509024073	2026-11-28 12:10:40.905753+00	\N	90977c0a-ee04-5c4a-936a-9a6091e61e4c	\N
7519522108815331909	2026-11-28 12:10:40.905753+00	\N	167a8df8-b175-5a3d-90e8-557b1642adcc	\N
8343923905826488325	2026-11-28 12:10:40.905753+00	\N	51b3050d-565a-5266-aac3-56b5c4575516	\N
\.


--
-- Data for Name: identifier; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.identifier (record_id, type, value, is_valid, invalid_reason) FROM stdin;
-7884696123852520042	email	j.fischer@mail.example	t	\N
-7884696123852520042	phone	+4915123456789	t	\N
-6914081643283460435	email	anna.weber@mail.example	t	\N
-3633422425620241237	email	maria@keller.example	t	\N
-3633422425620241237	phone	+49892180	t	\N
4391951748509024073	email	anna.weber@mail.example	t	\N
4391951748509024073	phone	+4930901820	t	\N
-6813212030395222203	email	anna.weber@mail.example	t	\N
-6813212030395222203	phone	+4930901820	t	\N
7519522108815331909	email	p.brandt@mail.example	t	\N
7519522108815331909	phone	+492212210	t	\N
8343923905826488325	email	jonas@fischer.example	t	\N
8343923905826488325	phone	+4915123456789	t	\N
\.


--
-- Data for Name: judgement; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.judgement (judgement_id, verdict, left_ids, right_ids, relationship, attribute, value, policy, until, lifts, reason, decided_by, decided_at) FROM stdin;
\.


--
-- Data for Name: model; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.model (version, kind, body, is_current, fingerprint, created_at) FROM stdin;
1	prior	{"origin": "prior", "person": {"link": 15896, "prior": -12288, "words": {"rare": 0, "unseen": 0, "weights": {}}, "pooled": false, "review": 12288, "columns": {"inn": {"terms": {}, "levels": [{"m": 0.95, "u": 0.0000005, "name": "exact", "weight": 21358}, {"m": 0.02, "u": 0.00005, "name": "edits_1", "weight": 8851}, {"m": 0.03, "u": 0.999, "name": "different", "weight": -5179}], "unseen_term": 0}, "email": {"terms": {}, "levels": [{"m": 0.75, "u": 0.00001, "name": "exact", "weight": 16583}, {"m": 0.06, "u": 0.0002, "name": "same_local_part", "weight": 8426}, {"m": 0.05, "u": 0.0003, "name": "jaro_winkler_0.95", "weight": 7558}, {"m": 0.14, "u": 0.999, "name": "different", "weight": -2903}], "unseen_term": 0}, "phone": {"terms": {}, "levels": [{"m": 0.7, "u": 0.00001, "name": "exact", "weight": 16481}, {"m": 0.03, "u": 0.0004, "name": "edits_1", "weight": 6378}, {"m": 0.27, "u": 0.999, "name": "different", "weight": -1933}], "unseen_term": 0}, "snils": {"terms": {}, "levels": [{"m": 0.95, "u": 0.0000005, "name": "exact", "weight": 21358}, {"m": 0.02, "u": 0.00005, "name": "edits_1", "weight": 8851}, {"m": 0.03, "u": 0.999, "name": "different", "weight": -5179}], "unseen_term": 0}, "gender": {"terms": {}, "levels": [{"m": 0.98, "u": 0.5, "name": "exact", "weight": 994}, {"m": 0.02, "u": 0.5, "name": "different", "weight": -4755}], "unseen_term": 0}, "address": {"terms": {}, "levels": [{"m": 0.45, "u": 0.00005, "name": "house", "weight": 13451}, {"m": 0.08, "u": 0.0005, "name": "street", "weight": 7498}, {"m": 0.15, "u": 0.001, "name": "postcode", "weight": 7402}, {"m": 0.07, "u": 0.015, "name": "postcode_near", "weight": 2276}, {"m": 0.1, "u": 0.05, "name": "city", "weight": 1024}, {"m": 0.05, "u": 0.1, "name": "region", "weight": -1024}, {"m": 0.1, "u": 0.83, "name": "different", "weight": -3126}], "unseen_term": 0}, "passport": {"terms": {}, "levels": [{"m": 0.85, "u": 0.0000005, "name": "exact", "weight": 21194}, {"m": 0.03, "u": 0.0001, "name": "edits_1", "weight": 8426}, {"m": 0.12, "u": 0.999, "name": "different", "weight": -3131}], "unseen_term": 0}, "name.full": {"terms": {}, "levels": [{"m": 0.3, "u": 0.0001, "name": "exact", "weight": 11828}, {"m": 0.2, "u": 0.0002, "name": "contains", "weight": 10205}, {"m": 0.08, "u": 0.0004, "name": "near", "weight": 7827}, {"m": 0.27, "u": 0.006, "name": "word", "weight": 5624}, {"m": 0.05, "u": 0.004, "name": "far", "weight": 3731}, {"m": 0.1, "u": 0.989, "name": "different", "weight": -3385}], "unseen_term": 0}, "birth_date": {"terms": {}, "levels": [{"m": 0.85, "u": 0.00004, "name": "exact", "weight": 14720}, {"m": 0.02, "u": 0.00008, "name": "day_month_swapped", "weight": 8157}, {"m": 0.06, "u": 0.0009, "name": "edits_1", "weight": 6204}, {"m": 0.03, "u": 0.013, "name": "edits_2", "weight": 1235}, {"m": 0.02, "u": 0.012, "name": "same_year", "weight": 755}, {"m": 0.03, "u": 0.98, "name": "different", "weight": -5150}], "unseen_term": 0}, "identifier": {"terms": {}, "levels": [{"m": 0.85, "u": 0.000001, "name": "exact", "weight": 20170}, {"m": 0.15, "u": 0.999, "name": "different", "weight": -2801}], "unseen_term": 0}, "name.given": {"terms": {}, "levels": [{"m": 0.7, "u": 0.012, "name": "exact", "weight": 6007}, {"m": 0.07, "u": 0.005, "name": "nickname", "weight": 3899}, {"m": 0.08, "u": 0.005, "name": "near", "weight": 4096}, {"m": 0.05, "u": 0.03, "name": "initial", "weight": 755}, {"m": 0.01, "u": 0.0002, "name": "swapped", "weight": 5779}, {"m": 0.03, "u": 0.03, "name": "far", "weight": 0}, {"m": 0.06, "u": 0.923, "name": "different", "weight": -4038}], "unseen_term": 0}, "occupation": {"terms": {}, "levels": [{"m": 0.6, "u": 0.1, "name": "exact", "weight": 2647}, {"m": 0.4, "u": 0.9, "name": "different", "weight": -1198}], "unseen_term": 0}, "birth_place": {"terms": {}, "levels": [{"m": 0.75, "u": 0.012, "name": "exact", "weight": 6109}, {"m": 0.08, "u": 0.006, "name": "jaro_winkler_0.85", "weight": 3827}, {"m": 0.17, "u": 0.98, "name": "different", "weight": -2588}], "unseen_term": 0}, "name.family": {"terms": {}, "levels": [{"m": 0.8, "u": 0.002, "name": "exact", "weight": 8851}, {"m": 0.09, "u": 0.0015, "name": "near", "weight": 6049}, {"m": 0.02, "u": 0.0008, "name": "part", "weight": 4755}, {"m": 0.03, "u": 0.004, "name": "far", "weight": 2977}, {"m": 0.06, "u": 0.99, "name": "different", "weight": -4141}], "unseen_term": 0}, "name.middle": {"terms": {}, "levels": [{"m": 0.8, "u": 0.02, "name": "exact", "weight": 5450}, {"m": 0.09, "u": 0.008, "name": "near", "weight": 3576}, {"m": 0.09, "u": 0.05, "name": "initial", "weight": 868}, {"m": 0.02, "u": 0.92, "name": "different", "weight": -5656}], "unseen_term": 0}}, "plausible": 8680}, "organisation": {"link": 15896, "prior": -12288, "words": {"rare": 14336, "unseen": 10240, "weights": {"a": 1024, "d": 1024, "e": 1024, "i": 1024, "s": 1024, "u": 1024, "v": 1024, "y": 1024, "z": 1024, "ag": 1024, "al": 1024, "an": 1024, "ao": 1024, "bv": 1024, "by": 1024, "co": 1024, "da": 1024, "de": 1024, "di": 1024, "do": 1024, "du": 1024, "el": 1024, "en": 1024, "et": 1024, "im": 1024, "in": 1024, "ip": 1024, "it": 3072, "iz": 1024, "km": 3072, "la": 1024, "le": 1024, "na": 1024, "nv": 1024, "of": 1024, "on": 1024, "po": 1024, "sa": 1024, "te": 1024, "to": 1024, "uk": 3072, "un": 1024, "us": 3072, "za": 1024, "zu": 1024, "and": 1024, "bau": 3072, "das": 1024, "dei": 1024, "del": 1024, "der": 1024, "des": 1024, "die": 1024, "dom": 3072, "dos": 1024, "for": 1024, "fur": 1024, "gas": 3072, "gaz": 3072, "het": 1024, "inc": 1024, "int": 3072, "lab": 3072, "les": 1024, "llc": 1024, "los": 1024, "ltd": 1024, "mir": 3072, "net": 3072, "oao": 1024, "oil": 3072, "one": 3072, "ooo": 1024, "opt": 3072, "pao": 1024, "plc": 1024, "pro": 3072, "rus": 3072, "the": 1024, "und": 1024, "usa": 3072, "van": 1024, "von": 1024, "web": 3072, "zao": 1024, "agro": 3072, "auto": 3072, "avto": 3072, "balt": 3072, "bank": 3072, "care": 3072, "city": 3072, "club": 3072, "comp": 1024, "corp": 1024, "east": 3072, "euro": 3072, "evro": 3072, "firm": 1024, "fond": 3072, "food": 3072, "fuer": 1024, "fund": 3072, "gmbh": 1024, "home": 3072, "info": 3072, "klub": 3072, "line": 3072, "nord": 3072, "nova": 3072, "park": 3072, "plus": 3072, "prom": 3072, "shop": 3072, "snab": 3072, "stal": 3072, "star": 3072, "tech": 3072, "torg": 3072, "west": 3072, "wood": 3072, "build": 3072, "centr": 3072, "della": 1024, "firma": 1024, "foods": 3072, "gorod": 3072, "grand": 3072, "group": 3072, "grupp": 3072, "hotel": 3072, "house": 3072, "masch": 3072, "mebel": 3072, "media": 3072, "metal": 3072, "motor": 3072, "north": 3072, "novyi": 3072, "power": 3072, "sales": 3072, "soiuz": 3072, "sokhr": 3072, "south": 3072, "soyuz": 3072, "steel": 3072, "store": 3072, "stroi": 3072, "stroy": 3072, "tehno": 3072, "trade": 3072, "trans": 3072, "trest": 3072, "union": 3072, "water": 3072, "works": 3072, "world": 3072, "zapad": 3072, "zavod": 3072, "agency": 3072, "biznes": 3072, "branch": 1024, "center": 3072, "centre": 3072, "chemie": 3072, "design": 3072, "dizain": 3072, "dizayn": 3072, "energy": 3072, "europe": 3072, "export": 3072, "filial": 1024, "finans": 3072, "france": 3072, "global": 3072, "gruppa": 3072, "gruppe": 3072, "handel": 3072, "health": 3072, "import": 3072, "invest": 3072, "market": 3072, "master": 3072, "metall": 3072, "mobile": 3072, "moscow": 3072, "moskva": 3072, "motors": 3072, "office": 3072, "online": 3072, "optics": 3072, "pharma": 3072, "proekt": 3072, "resurs": 3072, "retail": 3072, "rossii": 3072, "russia": 3072, "school": 3072, "server": 3072, "servis": 3072, "studio": 3072, "supply": 3072, "system": 3072, "techno": 3072, "tekhno": 3072, "travel": 3072, "tsentr": 3072, "united": 3072, "vostok": 3072, "capital": 3072, "central": 3072, "college": 3072, "company": 1024, "consult": 3072, "control": 3072, "digital": 3072, "elektro": 3072, "fabrika": 3072, "factory": 3072, "finance": 3072, "general": 3072, "germany": 3072, "handels": 3072, "holding": 3072, "kapital": 3072, "klinika": 3072, "limited": 1024, "machine": 3072, "magazin": 3072, "medical": 3072, "montazh": 3072, "nauchno": 3072, "network": 3072, "partner": 3072, "product": 3072, "produkt": 3072, "project": 3072, "rossiia": 3072, "rossiya": 3072, "science": 3072, "service": 3072, "sistema": 3072, "sistemy": 3072, "societa": 1024, "societe": 1024, "studiia": 3072, "systeme": 3072, "systems": 3072, "technik": 3072, "telecom": 3072, "telekom": 3072, "texnika": 3072, "torgovo": 3072, "trading": 3072, "zentrum": 3072, "building": 3072, "business": 3072, "chemical": 3072, "commerce": 3072, "computer": 3072, "electric": 3072, "energiia": 3072, "energiya": 3072, "european": 3072, "holdings": 3072, "industry": 3072, "institut": 3072, "kholding": 3072, "kompanii": 1024, "logistic": 3072, "logistik": 3072, "national": 3072, "networks": 3072, "partners": 3072, "partnery": 3072, "products": 3072, "produkty": 3072, "projects": 3072, "research": 3072, "russland": 3072, "security": 3072, "services": 3072, "sociedad": 1024, "software": 3072, "solution": 3072, "standart": 3072, "tekhnika": 3072, "torgovyi": 3072, "agentstvo": 3072, "chemicals": 3072, "companies": 1024, "equipment": 3072, "financial": 3072, "industrie": 3072, "institute": 3072, "insurance": 3072, "kompaniia": 1024, "kompaniya": 1024, "logistics": 3072, "logistika": 3072, "machinery": 3072, "marketing": 3072, "prodakshn": 3072, "solutions": 3072, "torgovaia": 3072, "torgovaya": 3072, "transport": 3072, "universal": 3072, "worldwide": 3072, "automotive": 3072, "commercial": 3072, "consulting": 3072, "electrical": 3072, "electronic": 3072, "enterprise": 1024, "foundation": 3072, "industrial": 3072, "industries": 3072, "innovation": 3072, "investment": 3072, "konsalting": 3072, "laboratory": 3072, "management": 3072, "moskovskii": 3072, "production": 3072, "restaurant": 3072, "technology": 3072, "university": 3072, "verwaltung": 3072, "consultants": 3072, "corporation": 1024, "deutschland": 3072, "development": 3072, "electronics": 3072, "engineering": 3072, "enterprises": 1024, "investments": 3072, "inzhiniring": 3072, "obshchestvo": 1024, "tekhnologii": 3072, "unternehmen": 1024, "construction": 3072, "distribution": 3072, "gesellschaft": 1024, "incorporated": 1024, "laboratories": 3072, "maschinenbau": 3072, "meditsinskii": 3072, "predpriiatie": 1024, "predpriyatie": 1024, "stroitelnaia": 3072, "stroitelnaya": 3072, "technologies": 3072, "communication": 3072, "international": 3072, "organizatsiia": 1024, "organizatsiya": 1024, "promyshlennyi": 3072, "communications": 3072, "internatsional": 3072, "pharmaceutical": 3072, "pharmaceuticals": 3072, "proizvodstvenno": 3072, "tovarishchestvo": 1024}}, "pooled": false, "review": 12288, "columns": {"ein": {"terms": {}, "levels": [{"m": 0.95, "u": 0.0000005, "name": "exact", "weight": 21358}, {"m": 0.03, "u": 0.999, "name": "different", "weight": -5179}], "unseen_term": 0}, "hrb": {"terms": {}, "levels": [{"m": 0.9, "u": 0.00005, "name": "exact", "weight": 14475}, {"m": 0.1, "u": 0.999, "name": "different", "weight": -3400}], "unseen_term": 0}, "inn": {"terms": {}, "levels": [{"m": 0.95, "u": 0.0000005, "name": "exact", "weight": 21358}, {"m": 0.02, "u": 0.00005, "name": "edits_1", "weight": 8851}, {"m": 0.03, "u": 0.999, "name": "different", "weight": -5179}], "unseen_term": 0}, "lei": {"terms": {}, "levels": [{"m": 0.95, "u": 0.0000005, "name": "exact", "weight": 21358}, {"m": 0.03, "u": 0.999, "name": "different", "weight": -5179}], "unseen_term": 0}, "vat": {"terms": {}, "levels": [{"m": 0.95, "u": 0.0000005, "name": "exact", "weight": 21358}, {"m": 0.03, "u": 0.999, "name": "different", "weight": -5179}], "unseen_term": 0}, "name": {"terms": {}, "levels": [{"m": 0.6, "u": 0.0000005, "name": "exact", "weight": 20679}, {"m": 0.12, "u": 0.000008, "name": "exact_common", "weight": 14206}, {"m": 0.13, "u": 0.00001, "name": "strong", "weight": 13994}, {"m": 0.07, "u": 0.0005, "name": "near", "weight": 7300}, {"m": 0.04, "u": 0.004, "name": "far", "weight": 3402}, {"m": 0.04, "u": 0.995, "name": "different", "weight": -4748}], "unseen_term": 0}, "ogrn": {"terms": {}, "levels": [{"m": 0.95, "u": 0.0000005, "name": "exact", "weight": 21358}, {"m": 0.03, "u": 0.999, "name": "different", "weight": -5179}], "unseen_term": 0}, "email": {"terms": {}, "levels": [{"m": 0.45, "u": 0.00001, "name": "exact", "weight": 15829}, {"m": 0.25, "u": 0.002, "name": "same_domain", "weight": 7133}, {"m": 0.3, "u": 0.998, "name": "different", "weight": -1776}], "unseen_term": 0}, "phone": {"terms": {}, "levels": [{"m": 0.55, "u": 0.00002, "name": "exact", "weight": 15101}, {"m": 0.05, "u": 0.0004, "name": "edits_1", "weight": 7133}, {"m": 0.4, "u": 0.999, "name": "different", "weight": -1352}], "unseen_term": 0}, "domain": {"terms": {}, "levels": [{"m": 0.8, "u": 0.00002, "name": "exact", "weight": 15655}, {"m": 0.2, "u": 0.999, "name": "different", "weight": -2376}], "unseen_term": 0}, "address": {"terms": {}, "levels": [{"m": 0.5, "u": 0.0001, "name": "house", "weight": 12583}, {"m": 0.08, "u": 0.001, "name": "street", "weight": 6474}, {"m": 0.12, "u": 0.002, "name": "postcode", "weight": 6049}, {"m": 0.05, "u": 0.02, "name": "postcode_near", "weight": 1354}, {"m": 0.1, "u": 0.08, "name": "city", "weight": 330}, {"m": 0.05, "u": 0.1, "name": "region", "weight": -1024}, {"m": 0.1, "u": 0.78, "name": "different", "weight": -3035}], "unseen_term": 0}, "country": {"terms": {}, "levels": [{"m": 0.97, "u": 0.7, "name": "exact", "weight": 482}, {"m": 0.03, "u": 0.3, "name": "different", "weight": -3402}], "unseen_term": 0}, "identifier": {"terms": {}, "levels": [{"m": 0.85, "u": 0.000002, "name": "exact", "weight": 19146}, {"m": 0.15, "u": 0.999, "name": "different", "weight": -2801}], "unseen_term": 0}, "legal_form": {"terms": {}, "levels": [{"m": 0.92, "u": 0.55, "name": "exact", "weight": 760}, {"m": 0.08, "u": 0.45, "name": "different", "weight": -2552}], "unseen_term": 0}}, "plausible": 8680}, "component_bound": 1000}	t	748f11ee-2401-76ef-2d78-fbd62fbbd2f2	2026-11-28 12:10:40.652675+00
\.


--
-- Data for Name: pair; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.pair (left_id, right_id, weight, model_version) FROM stdin;
4391951748509024073	-6914081643283460435	47185	1
4391951748509024073	-6813212030395222203	47922	1
-7884696123852520042	8343923905826488325	28208	1
-6914081643283460435	-6813212030395222203	31441	1
\.


--
-- Data for Name: review_case; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.review_case (fingerprint, kind, record_ids, status, weight, impact, evidence, opened_at, closed_at, judgement_id) FROM stdin;
\.


--
-- Data for Name: standard_record; Type: TABLE DATA; Schema: identity; Owner: -
--

COPY identity.standard_record (record_id, source, stream, source_key, kind, role, is_own, full_name, full_latin, given_name, given_latin, middle_name, middle_latin, family_name, family_latin, birth_date, gender, org_name, org_latin, legal_form, country, region, city, street, house, postcode, attributes, source_updated_at, content_hash) FROM stdin;
-7884696123852520042	customers	people	2	person	client	f	jonas fischer	ionas fisher	jonas	ionas	\N	\N	fischer	fisher	1979-11-02	\N	\N	\N	\N	DE	\N	hamburg	\N	\N	\N	{"city": [{"v": "Hamburg"}], "email": [{"v": "j.fischer@mail.example"}], "phone": [{"v": "+4915123456789"}], "segment": [{"v": "wholesale"}], "full_name": [{"v": "Jonas Fischer", "derived": "parts"}], "birth_date": [{"v": "1979-11-02"}], "given_name": [{"v": "Jonas"}], "family_name": [{"v": "Fischer"}]}	\N	e699e4fd-ed2e-008f-0531-31fb1f4cf59d
-6914081643283460435	customers	people	4	person	client	f	ana weber	ana veber	ana	ana	\N	\N	weber	veber	1984-03-12	\N	\N	\N	\N	DE	\N	berlin	\N	\N	\N	{"city": [{"v": "Berlin"}], "email": [{"v": "anna.weber@mail.example"}], "segment": [{"v": "retail"}], "full_name": [{"v": "Ana Weber", "derived": "parts"}], "birth_date": [{"v": "1984-03-12"}], "given_name": [{"v": "Ana"}], "family_name": [{"v": "Weber"}]}	\N	7ec5e458-ea6d-d45b-5c4f-f0bd3384a63d
-3633422425620241237	customers	people	3	person	client	f	maria keller	maria keler	maria	maria	\N	\N	keller	keler	1990-07-25	\N	\N	\N	\N	DE	\N	münchen	\N	\N	\N	{"city": [{"v": "Munich"}], "email": [{"v": "maria@keller.example"}], "phone": [{"v": "+49892180"}], "segment": [{"v": "retail"}], "full_name": [{"v": "Maria Keller", "derived": "parts"}], "birth_date": [{"v": "1990-07-25"}], "given_name": [{"v": "Maria"}], "family_name": [{"v": "Keller"}]}	\N	384798e2-37c1-c6aa-3327-20823f94cf3f
4391951748509024073	customers	people	1	person	client	f	anna weber	ana veber	anna	ana	\N	\N	weber	veber	1984-03-12	\N	\N	\N	\N	DE	\N	berlin	\N	\N	\N	{"city": [{"v": "Berlin"}], "email": [{"v": "anna.weber@mail.example"}], "phone": [{"v": "+4930901820"}], "segment": [{"v": "retail"}], "full_name": [{"v": "Anna Weber", "derived": "parts"}], "birth_date": [{"v": "1984-03-12"}], "given_name": [{"v": "Anna"}], "family_name": [{"v": "Weber"}]}	\N	c04122f9-75df-ea29-e960-b67a8637a9f4
-6813212030395222203	shop	accounts	A17	person	client	f	anna weber	ana veber	anna	ana	\N	\N	weber	veber	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	{"email": [{"v": "anna.weber@mail.example"}], "phone": [{"v": "+4930901820"}], "full_name": [{"v": "Anna Weber"}], "given_name": [{"v": "Anna", "derived": "full_name"}], "family_name": [{"v": "Weber", "derived": "full_name"}]}	\N	1bdcb596-4fcc-1465-d562-925cded84928
7519522108815331909	shop	accounts	A19	person	client	f	peter brandt	peter brandt	peter	peter	\N	\N	brandt	brandt	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	{"email": [{"v": "p.brandt@mail.example"}], "phone": [{"v": "+492212210"}], "full_name": [{"v": "Peter Brandt"}], "given_name": [{"v": "Peter", "derived": "full_name"}], "family_name": [{"v": "Brandt", "derived": "full_name"}]}	\N	179ad626-bd4e-ea26-c5c6-192e358833ad
8343923905826488325	shop	accounts	A18	person	client	f	fischer jonas	fisher ionas	fischer	fisher	\N	\N	jonas	ionas	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	{"email": [{"v": "jonas@fischer.example"}], "phone": [{"v": "+4915123456789"}], "full_name": [{"v": "Fischer Jonas"}], "given_name": [{"v": "Fischer", "derived": "full_name"}], "family_name": [{"v": "Jonas", "derived": "full_name"}]}	\N	b4f8797e-7b1e-e37a-9001-c4c132a3195a
\.


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: ops; Owner: -
--

COPY ops.alembic_version (version_num) FROM stdin;
0001
\.


--
-- Data for Name: change_event; Type: TABLE DATA; Schema: ops; Owner: -
--

COPY ops.change_event (id, at, kind, client_id, payload) FROM stdin;
1	2026-11-28 12:10:40.905753+00	links	\N	{"records": 7}
2	2026-11-28 12:10:41.000612+00	created	167a8df8-b175-5a3d-90e8-557b1642adcc	{}
3	2026-11-28 12:10:41.000612+00	created	2ecce4c6-1042-5329-a72b-efc3939e92c1	{}
4	2026-11-28 12:10:41.000612+00	created	51b3050d-565a-5266-aac3-56b5c4575516	{}
5	2026-11-28 12:10:41.000612+00	created	90977c0a-ee04-5c4a-936a-9a6091e61e4c	{}
6	2026-11-28 12:10:41.000612+00	facts	\N	{"interactions": 3, "relationships": 0}
\.


--
-- Data for Name: checkpoint; Type: TABLE DATA; Schema: ops; Owner: -
--

COPY ops.checkpoint (source, stream, state, at, run_id) FROM stdin;
customers	people	{"pass": 1, "files": {"customers.csv": {"size": 353, "digest": "4a9e7b708310be9929cc8ead0bbd3d4f", "mtime_ns": 1795867833171657757}}, "columns": ["id", "first name", "last name", "born", "e-mail", "phone", "mobile", "city", "segment"], "reading": "ebc599c6515d5b39"}	2026-11-28 12:10:40.18294+00	1
shop	accounts	{"pass": 1, "files": {"shop_clients.csv": {"size": 185, "digest": "63fa8becd58958f9f2757351be71e6af", "mtime_ns": 1795867833172226803}}, "columns": ["account", "name", "email", "tel"], "reading": "babda34904fdb1c5"}	2026-11-28 12:10:40.245184+00	2
shop	orders	{"pass": 1, "files": {"shop_orders.csv": {"size": 121, "digest": "3653901a56e0bbe52c2e0d83768c89c1", "mtime_ns": 1795867833172787166}}, "columns": ["order_no", "account", "ordered_on", "total"], "reading": "6ef2c3106e13ab6d"}	2026-11-28 12:10:40.265635+00	2
\.


--
-- Data for Name: definition; Type: TABLE DATA; Schema: ops; Owner: -
--

COPY ops.definition (kind, name, fingerprint, at) FROM stdin;
sql	definitions	d7a8f61e-695e-8d9b-3357-a08d6a540d9a	2026-11-28 12:10:37.662176+00
mapping	customers:people	a755a0f7-a4d4-9da1-4cd4-a3db3df0830d	2026-11-28 12:10:40.281186+00
mapping	shop:accounts	f95932ae-d7b4-24ec-cc7e-41a4d2d1075b	2026-11-28 12:10:40.281186+00
mapping	shop:orders	4c0286b7-7a28-d666-0e07-d426bd6beb7b	2026-11-28 12:10:40.281186+00
rules	resolve	3dc4fbc8-c41c-9826-f63e-8794c67ac521	2026-11-28 12:10:40.599924+00
rules	publish	c9701ad5-09b8-caba-c355-a53dde17fe4b	2026-11-28 12:10:40.959421+00
\.


--
-- Data for Name: hub_clock; Type: TABLE DATA; Schema: ops; Owner: -
--

COPY ops.hub_clock (only_row, last_as_of, last_event_id) FROM stdin;
t	2026-11-28 12:10:41.000612+00	6
\.


--
-- Data for Name: pending; Type: TABLE DATA; Schema: ops; Owner: -
--

COPY ops.pending (step, id, record_id) FROM stdin;
\.


--
-- Data for Name: reject; Type: TABLE DATA; Schema: ops; Owner: -
--

COPY ops.reject (fingerprint, source, stream, source_key, record_id, step, reason, detail, place, path, payload, run_id, first_at, is_open, is_retried, closed_at) FROM stdin;
\.


--
-- Data for Name: run; Type: TABLE DATA; Schema: ops; Owner: -
--

COPY ops.run (run_id, command, source, status, started_at, finished_at, report) FROM stdin;
1	sync	customers	done	2026-11-28 12:10:40.136136+00	2026-11-28 12:10:40.198996+00	{"run_id": 1, "source": "customers", "seconds": 0.074, "streams": [{"error": null, "pages": 1, "status": "done", "stream": "people", "deleted": 0, "updated": 0, "inserted": 4, "rejected": 0, "retry_at": null, "unchanged": 0, "bytes_read": 0, "error_class": null}]}
2	sync	shop	done	2026-11-28 12:10:40.204765+00	2026-11-28 12:10:40.269855+00	{"run_id": 2, "source": "shop", "seconds": 0.07, "streams": [{"error": null, "pages": 1, "status": "done", "stream": "accounts", "deleted": 0, "updated": 0, "inserted": 3, "rejected": 0, "retry_at": null, "unchanged": 0, "bytes_read": 0, "error_class": null}, {"error": null, "pages": 1, "status": "done", "stream": "orders", "deleted": 0, "updated": 0, "inserted": 3, "rejected": 0, "retry_at": null, "unchanged": 0, "bytes_read": 0, "error_class": null}]}
3	standardise	\N	done	2026-11-28 12:10:40.324129+00	2026-11-28 12:10:40.588389+00	{"run_id": 3, "records": 10, "seconds": 0.316, "rejected": 0, "parties_changed": 7, "parties_removed": 0, "remapped_streams": [], "interactions_changed": 3}
4	resolve	\N	done	2026-11-28 12:10:40.665771+00	2026-11-28 12:10:40.938753+00	{"moved": 7, "events": {"mint": 4}, "run_id": 4, "clients": 4, "records": 7, "seconds": 0.348, "cases_open": 0, "cases_closed": 0, "cases_opened": 0, "model_version": 1, "refused_blocks": [], "candidate_pairs": 4, "plausible_pairs": 4}
5	publish	\N	done	2026-11-28 12:10:40.999262+00	2026-11-28 12:10:41.065761+00	{"run_id": 5, "changed": 0, "clients": 4, "created": 4, "retired": 0, "revived": 0, "seconds": 0.125, "redirected": 0, "links_moved": 3, "change_events": 5}
\.


--
-- Data for Name: sweep_mark; Type: TABLE DATA; Schema: ops; Owner: -
--

COPY ops.sweep_mark (id, source, stream, pass_id, record_ids) FROM stdin;
\.


--
-- Data for Name: record; Type: TABLE DATA; Schema: raw; Owner: -
--

COPY raw.record (record_id, source, stream, source_key, payload, payload_hash, is_deleted, is_deletion_inferred, source_updated_at, ingested_at, run_id) FROM stdin;
4391951748509024073	customers	people	1	{"id": "1", "born": "1984-03-12", "city": "Berlin", "phone": "030 901820", "e-mail": "anna.weber@mail.example", "mobile": "", "segment": "retail", "last name": "Weber", "first name": "Anna"}	39140405-4336-1a42-1bac-3b24cddb3057	f	f	\N	2026-11-28 12:10:40.18294+00	1
-7884696123852520042	customers	people	2	{"id": "2", "born": "1979-11-02", "city": "Hamburg", "phone": "", "e-mail": "j.fischer@mail.example", "mobile": "0151 23456789", "segment": "wholesale", "last name": "Fischer", "first name": "Jonas"}	6b427920-e147-4712-56ba-2c5b220bf34c	f	f	\N	2026-11-28 12:10:40.18294+00	1
-3633422425620241237	customers	people	3	{"id": "3", "born": "1990-07-25", "city": "Munich", "phone": "089 2180", "e-mail": "maria@keller.example", "mobile": "", "segment": "retail", "last name": "Keller", "first name": "Maria"}	5bb2d42b-95e7-6d9f-a8b8-9a47d1614774	f	f	\N	2026-11-28 12:10:40.18294+00	1
-6914081643283460435	customers	people	4	{"id": "4", "born": "1984-03-12", "city": "Berlin", "phone": "", "e-mail": "anna.weber@mail.example", "mobile": "", "segment": "retail", "last name": "Weber", "first name": "Ana"}	35259834-6de1-c7e6-0b7a-2be5629ba653	f	f	\N	2026-11-28 12:10:40.18294+00	1
-6813212030395222203	shop	accounts	A17	{"tel": "+49 30 901820", "name": "Anna Weber", "email": "anna.weber@mail.example", "account": "A17"}	1c3a3876-6f91-084d-850b-f6b960831575	f	f	\N	2026-11-28 12:10:40.245184+00	2
8343923905826488325	shop	accounts	A18	{"tel": "+49 151 23456789", "name": "Fischer Jonas", "email": "jonas@fischer.example", "account": "A18"}	0e7da07c-d047-0670-cd00-740d08de6a5c	f	f	\N	2026-11-28 12:10:40.245184+00	2
7519522108815331909	shop	accounts	A19	{"tel": "+49 221 2210", "name": "Peter Brandt", "email": "p.brandt@mail.example", "account": "A19"}	7c4c9002-81b7-142e-3ec2-694017607cea	f	f	\N	2026-11-28 12:10:40.245184+00	2
8121704880274986112	shop	orders	S-1001	{"total": "149.90", "account": "A17", "order_no": "S-1001", "ordered_on": "2026-01-14"}	7b91c6c3-aab3-12b8-95d2-306ba8b73903	f	f	\N	2026-11-28 12:10:40.265635+00	2
-6033408397576558717	shop	orders	S-1002	{"total": "1290.00", "account": "A18", "order_no": "S-1002", "ordered_on": "2026-01-20"}	d13378eb-daa9-4259-723d-4a450be1f440	f	f	\N	2026-11-28 12:10:40.265635+00	2
9152536994504973218	shop	orders	S-1003	{"total": "35.50", "account": "A17", "order_no": "S-1003", "ordered_on": "2026-02-03"}	c386d48f-c256-36ad-ca33-118f28f9f0e8	f	f	\N	2026-11-28 12:10:40.265635+00	2
\.


--
-- Data for Name: record_version; Type: TABLE DATA; Schema: raw; Owner: -
--

COPY raw.record_version (version_key, record_id, payload, payload_hash, is_deleted, is_deletion_inferred, source_updated_at, ingested_at, superseded_at, run_id) FROM stdin;
\.


--
-- Name: interaction_record_id_seq; Type: SEQUENCE SET; Schema: core; Owner: -
--

SELECT pg_catalog.setval('core.interaction_record_id_seq', 1, false);


--
-- Name: promise_promise_key_seq; Type: SEQUENCE SET; Schema: core; Owner: -
--

SELECT pg_catalog.setval('core.promise_promise_key_seq', 1, false);


--
-- Name: relationship_relationship_key_seq; Type: SEQUENCE SET; Schema: core; Owner: -
--

SELECT pg_catalog.setval('core.relationship_relationship_key_seq', 1, false);


--
-- Name: client_id_ledger_id_seq; Type: SEQUENCE SET; Schema: identity; Owner: -
--

SELECT pg_catalog.setval('identity.client_id_ledger_id_seq', 4, true);


--
-- Name: crosswalk_record_id_seq; Type: SEQUENCE SET; Schema: identity; Owner: -
--

SELECT pg_catalog.setval('identity.crosswalk_record_id_seq', 1, false);


--
-- Name: judgement_judgement_id_seq; Type: SEQUENCE SET; Schema: identity; Owner: -
--

SELECT pg_catalog.setval('identity.judgement_judgement_id_seq', 1, false);


--
-- Name: model_version_seq; Type: SEQUENCE SET; Schema: identity; Owner: -
--

SELECT pg_catalog.setval('identity.model_version_seq', 1, false);


--
-- Name: standard_record_record_id_seq; Type: SEQUENCE SET; Schema: identity; Owner: -
--

SELECT pg_catalog.setval('identity.standard_record_record_id_seq', 1, false);


--
-- Name: change_event_id_seq; Type: SEQUENCE SET; Schema: ops; Owner: -
--

SELECT pg_catalog.setval('ops.change_event_id_seq', 1, false);


--
-- Name: pending_id_seq; Type: SEQUENCE SET; Schema: ops; Owner: -
--

SELECT pg_catalog.setval('ops.pending_id_seq', 48, true);


--
-- Name: run_run_id_seq; Type: SEQUENCE SET; Schema: ops; Owner: -
--

SELECT pg_catalog.setval('ops.run_run_id_seq', 5, true);


--
-- Name: sweep_mark_id_seq; Type: SEQUENCE SET; Schema: ops; Owner: -
--

SELECT pg_catalog.setval('ops.sweep_mark_id_seq', 3, true);


--
-- Name: record_record_id_seq; Type: SEQUENCE SET; Schema: raw; Owner: -
--

SELECT pg_catalog.setval('raw.record_record_id_seq', 1, false);


--
-- Name: record_version_version_key_seq; Type: SEQUENCE SET; Schema: raw; Owner: -
--

SELECT pg_catalog.setval('raw.record_version_version_key_seq', 1, false);


--
-- Name: attribute pk_attribute; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.attribute
    ADD CONSTRAINT pk_attribute PRIMARY KEY (name);


--
-- Name: client pk_client; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.client
    ADD CONSTRAINT pk_client PRIMARY KEY (client_id);


--
-- Name: client_history pk_client_history; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.client_history
    ADD CONSTRAINT pk_client_history PRIMARY KEY (client_id, valid_from);


--
-- Name: interaction pk_interaction; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.interaction
    ADD CONSTRAINT pk_interaction PRIMARY KEY (record_id);


--
-- Name: interaction_line pk_interaction_line; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.interaction_line
    ADD CONSTRAINT pk_interaction_line PRIMARY KEY (record_id, "position");


--
-- Name: interaction_type pk_interaction_type; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.interaction_type
    ADD CONSTRAINT pk_interaction_type PRIMARY KEY (code);


--
-- Name: promise pk_promise; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.promise
    ADD CONSTRAINT pk_promise PRIMARY KEY (promise_key);


--
-- Name: relationship pk_relationship; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.relationship
    ADD CONSTRAINT pk_relationship PRIMARY KEY (relationship_key);


--
-- Name: blocking_key pk_blocking_key; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.blocking_key
    ADD CONSTRAINT pk_blocking_key PRIMARY KEY (key, record_id);


--
-- Name: child_link pk_child_link; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.child_link
    ADD CONSTRAINT pk_child_link PRIMARY KEY (child_record_id, parent_record_id);


--
-- Name: client_id_ledger pk_client_id_ledger; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.client_id_ledger
    ADD CONSTRAINT pk_client_id_ledger PRIMARY KEY (id);


--
-- Name: crosswalk pk_crosswalk; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.crosswalk
    ADD CONSTRAINT pk_crosswalk PRIMARY KEY (record_id);


--
-- Name: crosswalk_history pk_crosswalk_history; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.crosswalk_history
    ADD CONSTRAINT pk_crosswalk_history PRIMARY KEY (record_id, valid_from);


--
-- Name: judgement pk_judgement; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.judgement
    ADD CONSTRAINT pk_judgement PRIMARY KEY (judgement_id);


--
-- Name: model pk_model; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.model
    ADD CONSTRAINT pk_model PRIMARY KEY (version);


--
-- Name: pair pk_pair; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.pair
    ADD CONSTRAINT pk_pair PRIMARY KEY (left_id, right_id);


--
-- Name: review_case pk_review_case; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.review_case
    ADD CONSTRAINT pk_review_case PRIMARY KEY (fingerprint);


--
-- Name: standard_record pk_standard_record; Type: CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.standard_record
    ADD CONSTRAINT pk_standard_record PRIMARY KEY (record_id);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: change_event pk_change_event; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.change_event
    ADD CONSTRAINT pk_change_event PRIMARY KEY (id);


--
-- Name: checkpoint pk_checkpoint; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.checkpoint
    ADD CONSTRAINT pk_checkpoint PRIMARY KEY (source, stream);


--
-- Name: definition pk_definition; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.definition
    ADD CONSTRAINT pk_definition PRIMARY KEY (kind, name);


--
-- Name: hub_clock pk_hub_clock; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.hub_clock
    ADD CONSTRAINT pk_hub_clock PRIMARY KEY (only_row);


--
-- Name: pending pk_pending; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.pending
    ADD CONSTRAINT pk_pending PRIMARY KEY (step, id);


--
-- Name: reject pk_reject; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.reject
    ADD CONSTRAINT pk_reject PRIMARY KEY (fingerprint);


--
-- Name: run pk_run; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.run
    ADD CONSTRAINT pk_run PRIMARY KEY (run_id);


--
-- Name: sweep_mark pk_sweep_mark; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.sweep_mark
    ADD CONSTRAINT pk_sweep_mark PRIMARY KEY (id);


--
-- Name: record pk_record; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.record
    ADD CONSTRAINT pk_record PRIMARY KEY (record_id);


--
-- Name: record_version pk_record_version; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.record_version
    ADD CONSTRAINT pk_record_version PRIMARY KEY (version_key);


--
-- Name: ix_client_changed_seq; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_client_changed_seq ON core.client USING btree (changed_seq);


--
-- Name: ix_client_display_name; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_client_display_name ON core.client USING gin (display_name public.gin_trgm_ops);


--
-- Name: ix_interaction_changed_seq; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_interaction_changed_seq ON core.interaction USING btree (changed_seq);


--
-- Name: ix_interaction_client_id_occurred_at; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_interaction_client_id_occurred_at ON core.interaction USING btree (client_id, occurred_at);


--
-- Name: ix_interaction_party_record_id; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_interaction_party_record_id ON core.interaction USING btree (party_record_id);


--
-- Name: ix_interaction_unpublished; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_interaction_unpublished ON core.interaction USING btree (record_id) WHERE (changed_seq IS NULL);


--
-- Name: ix_promise_record_id; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_promise_record_id ON core.promise USING btree (record_id);


--
-- Name: ix_relationship_from_record_id; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_relationship_from_record_id ON core.relationship USING btree (from_record_id);


--
-- Name: ix_relationship_record_id; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_relationship_record_id ON core.relationship USING btree (record_id);


--
-- Name: ix_relationship_to_record_id; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_relationship_to_record_id ON core.relationship USING btree (to_record_id);


--
-- Name: ix_relationship_unpublished; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX ix_relationship_unpublished ON core.relationship USING btree (relationship_key) WHERE (changed_seq IS NULL);


--
-- Name: uq_client_history_open; Type: INDEX; Schema: core; Owner: -
--

CREATE UNIQUE INDEX uq_client_history_open ON core.client_history USING btree (client_id) WHERE (valid_to IS NULL);


--
-- Name: ix_blocking_key_record_id; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_blocking_key_record_id ON identity.blocking_key USING btree (record_id);


--
-- Name: ix_child_link_parent_record_id; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_child_link_parent_record_id ON identity.child_link USING btree (parent_record_id);


--
-- Name: ix_client_id_ledger_client_id; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_client_id_ledger_client_id ON identity.client_id_ledger USING btree (client_id);


--
-- Name: ix_client_id_ledger_founding_key; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_client_id_ledger_founding_key ON identity.client_id_ledger USING btree (founding_key) WHERE (event = 'mint'::text);


--
-- Name: ix_client_id_ledger_target_client_id; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_client_id_ledger_target_client_id ON identity.client_id_ledger USING btree (target_client_id) WHERE (target_client_id IS NOT NULL);


--
-- Name: ix_crosswalk_client_id; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_crosswalk_client_id ON identity.crosswalk USING btree (client_id);


--
-- Name: ix_crosswalk_history_client_id; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_crosswalk_history_client_id ON identity.crosswalk_history USING btree (client_id);


--
-- Name: ix_identifier_record_id; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_identifier_record_id ON identity.identifier USING btree (record_id);


--
-- Name: ix_identifier_value_type; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_identifier_value_type ON identity.identifier USING btree (value, type) WHERE is_valid;


--
-- Name: ix_judgement_left_ids; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_judgement_left_ids ON identity.judgement USING gin (left_ids);


--
-- Name: ix_judgement_lifts; Type: INDEX; Schema: identity; Owner: -
--

CREATE UNIQUE INDEX ix_judgement_lifts ON identity.judgement USING btree (lifts) WHERE (lifts IS NOT NULL);


--
-- Name: ix_judgement_right_ids; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_judgement_right_ids ON identity.judgement USING gin (right_ids);


--
-- Name: ix_pair_right_id; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_pair_right_id ON identity.pair USING btree (right_id);


--
-- Name: ix_review_case_impact; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_review_case_impact ON identity.review_case USING btree (impact) WHERE (status = 'open'::text);


--
-- Name: ix_review_case_record_ids; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_review_case_record_ids ON identity.review_case USING gin (record_ids);


--
-- Name: ix_standard_record_source_stream; Type: INDEX; Schema: identity; Owner: -
--

CREATE INDEX ix_standard_record_source_stream ON identity.standard_record USING btree (source, stream);


--
-- Name: uq_crosswalk_history_open; Type: INDEX; Schema: identity; Owner: -
--

CREATE UNIQUE INDEX uq_crosswalk_history_open ON identity.crosswalk_history USING btree (record_id) WHERE (valid_to IS NULL);


--
-- Name: uq_model_current; Type: INDEX; Schema: identity; Owner: -
--

CREATE UNIQUE INDEX uq_model_current ON identity.model USING btree (is_current) WHERE is_current;


--
-- Name: ix_change_event_client_id; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX ix_change_event_client_id ON ops.change_event USING btree (client_id) WHERE (client_id IS NOT NULL);


--
-- Name: ix_reject_record_id; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX ix_reject_record_id ON ops.reject USING btree (record_id) WHERE (record_id IS NOT NULL);


--
-- Name: ix_reject_source_stream; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX ix_reject_source_stream ON ops.reject USING btree (source, stream);


--
-- Name: ix_run_command_source_run_id; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX ix_run_command_source_run_id ON ops.run USING btree (command, source, run_id);


--
-- Name: ix_sweep_mark_source_stream_pass_id; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX ix_sweep_mark_source_stream_pass_id ON ops.sweep_mark USING btree (source, stream, pass_id);


--
-- Name: ix_record_source_stream; Type: INDEX; Schema: raw; Owner: -
--

CREATE INDEX ix_record_source_stream ON raw.record USING btree (source, stream);


--
-- Name: ix_record_version_record_id; Type: INDEX; Schema: raw; Owner: -
--

CREATE INDEX ix_record_version_record_id ON raw.record_version USING btree (record_id);


--
-- Name: judgement fk_judgement_lifts; Type: FK CONSTRAINT; Schema: identity; Owner: -
--

ALTER TABLE ONLY identity.judgement
    ADD CONSTRAINT fk_judgement_lifts FOREIGN KEY (lifts) REFERENCES identity.judgement(judgement_id);


--
-- PostgreSQL database dump complete
--


