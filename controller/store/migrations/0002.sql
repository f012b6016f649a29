R"sql(
-- Two write here: the driver, which rotates passwords and opens sessions, and people, by imports and accepted certificates.
-- Who saves what he read before the other wrote is refused.
ALTER TABLE access ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
)sql"
