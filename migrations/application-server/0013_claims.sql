-- Claiming of devices by their owners' tokens, and the replacement of a device by another.

-- Devices that wait for their owners, and those that found one. Whoever put one there holds it: an agency, or the city (null).
CREATE TABLE stock (
	dev_eui INTEGER PRIMARY KEY,
	join_eui INTEGER NOT NULL,
	holder BLOB REFERENCES agencies (id),
	waits INTEGER NOT NULL, -- 1: to be claimed; 0: it was
	token BLOB,             -- keyed hash of its owner token's hash, while it waits
	app_key BLOB,           -- sealed to the join server, while it waits
	nwk_key BLOB,
	vendor INTEGER NOT NULL,
	vendor_profile INTEGER NOT NULL,
	serial TEXT NOT NULL,
	changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX stock_by_holder ON stock (holder, dev_eui);

-- Wrong owner tokens, by device and by caller.
CREATE TABLE claim_tries (
	subject TEXT PRIMARY KEY,
	failed INTEGER NOT NULL,
	since INTEGER NOT NULL,
	until INTEGER NOT NULL -- no try is taken before
) STRICT;

-- Which device stands in whose place. The one in the place is not removed as long as it does.
CREATE TABLE replacements (
	old_eui INTEGER PRIMARY KEY REFERENCES devices (dev_eui) ON DELETE CASCADE,
	new_eui INTEGER NOT NULL UNIQUE REFERENCES devices (dev_eui),
	at INTEGER NOT NULL
) STRICT;
