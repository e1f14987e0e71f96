-- Keys that were revoked, by themselves or with their caller, by the start of their SHA-256, as usage names them. None of
-- them can be brought back: a file of another gateway's keys that is imported again still has them.
CREATE TABLE revoked_keys (
    fingerprint TEXT PRIMARY KEY CHECK (length(fingerprint) = 12),
    revoked_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Those of earlier versions, as the history has them.
INSERT OR IGNORE INTO revoked_keys (fingerprint, revoked_at)
SELECT json_extract(key.value, '$.fingerprint'), audit.at
FROM caller_audit AS audit, json_each(audit.before, '$.keys') AS key
WHERE length(json_extract(key.value, '$.fingerprint')) = 12
    AND json_extract(key.value, '$.fingerprint') NOT IN (SELECT substr(lower(hex(hash)), 1, 12) FROM caller_keys);

-- 1 if another key has been made in place of it, so that it ends at `expires_at`.
ALTER TABLE caller_keys ADD COLUMN rotated INTEGER NOT NULL DEFAULT 0;
