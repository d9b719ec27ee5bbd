-- The day that is today for the hub: in its own time zone, or the one that a session names: SET onefold.today = '2025-12-31'.

CREATE OR REPLACE VIEW core.hub_day AS
SELECT coalesce(
    nullif(current_setting('onefold.today', true), '')::date,
    (now() AT TIME ZONE coalesce((SELECT c.time_zone FROM ops.hub_clock AS c), 'UTC'))::date
) AS today;
COMMENT ON VIEW core.hub_day IS 'The day in the time zone of the hub, or the one that onefold.today names';
COMMENT ON COLUMN core.hub_day.today IS 'The day';

CREATE OR REPLACE FUNCTION core.promise_outcome(due_on date, actual_on date, due_value numeric, actual_value numeric, today date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN due_on IS NOT NULL AND actual_on IS NOT NULL THEN CASE WHEN actual_on <= due_on THEN 'kept' ELSE 'missed' END
    WHEN due_value IS NOT NULL AND actual_value IS NOT NULL THEN CASE WHEN actual_value >= due_value THEN 'kept' ELSE 'missed' END
    WHEN due_on < today THEN 'overdue'
    ELSE 'open'
END;
COMMENT ON FUNCTION core.promise_outcome(date, date, numeric, numeric, date) IS 'What has become of a promise by a day: kept, missed, overdue or open';
