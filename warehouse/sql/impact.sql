-- How much hangs on records.

-- name: interactions_of
SELECT i.party_record_id, count(*)
FROM core.interaction AS i
WHERE i.party_record_id = ANY (%(record_ids)s::bigint[]) AND NOT i.is_deleted
GROUP BY i.party_record_id
