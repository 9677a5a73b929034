-- How gateways fared (application-server/store_health.h): what came in each minute, hour and day (`level` 0, 1, 2; `at` is its
-- beginning, seconds since 1970). Hours are summed from minutes, days from hours; each level is kept for its own time.
CREATE TABLE gateway_series (
	gateway INTEGER NOT NULL,
	level INTEGER NOT NULL,
	at INTEGER NOT NULL,
	seconds INTEGER NOT NULL, -- that were looked at
	offline_s INTEGER NOT NULL, -- of them: silent or offline
	received INTEGER NOT NULL,
	crc_errors INTEGER NOT NULL,
	forwarded INTEGER NOT NULL,
	dropped INTEGER NOT NULL,
	sent INTEGER NOT NULL,
	tx_ok INTEGER NOT NULL,
	tx_late INTEGER NOT NULL, -- too late, too early
	tx_collision INTEGER NOT NULL,
	tx_duty INTEGER NOT NULL,
	tx_no_path INTEGER NOT NULL,
	tx_no_answer INTEGER NOT NULL,
	tx_other INTEGER NOT NULL,
	moves INTEGER NOT NULL,
	reconnects INTEGER NOT NULL,
	bytes_up INTEGER NOT NULL,
	bytes_down INTEGER NOT NULL,
	airtime_ms INTEGER NOT NULL,
	trip_95_ms INTEGER, -- the longest
	drift_tenths_ppm INTEGER, -- the last
	temperature_cdeg INTEGER, -- the highest
	PRIMARY KEY (gateway, level, at)
) STRICT, WITHOUT ROWID;

-- When a gateway was heard last, beyond a restart of everybody.
CREATE TABLE gateway_heard (
	gateway INTEGER PRIMARY KEY,
	heard INTEGER NOT NULL, -- microseconds since 1970
	protocol INTEGER, -- enum gw_protocol
	address TEXT NOT NULL
) STRICT;

CREATE TABLE gateway_outages (
	gateway INTEGER NOT NULL,
	began INTEGER NOT NULL, -- microseconds since 1970
	ended INTEGER, -- null: it goes on
	reason INTEGER NOT NULL, -- enum as_gateway_reason
	PRIMARY KEY (gateway, began)
) STRICT, WITHOUT ROWID;

-- Who hears whom: of each device a few gateways, each with how often, how often as the best of all, and when last
-- (application-server/health/hearing.h). gateway_hears finds a gateway's devices.
CREATE TABLE device_hearing (
	dev_eui INTEGER PRIMARY KEY,
	heard BLOB NOT NULL
) STRICT;
CREATE TABLE gateway_hears (
	gateway INTEGER NOT NULL,
	dev_eui INTEGER NOT NULL,
	PRIMARY KEY (gateway, dev_eui)
) STRICT, WITHOUT ROWID;
