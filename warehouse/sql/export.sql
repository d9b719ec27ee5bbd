-- Served views on their way out of the hub (export.py).

-- name: begin
-- One snapshot for all views of an export, and no way to write in it.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- name: last_change
-- The first resolve numbers its links before the first publish shows them: until then nothing has changed.
SELECT CASE WHEN EXISTS (SELECT FROM core.client) THEN coalesce(max(last_event_id), 0) ELSE 0 END FROM ops.hub_clock

-- name: become
SET LOCAL ROLE {role}

-- name: rows
SELECT {columns} FROM {view} AS v WHERE {condition}

-- name: between
v.changed_seq > {after} AND v.changed_seq <= {upto}

-- name: sizes
-- Rows by change, in order: where a part may end.
SELECT v.changed_seq, count(*)
FROM {view} AS v
WHERE v.changed_seq > {after} AND v.changed_seq <= {upto}
GROUP BY v.changed_seq
ORDER BY v.changed_seq

-- name: as_is
v.{0}

-- name: as_text
v.{0}::text

-- name: as_json
to_json(v.{0})::text

-- name: finite
CASE WHEN isfinite(v.{0}) THEN v.{0} END

-- name: twelve_decimals
CASE WHEN scale(v.{0}) > 12 THEN round(v.{0}, 12) ELSE v.{0} END

-- name: ru_number
replace(v.{0}::text, '.', ',')

-- name: ru_date
CASE WHEN isfinite(v.{0}) THEN to_char(v.{0}, 'DD.MM.YYYY') END

-- name: ru_time
CASE WHEN isfinite(v.{0}) THEN to_char(v.{0} AT TIME ZONE 'UTC', 'DD.MM.YYYY HH24:MI:SS') END

-- name: ru_boolean
CASE WHEN v.{0} THEN 'ИСТИНА' WHEN NOT v.{0} THEN 'ЛОЖЬ' END

-- name: ru_text
-- An apostrophe keeps a spreadsheet from calculating a text or from taking its digits for a number.
CASE WHEN v.{0}::text ~ '^([-=+@\t\r]|0[0-9]|[0-9]{{12,}}$)' THEN '''' || v.{0}::text ELSE v.{0}::text END

-- name: ru_list
CASE WHEN array_to_string(v.{0}, ', ') ~ '^([-=+@\t\r]|0[0-9]|[0-9]{{12,}}$)'
THEN '''' || array_to_string(v.{0}, ', ') ELSE array_to_string(v.{0}, ', ') END
