-- Clusters that Envoys may have: those of the published revision, and others for a while after they were
-- retired. A restarted service must not take them away from requests under way. No secret is in `document`;
-- `retired_at` is in milliseconds since the epoch.
CREATE TABLE published_clusters (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL CHECK (json_valid(document)),
    retired_at INTEGER
) STRICT;
