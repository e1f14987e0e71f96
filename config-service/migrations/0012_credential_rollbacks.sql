-- The revision that an edit of a credential rolled back to.
ALTER TABLE credential_audit ADD COLUMN restored INTEGER;
