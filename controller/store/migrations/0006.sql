R"sql(
-- A node's BMC may be on the manifest by its MAC alone; its address then comes from a DHCP lease.
ALTER TABLE node ADD COLUMN bmc_leased INTEGER NOT NULL DEFAULT 0;
CREATE INDEX node_by_mac ON node (bmc_mac) WHERE bmc_mac <> '';
CREATE INDEX node_by_os_address ON node (os_address) WHERE os_address <> '';

-- A device that no manifest names: seen by a lease (its MAC is known), by a scan (it answered), or both.
CREATE TABLE unlisted (
  id              INTEGER PRIMARY KEY,
  mac             TEXT NOT NULL,
  address         TEXT NOT NULL,
  port            INTEGER NOT NULL,
  hostname        TEXT NOT NULL,
  vendor_class    TEXT NOT NULL,
  circuit         TEXT NOT NULL,
  remote          TEXT NOT NULL,
  place           TEXT NOT NULL,
  uuid            TEXT NOT NULL,
  vendor          TEXT NOT NULL,
  product         TEXT NOT NULL,
  redfish_version TEXT NOT NULL,
  pin             TEXT NOT NULL,
  answered        INTEGER,
  first_seen      INTEGER NOT NULL,
  last_seen       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX unlisted_one_per_mac ON unlisted (mac) WHERE mac <> '';
CREATE UNIQUE INDEX unlisted_one_per_address ON unlisted (address) WHERE address <> '';
CREATE INDEX unlisted_by_age ON unlisted (last_seen);
)sql"
