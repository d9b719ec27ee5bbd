-- What changed, in order. Of what was cleared some events stay unserved, so that moments still find their numbers.

CREATE OR REPLACE VIEW onefold_v1.change_feed AS
SELECT e.id AS changed_seq, e.at AS changed_at, e.kind AS change, e.client_id, e.payload, false AS is_deleted
FROM ops.change_event AS e
WHERE e.id > coalesce((SELECT c.feed_floor FROM ops.hub_clock AS c), 0);
COMMENT ON VIEW onefold_v1.change_feed IS 'Everything that changed, in order; read on from the last changed_seq that you have';
