-- What dispatch() writes is one row of `event`, without a secondary index: the page pays for nothing else.
-- Everything below it is built by whoever expands events into deliveries (see intake.rs).

-- One row; `version` rises with every change of endpoints or sites, so that a process notices a stale copy.
CREATE TABLE setup (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    -- Events up to this one have been expanded into deliveries.
    expanded INTEGER NOT NULL
);
INSERT INTO setup VALUES (1, 1, 0);

CREATE TABLE site (
    site TEXT PRIMARY KEY,
    revision INTEGER,
    -- Nothing is sent for a paused site; what waits is kept.
    paused INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE endpoint (
    key INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    url TEXT NOT NULL,
    -- The endpoint as JSON, with its secrets: this file is 0600.
    settings TEXT NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    -- The engine's own state: why it sends nothing there until the owner resumes it, and until when it pauses.
    suspended TEXT,
    paused_until INTEGER NOT NULL DEFAULT 0,
    throttled INTEGER NOT NULL DEFAULT 0,
    UNIQUE (site, id)
);

CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    site TEXT NOT NULL,
    record TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    occurred_at INTEGER,
    -- Keys of the endpoints it matched at acceptance, separated by commas.
    targets TEXT NOT NULL,
    details TEXT NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE delivery (
    id BLOB PRIMARY KEY,
    event_seq INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    event TEXT NOT NULL,
    record TEXT NOT NULL,
    site TEXT NOT NULL,
    -- 0 pending, 1 delivered, 2 dead, 3 cancelled.
    state INTEGER NOT NULL,
    -- Attempts used up.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Requests made, those that used up no attempt among them.
    requests INTEGER NOT NULL DEFAULT 0,
    -- 0: at once. Otherwise when the next attempt is due, and the delay it came from.
    due_at INTEGER NOT NULL DEFAULT 0,
    delay INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    last_status INTEGER,
    last_error TEXT
) WITHOUT ROWID;

-- Partial, so a settled delivery is in no index but its own.
CREATE INDEX delivery_due ON delivery (endpoint, due_at, event_seq) WHERE state = 0;
CREATE INDEX delivery_failed ON delivery (state, id) WHERE state >= 2;

CREATE TABLE attempt (
    delivery BLOB NOT NULL,
    request INTEGER NOT NULL,
    n INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    timings TEXT NOT NULL,
    status INTEGER,
    error TEXT,
    request_headers TEXT NOT NULL,
    response_headers TEXT NOT NULL,
    response_body BLOB NOT NULL,
    PRIMARY KEY (delivery, request)
) WITHOUT ROWID;

-- How many deliveries of a site are in a state, so that nobody has to count them.
CREATE TABLE tally (
    site TEXT NOT NULL,
    state INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (site, state)
) WITHOUT ROWID;
