-- What devices said: append-only and large, in a file of its own. An event row is also its delivery row: a consumer's
-- cursor is the `seq` up to which it has everything.

CREATE TABLE events (
	seq INTEGER PRIMARY KEY, -- chosen by the server, increasing
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16), -- the network server's: at least once becomes once
	kind INTEGER NOT NULL, -- enum as_event_kind
	dev_eui INTEGER NOT NULL,
	agency BLOB,      -- null: the device was not known; then for the city's engineers alone
	application BLOB,
	time INTEGER NOT NULL,
	body TEXT NOT NULL
) STRICT;

CREATE TABLE readings (
	seq INTEGER PRIMARY KEY, -- of its event
	dev_eui INTEGER NOT NULL,
	agency BLOB NOT NULL,
	time INTEGER NOT NULL,
	fcnt_up INTEGER NOT NULL,
	fport INTEGER,
	payload BLOB NOT NULL,
	object TEXT -- the codec's result; null: no codec, or it failed
) STRICT;
CREATE INDEX readings_by_device ON readings (dev_eui, seq);

CREATE TABLE cursors (
	name TEXT PRIMARY KEY,
	seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
