-- What the accounts of channels have, as Bedrock's control plane told. `asked_at` is in seconds since the epoch.
CREATE TABLE discoveries (
    channel_id TEXT PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    asked_at INTEGER NOT NULL,
    document TEXT NOT NULL CHECK (json_valid(document))
) STRICT;
