-- Who may sign in to console and API.

-- name: add
INSERT INTO ops.account (login, role, sees_values, password_hash, signed_out_at, created_at, created_by)
VALUES (%(login)s, %(role)s, %(sees_values)s, %(password_hash)s, %(at)s, %(at)s, %(by)s)
ON CONFLICT (lower(login)) DO NOTHING
RETURNING account_id

-- name: change
-- A link that was made before is no way around it.
WITH gone AS (
    DELETE FROM ops.sign_in_link AS l USING ops.account AS a
    WHERE a.account_id = l.account_id AND lower(a.login) = lower(%(login)s)
)
UPDATE ops.account SET
    role = coalesce(%(role)s::text, role),
    sees_values = coalesce(%(sees_values)s::boolean, sees_values),
    password_hash = coalesce(%(password_hash)s::text, password_hash),
    is_active = coalesce(%(is_active)s::boolean, is_active),
    signed_out_at = %(at)s
WHERE lower(login) = lower(%(login)s)

-- name: named
SELECT account_id, login, role, sees_values, password_hash, language, is_active FROM ops.account
WHERE lower(login) = lower(%(login)s)

-- name: everybody
SELECT a.login, a.role, a.sees_values, a.password_hash IS NOT NULL AS has_password, a.is_active, a.created_at::text,
    a.created_by, (SELECT max(s.seen_at)::text FROM ops.session AS s WHERE s.account_id = a.account_id) AS seen_at
FROM ops.account AS a
ORDER BY lower(a.login)

-- name: forget_sessions
DELETE FROM ops.session WHERE expires_at <= %(at)s

-- name: open_session
INSERT INTO ops.session (session_hash, account_id, purpose, created_at, seen_at, expires_at)
VALUES (%(hash)s, %(account_id)s, %(purpose)s, %(at)s, %(at)s, %(expires_at)s)

-- name: session
-- Written once a minute at most: a look is no reason to write.
WITH found AS (
    SELECT a.account_id, a.login, a.role, a.sees_values, a.language, s.purpose, s.session_hash, s.seen_at
    FROM ops.session AS s
    JOIN ops.account AS a ON a.account_id = s.account_id
    WHERE s.session_hash = %(hash)s AND s.expires_at > %(at)s AND s.seen_at > %(unused_since)s
        AND a.is_active AND s.created_at >= a.signed_out_at
),
seen AS (
    UPDATE ops.session AS s SET seen_at = %(at)s
    FROM found AS f
    WHERE s.session_hash = f.session_hash AND s.seen_at < %(at)s::timestamptz - interval '1 minute'
)
SELECT account_id, login, role, sees_values, language, purpose FROM found

-- name: end_session
DELETE FROM ops.session WHERE session_hash = %(hash)s

-- name: forget_links
DELETE FROM ops.sign_in_link WHERE expires_at <= %(at)s

-- name: add_link
INSERT INTO ops.sign_in_link (link_hash, account_id, created_by, expires_at)
VALUES (%(hash)s, %(account_id)s, %(by)s, %(expires_at)s)

-- name: use_link
UPDATE ops.sign_in_link AS l SET used_at = %(at)s
FROM ops.account AS a
WHERE l.link_hash = %(hash)s AND l.used_at IS NULL AND l.expires_at > %(at)s
    AND a.account_id = l.account_id AND a.is_active
RETURNING l.account_id

-- name: failures
SELECT coalesce(max(f.times), 0)
FROM (
    SELECT count(*) AS times FROM ops.sign_in_failure
    WHERE subject_hash = ANY (%(subjects)s::bytea[]) AND at > %(since)s
    GROUP BY subject_hash
) AS f

-- name: forget_failures
DELETE FROM ops.sign_in_failure WHERE at < %(before)s

-- name: failed
INSERT INTO ops.sign_in_failure (subject_hash, at) SELECT subject, %(at)s FROM unnest(%(subjects)s::bytea[]) AS subject

-- name: forgive
DELETE FROM ops.sign_in_failure WHERE subject_hash = %(subject)s

-- name: add_token
INSERT INTO ops.api_token (token_hash, name, scopes, purpose, created_at, created_by, expires_at)
VALUES (%(hash)s, %(name)s, %(scopes)s, %(purpose)s, %(at)s, %(by)s, %(expires_at)s)
ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING
RETURNING token_id

-- name: token
WITH found AS (
    SELECT token_id, name, scopes, purpose, used_at FROM ops.api_token
    WHERE token_hash = %(hash)s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %(at)s)
),
used AS (
    UPDATE ops.api_token AS t SET used_at = %(at)s
    FROM found AS f
    WHERE t.token_id = f.token_id AND (f.used_at IS NULL OR f.used_at < %(at)s::timestamptz - interval '1 hour')
)
SELECT token_id, name, scopes, purpose FROM found

-- name: tokens
SELECT name, scopes, purpose, created_at::text, created_by, expires_at::text, used_at::text, revoked_at::text
FROM ops.api_token
ORDER BY revoked_at IS NOT NULL, name, token_id

-- name: revoke
UPDATE ops.api_token SET revoked_at = %(at)s WHERE name = %(name)s AND revoked_at IS NULL
