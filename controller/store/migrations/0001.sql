R"sql(
-- Names are text and never numbers of an enum; instants are UTC milliseconds; nothing secret is stored unsealed.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One serviceable machine: who it is, where it is, and its five facts.
CREATE TABLE node (
  id                INTEGER PRIMARY KEY,
  serial            TEXT NOT NULL UNIQUE,
  kind              TEXT NOT NULL,
  place             TEXT NOT NULL,
  rack              TEXT NOT NULL,
  sku               TEXT NOT NULL,
  profile           TEXT NOT NULL,
  bmc_mac           TEXT NOT NULL,
  bmc_address       TEXT NOT NULL,
  bmc_port          INTEGER NOT NULL,
  bmc_user          TEXT NOT NULL,
  lifecycle         TEXT NOT NULL,
  allocation        TEXT NOT NULL,
  scheduling        TEXT NOT NULL,
  health            TEXT NOT NULL,
  unreachable_since INTEGER,
  lifecycle_since   INTEGER NOT NULL,
  version           INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX node_one_per_place ON node (place) WHERE place <> '' AND lifecycle <> 'retired';
CREATE UNIQUE INDEX node_one_per_bmc ON node (bmc_address, bmc_port) WHERE bmc_address <> '' AND lifecycle <> 'retired';
-- One covering index per order in which a person may list nodes: filters are judged without touching the table.
CREATE INDEX node_by_place ON node (place, id, serial, lifecycle, kind, health, unreachable_since);
CREATE INDEX node_by_serial ON node (serial, lifecycle, kind, health, unreachable_since, place);
CREATE INDEX node_by_lifecycle ON node (lifecycle, place, id, serial, kind, health, unreachable_since);
CREATE INDEX node_by_since ON node (lifecycle_since, id, serial, lifecycle, kind, health, unreachable_since, place);
CREATE INDEX node_by_rack ON node (rack, lifecycle, health, unreachable_since);
-- Serial, place, MAC and address, for "contains" searches of three characters and more. Changed by imports alone.
CREATE VIRTUAL TABLE node_text USING fts5 (text, tokenize = 'trigram', detail = 'full');

-- How to sign in to a BMC. password, next_password and session_token are sealed with the site key.
CREATE TABLE access (
  node          INTEGER PRIMARY KEY REFERENCES node,
  user          TEXT NOT NULL,
  password      TEXT NOT NULL,
  must_change   INTEGER NOT NULL,
  next_password TEXT,
  session_token TEXT NOT NULL,
  session_uri   TEXT NOT NULL,
  pin           TEXT NOT NULL,
  manifest_mark TEXT NOT NULL    -- keyed digest of what the manifest said: tells a corrected password from a rotated one
) STRICT;

-- What a machine said it is made of, last time it was asked.
CREATE TABLE inventory (
  node         INTEGER PRIMARY KEY REFERENCES node,
  serial       TEXT NOT NULL,
  manufacturer TEXT NOT NULL,
  model        TEXT NOT NULL,
  memory_gib   INTEGER NOT NULL,
  digest       TEXT NOT NULL     -- of everything below it: an inventory that says the same again writes nothing
) STRICT;
CREATE TABLE component (
  node     INTEGER NOT NULL REFERENCES node,
  ordinal  INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  name     TEXT NOT NULL,
  serial   TEXT NOT NULL,
  model    TEXT NOT NULL,
  part     TEXT NOT NULL,
  complete INTEGER NOT NULL,
  sick     INTEGER NOT NULL,
  why      TEXT NOT NULL,
  PRIMARY KEY (node, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX component_by_serial ON component (serial) WHERE serial <> '';
CREATE TABLE firmware_item (
  node       INTEGER NOT NULL REFERENCES node,
  ordinal    INTEGER NOT NULL,
  id         TEXT NOT NULL,
  version    TEXT NOT NULL,
  updateable INTEGER NOT NULL,
  absent     INTEGER NOT NULL,
  PRIMARY KEY (node, ordinal)
) STRICT, WITHOUT ROWID;

-- What nodes must become. kind: sku, baseline, plan, profile. json is canonical, digest is its SHA-256.
CREATE TABLE catalog (
  kind   TEXT NOT NULL,
  name   TEXT NOT NULL,
  digest TEXT NOT NULL,
  json   TEXT NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT;
-- A profile with all it names, frozen for runs.
CREATE TABLE target (
  digest TEXT PRIMARY KEY,
  json   TEXT NOT NULL
) STRICT;
-- What lies in the content store beside the database.
CREATE TABLE file (
  digest TEXT PRIMARY KEY,
  name   TEXT NOT NULL,
  kind   TEXT NOT NULL,
  size   INTEGER NOT NULL
) STRICT;

CREATE TABLE run (
  id            INTEGER PRIMARY KEY,
  workflow      TEXT NOT NULL,
  state         TEXT NOT NULL,
  lane          TEXT NOT NULL,
  parameter     TEXT NOT NULL,
  target        TEXT NOT NULL,
  step          TEXT NOT NULL,
  item          TEXT NOT NULL,
  acts          TEXT NOT NULL,     -- JSON: by item {phase, tries, witness}
  open_act      INTEGER NOT NULL,  -- one of them may have taken effect
  deaths        INTEGER NOT NULL,
  rounds        INTEGER NOT NULL,
  facts         TEXT NOT NULL,
  step_since    INTEGER NOT NULL,
  excused_ms    INTEGER NOT NULL,
  waits_for     TEXT NOT NULL,
  blocked_since INTEGER,
  started_by    TEXT NOT NULL,
  created       INTEGER NOT NULL,
  ended         INTEGER,
  lingers       INTEGER NOT NULL   -- ended, but what it flashed may still be busy
) STRICT;
CREATE INDEX run_lingering ON run (id) WHERE lingers = 1;
CREATE INDEX run_unfinished ON run (lane, id) WHERE state IN ('active', 'blocked');
CREATE INDEX run_by_workflow ON run (workflow, id);
CREATE TABLE run_subject (
  run        INTEGER NOT NULL REFERENCES run,
  ordinal    INTEGER NOT NULL,
  node       INTEGER NOT NULL REFERENCES node,
  unfinished INTEGER NOT NULL,
  PRIMARY KEY (run, ordinal)
) STRICT, WITHOUT ROWID;
-- Nobody else acts on a node while a run does.
CREATE UNIQUE INDEX run_subject_unfinished ON run_subject (node) WHERE unfinished = 1;
CREATE INDEX run_subject_by_node ON run_subject (node, run);

CREATE TABLE finding (
  id         INTEGER PRIMARY KEY,
  node       INTEGER NOT NULL REFERENCES node,
  run        INTEGER,
  cause      TEXT NOT NULL,
  detail     TEXT NOT NULL,
  blocking   INTEGER NOT NULL,
  raised     INTEGER NOT NULL,
  resolved   INTEGER,
  resolution TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX finding_one_open ON finding (node, cause) WHERE resolved IS NULL;
CREATE INDEX finding_open ON finding (id) WHERE resolved IS NULL;
CREATE INDEX finding_by_cause ON finding (cause, id);
CREATE INDEX finding_by_node ON finding (node, id);

CREATE TABLE evidence (
  id            INTEGER PRIMARY KEY,
  node          INTEGER NOT NULL REFERENCES node,
  subject       TEXT NOT NULL,
  run           INTEGER,
  value         TEXT NOT NULL,
  depends_on    TEXT NOT NULL,   -- JSON array of strings, sorted
  at            INTEGER NOT NULL,
  invalid_since INTEGER,
  invalid_why   TEXT NOT NULL,
  UNIQUE (node, subject)
) STRICT;

-- kind: hold, personal_lock. On a node, or on a place and everything in it.
CREATE TABLE hold (
  id          INTEGER PRIMARY KEY,
  kind        TEXT NOT NULL,
  node        INTEGER REFERENCES node,
  place       TEXT NOT NULL,
  owner       TEXT NOT NULL,
  reason      TEXT NOT NULL,
  created     INTEGER NOT NULL,
  expires     INTEGER,
  released    INTEGER,
  released_by TEXT NOT NULL,
  release_why TEXT NOT NULL
) STRICT;
CREATE INDEX hold_open_node ON hold (node) WHERE released IS NULL AND node IS NOT NULL;
CREATE INDEX hold_open_place ON hold (place) WHERE released IS NULL AND node IS NULL;

-- Writes to devices are allowed here and in everything inside. '' is the whole site.
CREATE TABLE armed_place (
  place TEXT PRIMARY KEY,
  since INTEGER NOT NULL,
  by    TEXT NOT NULL,
  why   TEXT NOT NULL
) STRICT;

-- What happened. hash = SHA-256 (hash of the event before, then the canonical line of this one).
CREATE TABLE event (
  sequence INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  node     INTEGER,
  run      INTEGER,
  actor    TEXT NOT NULL,
  data     TEXT NOT NULL,
  hash     TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_node ON event (node) WHERE node IS NOT NULL;
CREATE INDEX event_by_run ON event (run) WHERE node IS NULL AND run IS NOT NULL;
CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;
-- Retention first records up to where it removes (and the hash there), then removes the oldest.
CREATE TRIGGER event_is_kept BEFORE DELETE ON event
WHEN OLD.sequence > coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'events.removed_to'), 0)
BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;

-- What an agent is told, and what it said last. The order's seed carries a token, so it is sealed apart.
CREATE TABLE agent (
  node             INTEGER PRIMARY KEY REFERENCES node,
  order_id         TEXT NOT NULL DEFAULT '',
  order_json       TEXT,
  order_seed       TEXT,
  report           TEXT,
  received         INTEGER,
  -- Of the report, what decides how things go on.
  boot_id          TEXT NOT NULL DEFAULT '',
  sequence         INTEGER NOT NULL DEFAULT 0,
  home             TEXT NOT NULL DEFAULT '',
  image_state      TEXT NOT NULL DEFAULT '',
  image_digest     TEXT NOT NULL DEFAULT '',
  burn_in_order    TEXT NOT NULL DEFAULT '',
  burn_in_finished INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE user (
  name          TEXT PRIMARY KEY,
  password_hash TEXT NOT NULL,
  grants        TEXT NOT NULL,   -- JSON array of {role, place}
  created       INTEGER NOT NULL,
  disabled      INTEGER NOT NULL,
  must_change   INTEGER NOT NULL
) STRICT;
-- Only the hash of a token is kept. kind: api, session.
CREATE TABLE token (
  id      INTEGER PRIMARY KEY,
  kind    TEXT NOT NULL,
  user    TEXT NOT NULL REFERENCES user,
  name    TEXT NOT NULL,
  hash    TEXT NOT NULL UNIQUE,
  created INTEGER NOT NULL,
  expires INTEGER,
  revoked INTEGER
) STRICT;
CREATE INDEX token_by_user ON token (user);
-- The answer to a POST, to be given again when the same request comes again.
CREATE TABLE idempotency (
  user    TEXT NOT NULL,
  key     TEXT NOT NULL,
  request TEXT NOT NULL,         -- digest of method, path and body
  status  INTEGER NOT NULL,
  body    TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created);
)sql"
