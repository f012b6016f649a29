R"sql(
-- Guesses of a password count from before they are sent: whoever crashes in one has spent it.
ALTER TABLE access RENAME COLUMN refused_at TO guessed_at;
ALTER TABLE access ADD COLUMN guesses INTEGER NOT NULL DEFAULT 0;
UPDATE access SET guesses = refusals;
)sql"
