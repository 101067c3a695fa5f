-- Links that show the numbers of one project or one pixel without an API key, until a date or a word.
CREATE TABLE shared_views (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  project_id TEXT NOT NULL, -- no foreign key: projects are never deleted
  pixel_id   TEXT, -- NULL: all pixels of the project
  sha256     TEXT NOT NULL UNIQUE, -- of the secret of the link, which is stored nowhere
  created_at TEXT NOT NULL,
  ends_at    TEXT NOT NULL,
  revoked_at TEXT
) WITHOUT ROWID;
CREATE INDEX shared_views_by_project ON shared_views (project_id, created_at);
