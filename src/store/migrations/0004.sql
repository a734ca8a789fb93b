-- When the owner had a settled delivery sent again, and how many attempts it had used up by then: its age and its schedule
-- begin anew, the numbers of its attempts go on.
ALTER TABLE delivery ADD COLUMN replayed_at INTEGER;
ALTER TABLE delivery ADD COLUMN replayed_from INTEGER NOT NULL DEFAULT 0;
-- Says whether any waits; all else is in none of it.
CREATE INDEX delivery_replayed ON delivery (endpoint) WHERE state = 0 AND replayed_at IS NOT NULL;
