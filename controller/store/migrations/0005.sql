R"sql(
-- Firmware campaigns, and the baseline that one has given to a node; '' is its profile's.
ALTER TABLE node ADD COLUMN baseline TEXT NOT NULL DEFAULT '';

CREATE TABLE campaign (
  id              INTEGER PRIMARY KEY,
  name            TEXT NOT NULL,
  baseline        TEXT NOT NULL,
  baseline_digest TEXT NOT NULL,
  kind            TEXT NOT NULL,
  place           TEXT NOT NULL,
  profile         TEXT NOT NULL,
  window          INTEGER NOT NULL CHECK (window > 0),
  per_rack        INTEGER NOT NULL CHECK (per_rack >= 0),
  canary          INTEGER NOT NULL CHECK (canary >= 0),
  failure_budget  INTEGER NOT NULL CHECK (failure_budget >= 0),
  forgiven        INTEGER NOT NULL,
  state           TEXT NOT NULL,
  goal            TEXT NOT NULL,
  why             TEXT NOT NULL,
  created_by      TEXT NOT NULL,
  created         INTEGER NOT NULL,
  since           INTEGER NOT NULL
) STRICT;

-- The selection, frozen; in the order in which they are taken.
CREATE TABLE campaign_member (
  campaign INTEGER NOT NULL REFERENCES campaign(id),
  ordinal  INTEGER NOT NULL,
  node     INTEGER NOT NULL REFERENCES node(id),
  rack     TEXT NOT NULL,
  canary   INTEGER NOT NULL,
  state    TEXT NOT NULL,
  begun    INTEGER NOT NULL,
  previous TEXT NOT NULL,
  why      TEXT NOT NULL,
  since    INTEGER NOT NULL,
  PRIMARY KEY (campaign, ordinal)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX campaign_member_by_node ON campaign_member (node, campaign);
)sql"
