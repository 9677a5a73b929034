-- The city's records. EUIs and DevAddrs are integers, UUIDs 16-byte blobs, times microseconds since 1970 (UTC),
-- keys sealed. Columns carry the names of the record schema.

CREATE TABLE city (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	id BLOB NOT NULL CHECK (length(id) = 16),
	version INTEGER NOT NULL,         -- of the desired state: counts every change
	tombstone_floor INTEGER NOT NULL  -- tombstones up to this version are gone: a replica behind it needs everything
) STRICT;

CREATE TABLE agencies (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	slug TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	contact TEXT NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE applications (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	slug TEXT NOT NULL,
	name TEXT NOT NULL,
	agency BLOB NOT NULL REFERENCES agencies (id),
	description TEXT NOT NULL,
	tags TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	UNIQUE (agency, slug)
) STRICT;

CREATE TABLE profiles (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	slug TEXT NOT NULL,
	name TEXT NOT NULL,
	agency BLOB REFERENCES agencies (id), -- null: the city's, usable by every agency
	region TEXT NOT NULL,
	mac_version TEXT NOT NULL,
	class TEXT NOT NULL,
	rx_delay_s INTEGER NOT NULL,
	rx1_dr_offset INTEGER NOT NULL,
	rx2_dr INTEGER,
	rx2_freq_hz INTEGER,
	adr INTEGER NOT NULL,
	allow_fcnt_reset INTEGER NOT NULL,
	late_uplink_s INTEGER NOT NULL,
	codec TEXT,
	tags TEXT NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX profiles_by_slug ON profiles (coalesce(agency, x''), slug);

-- The upper of the two levels: a programme of the city. Every agency has one called `unassigned`.
CREATE TABLE deployments (
	row INTEGER PRIMARY KEY,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	slug TEXT NOT NULL,
	name TEXT NOT NULL,
	agency BLOB NOT NULL REFERENCES agencies (id),
	summary TEXT NOT NULL,
	purpose TEXT NOT NULL,
	contact TEXT NOT NULL,
	data_class TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	UNIQUE (agency, slug)
) STRICT;

-- The lower level. `agency` is its application's, kept here so that every query can be scoped by one column.
CREATE TABLE devices (
	dev_eui INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	application BLOB NOT NULL REFERENCES applications (id),
	profile BLOB NOT NULL REFERENCES profiles (id),
	deployment BLOB NOT NULL REFERENCES deployments (id),
	agency BLOB NOT NULL REFERENCES agencies (id),
	activation TEXT NOT NULL,
	enabled INTEGER NOT NULL,
	join_eui INTEGER,
	app_key BLOB, -- sealed to the join server
	nwk_key BLOB,
	dev_addr INTEGER,
	nwk_s_key BLOB, -- sealed to the network server
	s_nwk_s_int_key BLOB,
	nwk_s_enc_key BLOB,
	app_s_key BLOB, -- sealed to the application server
	fcnt_up INTEGER NOT NULL,
	fcnt_down INTEGER NOT NULL,
	lat REAL,
	lon REAL,
	tags TEXT NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX devices_by_application ON devices (application, dev_eui);
CREATE INDEX devices_by_agency ON devices (agency, dev_eui);
CREATE INDEX devices_by_profile ON devices (profile);
CREATE INDEX devices_by_deployment ON devices (deployment);

CREATE TABLE gateways (
	eui INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	slug TEXT UNIQUE,
	agency BLOB REFERENCES agencies (id), -- null: the city's
	region TEXT NOT NULL,
	channel_plan TEXT NOT NULL,
	source_cidr TEXT NOT NULL,
	lat REAL,
	lon REAL,
	altitude_m INTEGER,
	tags TEXT NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;

-- Desired state: the version that each profile, device and gateway had its last change at; removals stay as tombstones.
CREATE TABLE desired (
	kind INTEGER NOT NULL,
	key ANY NOT NULL, -- profiles: id; devices and gateways: EUI
	version INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX desired_by_version ON desired (version);

-- Application session keys, sealed under the application server's master key. Sixteen zero bytes name an ABP session.
CREATE TABLE sessions (
	dev_eui INTEGER NOT NULL REFERENCES devices (dev_eui) ON DELETE CASCADE,
	session BLOB NOT NULL CHECK (length(session) = 16),
	app_s_key BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (dev_eui, session)
) STRICT, WITHOUT ROWID;

-- Downlink items: the payload stays here until the network server asks for it sealed under a counter.
CREATE TABLE downlinks (
	row INTEGER PRIMARY KEY,
	item BLOB NOT NULL UNIQUE CHECK (length(item) = 16),
	dev_eui INTEGER NOT NULL REFERENCES devices (dev_eui) ON DELETE CASCADE,
	fport INTEGER NOT NULL,
	confirmed INTEGER NOT NULL,
	payload BLOB NOT NULL,
	status INTEGER NOT NULL, -- enum net_item_status
	fcnt_down INTEGER,
	cause TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX downlinks_by_device ON downlinks (dev_eui);
CREATE INDEX downlinks_waiting ON downlinks (row) WHERE status = 0;
