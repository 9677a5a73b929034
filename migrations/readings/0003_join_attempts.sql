-- What became of the last join-requests of each registered device (common/proto/join_report.h): a few rows a device, none of
-- devices that are not registered.
CREATE TABLE join_attempts (
	seq INTEGER PRIMARY KEY, -- chosen by SQLite, increasing
	dev_eui INTEGER NOT NULL, -- the registered device's
	attempt INTEGER NOT NULL, -- the network server's number
	agency BLOB,
	updated INTEGER NOT NULL,
	body BLOB NOT NULL -- the packed report, what came later merged in
) STRICT;
CREATE INDEX join_attempts_by_device ON join_attempts (dev_eui, seq);
CREATE INDEX join_attempts_by_time ON join_attempts (updated);
CREATE INDEX join_attempts_by_agency ON join_attempts (agency, updated);
