-- Accounts of loss and airtime (application-server/store_ledger.h). What an event adds stands first in ledger_tail, one row a turn, and
-- is added to the accounts in sorted slices later; `upto` of an account is the last turn that it holds, so that reading the tail again
-- at a start adds nothing twice.
CREATE TABLE ledger_tail (
	turn INTEGER PRIMARY KEY,
	postings BLOB NOT NULL
) STRICT;

-- A device's day (UTC, days since 1970). Loss is booked on the day of the uplink that showed it.
CREATE TABLE device_days (
	day INTEGER NOT NULL,
	dev_eui INTEGER NOT NULL,
	agency BLOB NOT NULL,
	upto INTEGER NOT NULL,
	expected INTEGER NOT NULL, -- counters that the device used
	received INTEGER NOT NULL, -- of them those that came, each once
	up_us INTEGER NOT NULL,
	down_us INTEGER NOT NULL,
	deaf_us INTEGER NOT NULL,
	ups INTEGER NOT NULL, -- transmissions, repeats and joins included
	downs INTEGER NOT NULL,
	joins INTEGER NOT NULL,
	warned INTEGER NOT NULL, -- 1: that it is beyond its quota was told
	count INTEGER NOT NULL, -- the run of counters that the last uplink was of; 0: none
	low INTEGER NOT NULL,   -- the first counter of that run that is booked here
	fcnt INTEGER NOT NULL,  -- the highest
	seen INTEGER, -- the last uplink, by the server's clock; null: none
	gateways INTEGER NOT NULL, -- that heard it
	dr INTEGER NOT NULL,
	spreading_factor INTEGER NOT NULL, -- 0: not LoRa
	bandwidth_hz INTEGER NOT NULL,
	PRIMARY KEY (day, dev_eui)
) STRICT, WITHOUT ROWID;

-- The last day on which a device was heard.
CREATE TABLE device_heard (
	dev_eui INTEGER PRIMARY KEY,
	day INTEGER NOT NULL
) STRICT;

-- An agency's hour: of all gateways (gateway 0), and its downlinks by gateway.
CREATE TABLE airtime_hours (
	agency BLOB NOT NULL,
	gateway INTEGER NOT NULL,
	hour INTEGER NOT NULL, -- since 1970
	upto INTEGER NOT NULL,
	up_us INTEGER NOT NULL,
	down_us INTEGER NOT NULL,
	deaf_us INTEGER NOT NULL,
	ups INTEGER NOT NULL,
	downs INTEGER NOT NULL,
	warned INTEGER NOT NULL,
	PRIMARY KEY (agency, gateway, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX airtime_hours_by_gateway ON airtime_hours (gateway, hour) WHERE gateway != 0;
CREATE INDEX airtime_hours_by_age ON airtime_hours (hour);

-- Where the ledger stands: the last turn that every account holds, and of each journal of the network server the last row that was
-- posted. (Not among the cursors: those are numbers of events.)
CREATE TABLE ledger_marks (
	name TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What devices said of their battery and margin.
CREATE TABLE device_statuses (
	row INTEGER PRIMARY KEY,
	dev_eui INTEGER NOT NULL,
	agency BLOB,
	time INTEGER NOT NULL, -- the server's
	battery INTEGER NOT NULL, -- 0 external power, 1..254, 255 not measured
	margin_db INTEGER NOT NULL
) STRICT;
CREATE INDEX device_statuses_by_device ON device_statuses (dev_eui, row);
