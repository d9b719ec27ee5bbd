-- What is to be mended in the registers themselves, as of the last look; closed entries stay, so that trends follow.

CREATE OR REPLACE VIEW onefold_v1.report_fix_at_source AS
SELECT
    f.fix_id,
    f.kind,
    f.source,
    f.stream,
    f.source_key,
    f.record_id,
    f.other_record_id,
    f.client_id,
    f.attribute,
    f.value,
    f.better,
    f.rule,
    f.opened_at,
    f.closed_at,
    f.closed_as,
    core.golden_text(r.attributes, 'url') AS url,
    clock.changed_seq,
    false AS is_deleted
FROM ops.source_fix AS f
LEFT JOIN identity.standard_record AS r ON r.record_id = f.record_id
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock;
COMMENT ON VIEW onefold_v1.report_fix_at_source IS 'Duplicates and wrong values in the registers, each with the record that is to be mended, open or closed';
