R"sql(
-- What the catalogue said of the baseline that a member had before, when the campaign took it from it; '' is not known.
ALTER TABLE campaign_member ADD COLUMN previous_digest TEXT NOT NULL DEFAULT '';
)sql"
