-- The revision that an edit went back to, if it did.
ALTER TABLE audit ADD COLUMN restored INTEGER;
CREATE INDEX audit_of_channel ON audit (channel_id, revision);
