-- Credentials that AWS issued for channels that have a source instead of a key. `document` is what the
-- filter gets; `expires_at` is in milliseconds since the epoch.
CREATE TABLE issued_credentials (
    channel_id TEXT PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    channel_revision INTEGER NOT NULL,
    document TEXT NOT NULL CHECK (json_valid(document)),
    expires_at INTEGER
) STRICT;
