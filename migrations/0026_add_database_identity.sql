-- Which database this is, in exactly one row. A backup holds it, so that a restore brings the id back
-- with a new generation, and a database that was made anew has another id.
CREATE TABLE database_identity (
  only_row   INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
  id         TEXT NOT NULL,
  generation TEXT NOT NULL
);

INSERT INTO database_identity (id, generation)
VALUES (lower(hex(randomblob(16))), lower(hex(randomblob(16))));
