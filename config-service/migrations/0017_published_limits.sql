-- Values of limits for which a fleet's own rate limit service has rules. An Envoy that was away when a limit changed
-- still asks with the old value, also after a restart of this service.
CREATE TABLE published_limits (
    kind TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT;
