-- EUIs are 64-bit numbers kept as signed integers: printf('%016x', dev_eui) shows them.

-- How far the city's records have been applied. A full run is going on while city is '' and run > valid_run.
CREATE TABLE state (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	city TEXT NOT NULL,               -- UUID of the city.db, '' before the first full run has ended
	applied_version INTEGER NOT NULL, -- every record up to here is in devices
	run INTEGER NOT NULL,             -- number of the last full run that was opened
	valid_run INTEGER NOT NULL,       -- rows of an older run do not exist any more, swept or not
	swept_run INTEGER NOT NULL        -- rows of runs older than this have been removed
) STRICT;
INSERT INTO state VALUES (1, '', 0, 0, 0, 0);

-- Devices as the city wants them. Keys are sealed under the master key, null when there is none.
CREATE TABLE devices (
	dev_eui INTEGER PRIMARY KEY,
	version INTEGER NOT NULL,
	run INTEGER NOT NULL,
	enabled INTEGER NOT NULL,
	join_eui INTEGER NOT NULL,
	mac_version TEXT NOT NULL,
	app_key BLOB,
	nwk_key BLOB,
	app_kek_label TEXT NOT NULL
) STRICT;

-- What has been used of the nonces. Kept when a device is removed: it may come back with the same keys.
CREATE TABLE nonces (
	id INTEGER PRIMARY KEY,
	dev_eui INTEGER NOT NULL,
	join_eui INTEGER NOT NULL,
	join_nonce INTEGER NOT NULL, -- the last one given, 0 for none
	key_mark BLOB NOT NULL,      -- tells whether the DevNonces were used under the present root key
	counter INTEGER,             -- highest DevNonce accepted as a counter
	last_dev_nonce INTEGER,      -- of the last accepted join
	last_time INTEGER,           -- its wall time, microseconds
	used BLOB NOT NULL,          -- every DevNonce accepted: 01 and u16le each, or 02 and a bitmap of 8,192 bytes
	UNIQUE (dev_eui, join_eui)
) STRICT;
