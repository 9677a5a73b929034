-- TS002 for other networks: which network is a device's home, the network server that its last accept was made for, and the
-- wrapped AppSKeys that application servers fetch.
ALTER TABLE devices ADD COLUMN home_net_id INTEGER; -- null: none said; no other network may have it join
ALTER TABLE nonces ADD COLUMN ns_id INTEGER;        -- SenderNSID (1.1) of the network server of the last accept

-- The last sessions of a device, two at most: an accept that is not heard leaves the one before in use.
CREATE TABLE session_keys (
	dev_eui INTEGER NOT NULL,
	slot INTEGER NOT NULL,         -- JoinNonce modulo 2
	session_key_id BLOB NOT NULL,  -- 16 bytes
	time INTEGER NOT NULL,         -- of the accept, microseconds; by which it expires
	kek_label TEXT NOT NULL,       -- which KEK the key is wrapped with
	app_s_key BLOB NOT NULL,       -- RFC 3394, 24 bytes
	PRIMARY KEY (dev_eui, slot)
) STRICT, WITHOUT ROWID;
