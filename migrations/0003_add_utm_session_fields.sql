ALTER TABLE sessions ADD COLUMN utm_content TEXT;
ALTER TABLE sessions ADD COLUMN utm_term TEXT;
