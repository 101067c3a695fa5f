-- Column by column, because dropping the table would take the pixels with it (ON DELETE CASCADE,
-- and D1 keeps foreign keys on during a migration).
ALTER TABLE projects ADD COLUMN optional_webhook_url TEXT;

-- The trigger on updates would stamp updated_at of every row, and cannot be dropped, because its
-- name in production is not known. OR IGNORE also governs what a trigger does, so this check makes
-- it skip the stamp. https://www.sqlite.org/lang_createtrigger.html
ALTER TABLE projects ADD COLUMN kept_updated_at TEXT CHECK (kept_updated_at = updated_at);
UPDATE OR IGNORE projects SET optional_webhook_url = webhook_url, kept_updated_at = updated_at;
ALTER TABLE projects DROP COLUMN kept_updated_at;

ALTER TABLE projects DROP COLUMN webhook_url;
ALTER TABLE projects RENAME COLUMN optional_webhook_url TO webhook_url;
