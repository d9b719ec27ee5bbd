-- The served contract, version 1. Views are only ever replaced with columns appended: analysts hang their own on them.
-- dim_party, dim_client and dim_client_history are composed by warehouse/served.py from the two inner views below,
-- because attributes.yaml appends columns to them.

CREATE OR REPLACE VIEW core.served_party AS
SELECT
    c.client_id,
    c.kind,
    c.role,
    c.display_name,
    core.golden_text(c.attributes, 'given_name') AS given_name,
    core.golden_text(c.attributes, 'middle_name') AS middle_name,
    core.golden_text(c.attributes, 'family_name') AS family_name,
    core.golden_date(c.attributes, 'birth_date') AS birth_date,
    core.golden_text(c.attributes, 'gender') AS gender,
    core.golden_text(c.attributes, 'legal_name') AS legal_name,
    core.golden_text(c.attributes, 'inn') AS inn,
    core.golden_text(c.attributes, 'kpp') AS kpp,
    core.golden_text(c.attributes, 'ogrn') AS ogrn,
    core.golden_text(c.attributes, 'vat') AS vat,
    core.golden_text(c.attributes, 'email') AS email,
    core.golden_list(c.attributes, 'email') AS emails,
    core.golden_text(c.attributes, 'phone') AS phone,
    core.golden_list(c.attributes, 'phone') AS phones,
    core.golden_text(c.attributes, 'domain') AS domain,
    core.golden_text(c.attributes, 'country') AS country,
    core.golden_text(c.attributes, 'region') AS region,
    core.golden_text(c.attributes, 'city') AS city,
    core.golden_text(c.attributes, 'street') AS street,
    core.golden_text(c.attributes, 'house') AS house,
    core.golden_text(c.attributes, 'postcode') AS postcode,
    c.record_count,
    c.attributes,
    c.valid_from,
    c.changed_seq,
    c.is_deleted
FROM core.client AS c;
COMMENT ON VIEW core.served_party IS 'Golden records with the standard attributes as columns; the base of dim_party and dim_client';

CREATE OR REPLACE VIEW core.served_party_history AS
SELECT
    h.client_id,
    h.valid_from,
    h.valid_to,
    h.kind,
    h.role,
    h.display_name,
    core.golden_text(h.attributes, 'given_name') AS given_name,
    core.golden_text(h.attributes, 'middle_name') AS middle_name,
    core.golden_text(h.attributes, 'family_name') AS family_name,
    core.golden_date(h.attributes, 'birth_date') AS birth_date,
    core.golden_text(h.attributes, 'gender') AS gender,
    core.golden_text(h.attributes, 'legal_name') AS legal_name,
    core.golden_text(h.attributes, 'inn') AS inn,
    core.golden_text(h.attributes, 'kpp') AS kpp,
    core.golden_text(h.attributes, 'ogrn') AS ogrn,
    core.golden_text(h.attributes, 'vat') AS vat,
    core.golden_text(h.attributes, 'email') AS email,
    core.golden_list(h.attributes, 'email') AS emails,
    core.golden_text(h.attributes, 'phone') AS phone,
    core.golden_list(h.attributes, 'phone') AS phones,
    core.golden_text(h.attributes, 'domain') AS domain,
    core.golden_text(h.attributes, 'country') AS country,
    core.golden_text(h.attributes, 'region') AS region,
    core.golden_text(h.attributes, 'city') AS city,
    core.golden_text(h.attributes, 'street') AS street,
    core.golden_text(h.attributes, 'house') AS house,
    core.golden_text(h.attributes, 'postcode') AS postcode,
    h.record_count,
    h.attributes,
    h.changed_seq,
    h.is_deleted
FROM core.client_history AS h;
COMMENT ON VIEW core.served_party_history IS 'Versions of golden records with columns; the base of dim_client_history';
