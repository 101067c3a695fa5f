-- What was refused without an error, by day and kind (bots, other sites), so that nothing disappears silently.
CREATE TABLE refused_requests (
  day TEXT NOT NULL,
  kind TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (day, kind)
) WITHOUT ROWID;
