-- A downlink item's whole life: how it is to be sent, what became of it, and every change on the way. The payload is sealed
-- under the process's master key and goes when the item has ended; `digest` (keyed) tells the same contents from others
-- even then.
ALTER TABLE downlinks ADD COLUMN agency BLOB;
ALTER TABLE downlinks ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE downlinks ADD COLUMN expires_at INTEGER;                 -- null: never
ALTER TABLE downlinks ADD COLUMN encrypted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE downlinks ADD COLUMN fcnt_given INTEGER;                 -- the counter that the agency encrypted it under
ALTER TABLE downlinks ADD COLUMN length INTEGER NOT NULL DEFAULT 0;
ALTER TABLE downlinks ADD COLUMN digest BLOB;
ALTER TABLE downlinks ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE downlinks ADD COLUMN gateway INTEGER;
ALTER TABLE downlinks ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE downlinks ADD COLUMN flush INTEGER NOT NULL DEFAULT 0;   -- from 1: the network server is to drop it, in this order
UPDATE downlinks SET agency = (SELECT agency FROM devices d WHERE d.dev_eui = downlinks.dev_eui),
	length = length(payload), ended = (status = 2 AND confirmed = 0) OR status > 2;
UPDATE downlinks SET payload = x'' WHERE ended = 1;
DROP INDEX downlinks_waiting;
CREATE INDEX downlinks_waiting ON downlinks (row) WHERE ended = 0;
CREATE INDEX downlinks_flushing ON downlinks (flush) WHERE flush > 0 AND ended = 0;

CREATE TABLE downlink_changes (
	row INTEGER PRIMARY KEY,
	item BLOB NOT NULL REFERENCES downlinks (item) ON DELETE CASCADE,
	event BLOB NOT NULL, -- of the network server, or of our own: the same one twice changes nothing
	time INTEGER NOT NULL,
	status INTEGER NOT NULL,
	cause TEXT NOT NULL,
	fcnt_down INTEGER,
	gateway INTEGER,
	tries INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX downlink_changes_of_item ON downlink_changes (item, event);

-- How many wait for an agency's devices, kept by the database itself, so that removing a device counts too.
CREATE TABLE downlink_counts (
	agency BLOB PRIMARY KEY,
	waiting INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO downlink_counts (agency, waiting)
	SELECT agency, count(*) FROM downlinks WHERE ended = 0 AND agency IS NOT NULL GROUP BY agency;
CREATE TRIGGER downlinks_come AFTER INSERT ON downlinks WHEN new.ended = 0 BEGIN
	INSERT INTO downlink_counts (agency, waiting) VALUES (new.agency, 1)
		ON CONFLICT (agency) DO UPDATE SET waiting = waiting + 1;
END;
CREATE TRIGGER downlinks_end AFTER UPDATE OF ended ON downlinks WHEN old.ended = 0 AND new.ended = 1 BEGIN
	UPDATE downlink_counts SET waiting = waiting - 1 WHERE agency = new.agency;
END;
CREATE TRIGGER downlinks_go AFTER DELETE ON downlinks WHEN old.ended = 0 BEGIN
	UPDATE downlink_counts SET waiting = waiting - 1 WHERE agency = old.agency;
END;

-- What a device said of itself last (DevStatusAns).
CREATE TABLE device_status (
	dev_eui INTEGER PRIMARY KEY REFERENCES devices (dev_eui) ON DELETE CASCADE,
	time INTEGER NOT NULL,
	battery INTEGER NOT NULL, -- 0 external power, 1..254, 255 not measured
	margin_db INTEGER NOT NULL
) STRICT;

-- Commands that came by MQTT without an id: what a redelivery is known by.
CREATE TABLE commands_seen (
	row INTEGER PRIMARY KEY,
	digest BLOB NOT NULL, -- keyed, of topic and bytes
	mid INTEGER NOT NULL,
	time INTEGER NOT NULL
) STRICT;
CREATE INDEX commands_seen_by_digest ON commands_seen (digest, time);
