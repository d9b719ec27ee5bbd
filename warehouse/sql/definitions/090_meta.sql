-- What the served views are, and how fresh. Installed after all other rooms, whose views it describes.

CREATE OR REPLACE VIEW onefold_v1.meta_dataset AS
WITH last_run AS (
    SELECT max(finished_at) FILTER (WHERE command = 'publish' AND status = 'done') AS published_at,
        max(finished_at) FILTER (WHERE command = 'sync' AND status = 'done') AS synced_at
    FROM ops.run
), clock AS (
    SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock
)
SELECT d.dataset, d.rows, d.last_changed_at, last_run.published_at, last_run.synced_at, clock.changed_seq,
    false AS is_deleted
FROM (
    SELECT 'dim_party' AS dataset, (SELECT count(*) FROM core.client) AS rows,
        (SELECT max(valid_from) FROM core.client) AS last_changed_at
    UNION ALL
    SELECT 'dim_client', (SELECT count(*) FROM core.client WHERE role IN ('client', 'prospect')),
        (SELECT max(valid_from) FROM core.client WHERE role IN ('client', 'prospect'))
    UNION ALL
    SELECT 'xref_client_record', (SELECT count(*) FROM identity.crosswalk),
        (SELECT max(since) FROM identity.crosswalk)
    UNION ALL
    SELECT 'fct_interaction', (SELECT count(*) FROM core.interaction),
        (SELECT max(at) FROM ops.change_event WHERE kind = 'facts')
    UNION ALL
    SELECT 'bridge_relationship', (SELECT count(*) FROM core.relationship),
        (SELECT max(at) FROM ops.change_event WHERE kind = 'facts')
) AS d
CROSS JOIN last_run
CROSS JOIN clock;
COMMENT ON VIEW onefold_v1.meta_dataset IS 'Rows and freshness of the served views';
