-- In production this seed vanished silently (webhook_url was NOT NULL). 0019 seeds instead, so that
-- a fresh database and the inherited one get the rows once, the same way.
SELECT 1;
