-- What requests used. Kept apart from the channels: it grows, may be thrown away, and is written all the time.

-- Whatever sums are told apart by, once. `model` is the client's name, `model_id` what was called, `base_model` what the
-- catalogue knows behind it.
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    channel TEXT NOT NULL,
    region TEXT NOT NULL,
    model TEXT NOT NULL,
    model_id TEXT NOT NULL,
    base_model TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    tier TEXT NOT NULL,
    UNIQUE (caller, key, channel, region, model, model_id, base_model, endpoint, tier)
) STRICT;

-- Single requests, kept for hours: what tells repetitions apart. The ids of one worker follow one another, so new rows
-- come beside each other. `cost` is in billionths of a US dollar, NULL if it is unknown.
CREATE TABLE records (
    id BLOB PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    subject INTEGER NOT NULL REFERENCES subjects (id),
    request_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    status INTEGER NOT NULL,
    code TEXT NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    first_token_ms INTEGER,
    cost INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX records_received ON records (received_at);
CREATE INDEX records_at ON records (at_ms);

-- Sums by hour and by day (UTC), `period` in seconds since the epoch.
CREATE TABLE hourly (
    period INTEGER NOT NULL,
    subject INTEGER NOT NULL REFERENCES subjects (id),
    outcome TEXT NOT NULL,
    requests INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    first_token_ms INTEGER NOT NULL,
    with_first_token INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    PRIMARY KEY (period, subject, outcome)
) STRICT, WITHOUT ROWID;
CREATE TABLE daily (
    period INTEGER NOT NULL,
    subject INTEGER NOT NULL REFERENCES subjects (id),
    outcome TEXT NOT NULL,
    requests INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    first_token_ms INTEGER NOT NULL,
    with_first_token INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    PRIMARY KEY (period, subject, outcome)
) STRICT, WITHOUT ROWID;

-- How long requests took, by hour: how many of a subject fell into a bucket. `kind` is `duration` or `first_token`;
-- `bucket` is a power of the square root of two, in milliseconds.
CREATE TABLE latencies (
    period INTEGER NOT NULL,
    subject INTEGER NOT NULL REFERENCES subjects (id),
    outcome TEXT NOT NULL,
    kind TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (period, subject, outcome, kind, bucket)
) STRICT, WITHOUT ROWID;

-- Names of models that were asked for and that nothing serves.
CREATE TABLE unserved (
    model TEXT PRIMARY KEY,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    requests INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers about the whole: `dropped` counts the records for which an Envoy had no room.
CREATE TABLE totals (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
