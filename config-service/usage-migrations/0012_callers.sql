-- What would have become of requests if every client needed a key, by minute (`minute` in seconds since the epoch).
-- `foreseen` is `served`, the word for a refusal, or empty where nobody looked. Kept for hours.
CREATE TABLE foreseen (
    minute INTEGER NOT NULL,
    foreseen TEXT NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (minute, foreseen)
) STRICT, WITHOUT ROWID;

-- When callers and keys were last used, in milliseconds since the epoch. `kind` is `caller`, by name, or `key`, by the
-- start of its hash.
CREATE TABLE last_used (
    kind TEXT NOT NULL CHECK (kind IN ('caller', 'key')),
    name TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
