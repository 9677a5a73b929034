-- Alarms: what is wrong or was within the year, when it came and went, what each channel was told of it, and the message that is
-- under way to a channel. Written when something changes, not at every look.
CREATE TABLE alarms (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	name TEXT NOT NULL,
	agency BLOB CHECK (length(agency) = 16), -- whose gateway it is about; null: the city's
	state INTEGER NOT NULL,                  -- 1: raised, 2: cleared
	severity INTEGER NOT NULL,
	value INTEGER NOT NULL,
	detail TEXT NOT NULL,
	change INTEGER NOT NULL, -- raises and clears: odd while raised
	times INTEGER NOT NULL,
	part_of INTEGER NOT NULL, -- the alarm that says it all; 0: none
	part_kind TEXT NOT NULL,
	part_subject TEXT NOT NULL,
	first_us INTEGER NOT NULL,
	since_us INTEGER NOT NULL,
	cleared_us INTEGER NOT NULL,
	changed_us INTEGER NOT NULL,
	acknowledged INTEGER NOT NULL,
	ack_us INTEGER NOT NULL,
	ack_until_us INTEGER NOT NULL,
	ack_who TEXT NOT NULL,
	ack_note TEXT NOT NULL
) STRICT;
CREATE INDEX alarms_by_state ON alarms (state, changed_us);
CREATE INDEX alarms_by_change ON alarms (changed_us);

CREATE TABLE alarm_changes (
	alarm INTEGER NOT NULL REFERENCES alarms (id) ON DELETE CASCADE,
	change INTEGER NOT NULL,
	at_us INTEGER NOT NULL,
	value INTEGER NOT NULL,
	PRIMARY KEY (alarm, change)
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm_told (
	alarm INTEGER NOT NULL REFERENCES alarms (id) ON DELETE CASCADE,
	channel TEXT NOT NULL,
	change INTEGER NOT NULL,
	owed INTEGER NOT NULL,
	severity INTEGER NOT NULL,
	at_us INTEGER NOT NULL,
	PRIMARY KEY (alarm, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm_messages (
	channel TEXT PRIMARY KEY,
	sequence INTEGER NOT NULL, -- of the last message
	quiet INTEGER NOT NULL,    -- whether it was a quiet time when it was looked at last
	body TEXT                  -- JSON of the one that is under way; null: none is
) STRICT, WITHOUT ROWID;
