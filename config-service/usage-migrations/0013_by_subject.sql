-- Whoever asks about one caller reads that caller's sums alone. Without these, every sum of the time asked about is read.
CREATE INDEX hourly_subject ON hourly (subject, period);
CREATE INDEX daily_subject ON daily (subject, period);
