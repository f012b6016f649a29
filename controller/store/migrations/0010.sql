R"sql(
-- A canary that shows nothing halts its campaign, until a person goes on all the same.
ALTER TABLE campaign ADD COLUMN canary_waived INTEGER NOT NULL DEFAULT 0;
)sql"
