-- Credentials that are stored by themselves, for any number of channels. `document` is what a channel's
-- `credentials` would be, with its secrets.
CREATE TABLE credentials (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL CHECK (json_valid(document)),
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

-- One row per accepted edit of one. `before` and `after` never hold a secret.
CREATE TABLE credential_audit (
    revision INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('create', 'update', 'delete')),
    name TEXT NOT NULL,
    before TEXT CHECK (before IS NULL OR json_valid(before)),
    after TEXT CHECK (after IS NULL OR json_valid(after))
) STRICT;
CREATE INDEX credential_audit_of_name ON credential_audit (name, revision);
