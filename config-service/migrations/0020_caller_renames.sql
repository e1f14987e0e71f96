-- Callers that got another name, for the database of usage: it takes over each of them once.
CREATE TABLE caller_renames (
    rename INTEGER PRIMARY KEY,
    earlier TEXT NOT NULL,
    later TEXT NOT NULL
) STRICT;
