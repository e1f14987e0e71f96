-- What callers may use in a calendar month. The empty caller stands for everybody together. `nano_usd` is in billionths
-- of a US dollar.
CREATE TABLE budgets (
    caller TEXT PRIMARY KEY,
    tokens INTEGER CHECK (tokens >= 0),
    nano_usd INTEGER CHECK (nano_usd >= 0),
    updated_at TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    CHECK (tokens IS NOT NULL OR nano_usd IS NOT NULL)
) STRICT;
