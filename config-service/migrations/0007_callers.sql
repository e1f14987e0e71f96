-- Callers. `document` is what administrators configure; it has no secret.
CREATE TABLE callers (
    id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(8)))),
    name TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL CHECK (json_valid(document)),
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

-- Their keys. `hash` is SHA-256; the key itself is nowhere. `hint` is what may be shown of it. `expires_at` is in
-- seconds since the epoch.
CREATE TABLE caller_keys (
    id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(8)))),
    caller_id TEXT NOT NULL REFERENCES callers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    hint TEXT NOT NULL,
    expires_at INTEGER,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL
) STRICT;
CREATE INDEX keys_of_caller ON caller_keys (caller_id);

-- One row: what applies to all callers.
CREATE TABLE caller_policy (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    document TEXT NOT NULL CHECK (json_valid(document)),
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO caller_policy (id, document, revision) VALUES (1, '{}', 0);

-- One row per accepted edit of a caller, its keys or the policy, which has no `caller_id`.
CREATE TABLE caller_audit (
    revision INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('create', 'update', 'delete')),
    caller_id TEXT,
    caller_name TEXT,
    before TEXT CHECK (before IS NULL OR json_valid(before)),
    after TEXT CHECK (after IS NULL OR json_valid(after)),
    restored INTEGER
) STRICT;
CREATE INDEX audit_of_caller ON caller_audit (caller_id, revision);

-- The last revision that changed any of it.
ALTER TABLE meta ADD COLUMN callers_revision INTEGER NOT NULL DEFAULT 0;
