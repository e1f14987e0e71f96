-- How long requests took, by day, so that weeks and months need not be added up from their hours.
CREATE TABLE daily_latencies (
    period INTEGER NOT NULL,
    subject INTEGER NOT NULL REFERENCES subjects (id),
    outcome TEXT NOT NULL,
    kind TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (period, subject, outcome, kind, bucket)
) STRICT, WITHOUT ROWID;

-- An hour belongs to the latest day that has begun, whatever time zone that is of.
INSERT INTO daily_latencies
SELECT day, subject, outcome, kind, bucket, SUM(requests) FROM (
    SELECT
        (
            SELECT MAX(daily.period) FROM daily
            WHERE daily.subject = latencies.subject AND daily.outcome = latencies.outcome
                AND daily.period <= latencies.period
        ) AS day,
        subject, outcome, kind, bucket, requests
    FROM latencies
)
WHERE day IS NOT NULL
GROUP BY day, subject, outcome, kind, bucket;
