-- What the engine knows of a receiver, beside `suspended`, `paused_until` and `throttled`.

-- Rises when the owner resumes or names another URL: an outcome that was judged before then says nothing about it.
ALTER TABLE endpoint ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
-- Attempts in a row that failed, when the first of them ended, and on how many days one did.
ALTER TABLE endpoint ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN failing_since INTEGER;
ALTER TABLE endpoint ADD COLUMN failing_days INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN last_failure_at INTEGER;
ALTER TABLE endpoint ADD COLUMN last_success_at INTEGER;
-- The circuit breaker: 0 closed; else it opened, and from then on one request at a time is made.
ALTER TABLE endpoint ADD COLUMN open_until INTEGER NOT NULL DEFAULT 0;
