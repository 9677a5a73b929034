-- An agency's own key encryption keys: AppSKeys that nobody but the agency can read.

-- Who holds the AppSKeys of an application's devices: `city` (they are decrypted here) or `agency`. A device may say its own;
-- null: its application's.
ALTER TABLE applications ADD COLUMN key_custody TEXT NOT NULL DEFAULT 'city';
ALTER TABLE devices ADD COLUMN key_custody TEXT;

-- The KEK of each agency as it came: sealed to the join server. Desired state of the join server; a row stays when its KEK is
-- given up (`sealed` null), so that neither label nor version is ever another key's.
CREATE TABLE agency_keks (
	agency BLOB PRIMARY KEY CHECK (length(agency) = 16),
	label TEXT NOT NULL UNIQUE,
	version INTEGER NOT NULL,
	sealed BLOB,               -- to the join server; null: given up
	made_at INTEGER NOT NULL,  -- the first version
	changed_at INTEGER NOT NULL,
	problem TEXT NOT NULL      -- why the join server does not take it; ''
) STRICT, WITHOUT ROWID;

-- Sessions whose AppSKey is the agency's alone, as the join server gave it.
CREATE TABLE held_sessions (
	dev_eui INTEGER NOT NULL REFERENCES devices (dev_eui) ON DELETE CASCADE,
	session BLOB NOT NULL CHECK (length(session) = 16),
	dev_addr INTEGER NOT NULL,
	join_eui INTEGER NOT NULL,
	kek_label TEXT NOT NULL,   -- as it stands in the envelope: LABEL or LABEL.version; '' without an envelope
	wrapped BLOB,              -- the AppSKey under that KEK (RFC 3394); null: to be asked for by session_key_id
	session_key_id BLOB,       -- of the join server; null: it gave none
	heard INTEGER NOT NULL,    -- 1: an uplink came in it
	created_at INTEGER NOT NULL,
	PRIMARY KEY (dev_eui, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_sessions_to_fetch ON held_sessions (created_at) WHERE wrapped IS NULL;

-- Applications whose custody changed: their devices are told to the join server again in slices, those up to `after` were.
CREATE TABLE custody_changes (
	application BLOB PRIMARY KEY REFERENCES applications (id) ON DELETE CASCADE,
	after INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER applications_change_custody AFTER UPDATE OF key_custody ON applications
	WHEN old.key_custody <> new.key_custody BEGIN
	INSERT OR REPLACE INTO custody_changes (application, after) VALUES (new.id, -9223372036854775808);
END;
