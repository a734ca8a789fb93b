-- How long settled deliveries are kept, in milliseconds, as whoever set it last wants it; null is the default. In the file,
-- so that whichever process sends, whatever its own settings, forgets nothing too early.
ALTER TABLE setup ADD COLUMN keep_delivered INTEGER;
ALTER TABLE setup ADD COLUMN keep_dead INTEGER;
