-- Prices that administrators have set in place of those of the table, one row for each edit: their history. Of each id
-- the last row counts; without rates the table's own apply again. `rates` is in US dollars for a million tokens.
CREATE TABLE prices (
    edit INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    rates TEXT CHECK (rates IS NULL OR json_valid(rates)),
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
CREATE INDEX prices_of_id ON prices (id, edit);
