R"sql(
-- A rack that comes up as a whole, by a recipe of the catalogue (kind recipe).
CREATE TABLE rack (
  place  TEXT PRIMARY KEY,   -- hall/row/rack
  recipe TEXT NOT NULL,
  state  TEXT NOT NULL,
  since  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql"
