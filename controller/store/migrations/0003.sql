R"sql(
-- A switch tray is two machines: its BMC, and the system that it runs, with an address and a password of its own.
CREATE TABLE access_by_endpoint (
  node          INTEGER NOT NULL REFERENCES node,
  endpoint      TEXT NOT NULL,     -- bmc, os
  user          TEXT NOT NULL,
  password      TEXT NOT NULL,
  must_change   INTEGER NOT NULL,
  next_password TEXT,
  session_token TEXT NOT NULL,
  session_uri   TEXT NOT NULL,
  pin           TEXT NOT NULL,
  manifest_mark TEXT NOT NULL,
  version       INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (node, endpoint)
) STRICT;
INSERT INTO access_by_endpoint
  SELECT node, 'bmc', user, password, must_change, next_password, session_token, session_uri, pin, manifest_mark, version
  FROM access;
DROP TABLE access;
ALTER TABLE access_by_endpoint RENAME TO access;
ALTER TABLE node ADD COLUMN os_address TEXT NOT NULL DEFAULT '';
ALTER TABLE node ADD COLUMN os_port INTEGER NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN os_user TEXT NOT NULL DEFAULT '';
)sql"
