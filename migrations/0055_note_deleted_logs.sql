-- The log of the old Worker expires row by row, and erasures delete from it. Without these rows a
-- backup of the hour said nothing of it, and no restore could take one that counted fewer rows.
CREATE TRIGGER system_logs_deleted AFTER DELETE ON system_logs BEGIN INSERT INTO row_changes (table_name, key, deleted) VALUES ('system_logs', OLD.id, 1); END;
