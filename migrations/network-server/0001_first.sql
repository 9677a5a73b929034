-- What must last of a turn, one blob, append-only; rows `first` to `last` (network-server/journal.h).
CREATE TABLE journal (
	first INTEGER PRIMARY KEY,
	last INTEGER NOT NULL,
	bytes BLOB NOT NULL
);
-- Sessions as they were when last folded; keys sealed. `slot` is the place in the table in memory.
CREATE TABLE sessions (
	slot INTEGER PRIMARY KEY,
	bytes BLOB NOT NULL
);
-- Desired state and facts beside the journal: kind 0 profile, 1 device, 2 gateway, 3 released address, 4 what was applied.
CREATE TABLE state (
	kind INTEGER NOT NULL,
	key BLOB NOT NULL,
	bytes BLOB NOT NULL,
	PRIMARY KEY (kind, key)
) WITHOUT ROWID;
-- `next_row` never goes back, also when the journal is empty; `epoch` is raised by a promotion.
CREATE TABLE meta (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	next_row INTEGER NOT NULL,
	epoch INTEGER NOT NULL,
	event_row INTEGER NOT NULL
);
INSERT INTO meta VALUES (1, 1, 1, 0);
