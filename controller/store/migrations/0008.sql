R"sql(
-- How often a machine has refused what we know, since it last let us in: nobody guesses on, and no restart forgets it.
ALTER TABLE access ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
ALTER TABLE access ADD COLUMN refused_at INTEGER NOT NULL DEFAULT 0;
)sql"
