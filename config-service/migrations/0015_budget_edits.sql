-- One row for each edit of a budget; without tokens and money it was removed.
CREATE TABLE budget_edits (
    edit INTEGER PRIMARY KEY,
    caller TEXT NOT NULL,
    tokens INTEGER,
    nano_usd INTEGER,
    at TEXT NOT NULL,
    actor TEXT NOT NULL
) STRICT;
