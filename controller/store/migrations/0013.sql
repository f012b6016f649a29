R"sql(
-- A person's word that a rack goes on without one of its nodes until a day.
CREATE TABLE waiver (
  id           INTEGER PRIMARY KEY,
  node         INTEGER NOT NULL REFERENCES node (id),
  by           TEXT NOT NULL,
  reason       TEXT NOT NULL,
  granted      INTEGER NOT NULL,
  until        INTEGER NOT NULL,
  withdrawn    INTEGER,
  withdrawn_by TEXT NOT NULL DEFAULT '',
  withdraw_why TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX waiver_open ON waiver (node) WHERE withdrawn IS NULL;
)sql"
