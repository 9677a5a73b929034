-- The city's CA, what it issued to gateways, what CUPS is to hand over to them, their firmware, and who did what about it.
CREATE TABLE gateway_ca (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	key BLOB NOT NULL, -- sealed under the master key
	certificate BLOB NOT NULL, -- DER
	created_at INTEGER NOT NULL
);

-- Of the bridge's listeners; the newest is the one in use.
CREATE TABLE server_certificates (
	issued_us INTEGER PRIMARY KEY,
	until_us INTEGER NOT NULL,
	hosts TEXT NOT NULL,
	issued_by TEXT NOT NULL,
	certificate BLOB NOT NULL
);

-- Kept when a gateway is removed: what was issued before it was registered is never valid again.
CREATE TABLE gateway_certificates (
	gateway INTEGER NOT NULL,
	issued_us INTEGER NOT NULL,
	until_us INTEGER NOT NULL,
	issued_by TEXT NOT NULL,
	how TEXT NOT NULL, -- issue, renew, cups
	certificate BLOB NOT NULL,
	PRIMARY KEY (gateway, issued_us)
) WITHOUT ROWID;
CREATE TRIGGER gateways_come AFTER INSERT ON gateways BEGIN
	UPDATE gateways SET certificates_void_us =
		coalesce((SELECT max(issued_us) FROM gateway_certificates WHERE gateway = new.eui), 0) WHERE eui = new.eui;
END;

-- Credentials on their way to a station, until it says that it has them.
CREATE TABLE gateway_deliveries (
	gateway INTEGER PRIMARY KEY REFERENCES gateways (eui) ON DELETE CASCADE,
	what TEXT NOT NULL, -- certificate, token
	issued_us INTEGER NOT NULL, -- certificate: its issue time
	crc INTEGER NOT NULL, -- as the station will report it
	bundle BLOB NOT NULL, -- trust, certificate, key; sealed under the master key
	made_at INTEGER NOT NULL,
	offers INTEGER NOT NULL DEFAULT 0,
	offered_at INTEGER
);

-- What a station said at its last update-info.
CREATE TABLE gateway_stations (
	gateway INTEGER PRIMARY KEY REFERENCES gateways (eui) ON DELETE CASCADE,
	asked_at INTEGER NOT NULL,
	presented TEXT NOT NULL, -- certificate, token
	station TEXT NOT NULL,
	model TEXT NOT NULL,
	package TEXT NOT NULL,
	tc_uri TEXT NOT NULL,
	cups_uri TEXT NOT NULL
);

ALTER TABLE gateways ADD COLUMN tc_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE gateways ADD COLUMN cups_uri TEXT NOT NULL DEFAULT '';

CREATE TABLE firmware_keys (
	name TEXT PRIMARY KEY,
	point BLOB NOT NULL CHECK (length(point) = 64), -- X and Y, as stations keep it
	crc INTEGER NOT NULL,
	added_by TEXT NOT NULL,
	added_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE firmware (
	id INTEGER PRIMARY KEY,
	model TEXT NOT NULL,
	version TEXT NOT NULL,
	size INTEGER NOT NULL,
	sha512 BLOB NOT NULL,
	signature BLOB NOT NULL,
	key TEXT NOT NULL REFERENCES firmware_keys (name),
	added_by TEXT NOT NULL,
	added_at INTEGER NOT NULL,
	UNIQUE (model, version)
);
CREATE TABLE firmware_orders (
	gateway INTEGER PRIMARY KEY REFERENCES gateways (eui) ON DELETE CASCADE,
	firmware INTEGER NOT NULL REFERENCES firmware (id),
	state TEXT NOT NULL, -- ordered, refused, offered, delivered, done
	reason TEXT NOT NULL DEFAULT '', -- refused: why it is not offered
	ordered_by TEXT NOT NULL,
	ordered_at INTEGER NOT NULL,
	offers INTEGER NOT NULL DEFAULT 0,
	changed_at INTEGER NOT NULL
);

CREATE TABLE audit (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	who TEXT NOT NULL,
	what TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail TEXT NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, seq);
