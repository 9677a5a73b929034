-- What became of the last join-requests of each registered device (common/proto/join_report.h): a few rows a device, none of
-- devices that are not registered.
CREATE TABLE join_attempts (
	seq INTEGER PRIMARY KEY, -- chosen by SQLite, increasing
	dev_eui INTEGER NOT NULL, -- the registered device's
	attempt INTEGER NOT NULL, -- the network server's number
	agency BLOB,
	updated INTEGER NOT NULL,
	is_last INTEGER NOT NULL, -- 1: the device's newest
	body BLOB NOT NULL -- the packed report, what came later merged in
) STRICT;
CREATE INDEX join_attempts_by_device ON join_attempts (dev_eui, seq);
CREATE INDEX join_attempts_by_age ON join_attempts (updated);
CREATE INDEX join_attempts_last ON join_attempts (updated) WHERE is_last;
CREATE INDEX join_attempts_last_of_agency ON join_attempts (agency, updated) WHERE is_last;
