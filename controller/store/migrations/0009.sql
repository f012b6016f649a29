R"sql(
-- Of two passwords, which is tried next: after a crash in a guess the other one is.
ALTER TABLE access ADD COLUMN guess_current INTEGER NOT NULL DEFAULT 0;
UPDATE access SET guess_current = refusals & 1;
)sql"
