-- Names that choose a model. `document` is what one chooses from, as the filter reads it.
CREATE TABLE model_choices (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL CHECK (json_valid(document)),
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

-- One row per accepted edit of one. `restored` is the revision that the edit went back to, if it did.
CREATE TABLE model_choice_audit (
    revision INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('create', 'update', 'delete')),
    name TEXT NOT NULL,
    before TEXT CHECK (before IS NULL OR json_valid(before)),
    after TEXT CHECK (after IS NULL OR json_valid(after)),
    restored INTEGER
) STRICT;
CREATE INDEX model_choice_audit_of_name ON model_choice_audit (name, revision);
