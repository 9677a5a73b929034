-- The vault: one key that seals what is secret in this file, wrapped under the master key; KEKs that came over join.sock; the
-- audit; uses of root keys (docs/decisions/0012-vault.md). Empty until the join server's first start with it, which fills it in
-- one transaction.
CREATE TABLE vault (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	mark_key BLOB NOT NULL,      -- sealed under the vault key: nonces.key_mark is made with it; never changes
	before INTEGER NOT NULL,     -- 1: root keys may still be sealed under the mark key, which was the master key before the vault
	box BLOB,                    -- sealed under the vault key: the secret box key; null: only in its file
	made INTEGER NOT NULL,       -- wall time, microseconds
	rotated INTEGER              -- last change of the master key; null: never
) STRICT;

-- The vault key under a master key. One row, or two between a rotation and the first start with the new master key.
CREATE TABLE vault_wraps (
	id INTEGER PRIMARY KEY,      -- the greatest is the newest
	source TEXT NOT NULL CHECK (source IN ('file', 'credential', 'passphrase')),
	fingerprint BLOB NOT NULL,   -- of the master key: tells whether it is the right one without opening anything
	salt BLOB,                   -- passphrase: Argon2id's, with its two costs
	passes INTEGER,
	memory INTEGER,              -- bytes
	wrapped BLOB NOT NULL,       -- the vault key, sealed under the master key
	time INTEGER NOT NULL,
	opened INTEGER               -- last start with it
) STRICT;

-- Key encryption keys by label. Files that the configuration names have rows without a key, for their uses.
CREATE TABLE keks (
	label TEXT NOT NULL,
	version INTEGER NOT NULL,
	sealed BLOB,                 -- under the vault key; null: in a file
	time INTEGER NOT NULL,       -- stored or first used
	uses INTEGER NOT NULL,       -- keys wrapped with it
	last_use INTEGER,            -- the last envelope it made is needed until session_key_days after this
	PRIMARY KEY (label, version)
) STRICT, WITHOUT ROWID;

-- Who did what to the vault. A row's hash covers the row before it, so that none can be changed or taken out unseen.
CREATE TABLE audit (
	seq INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	who TEXT NOT NULL,
	what TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail TEXT NOT NULL,
	hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;

-- Accepted joins and rejoins with the present root key, and when the last was.
ALTER TABLE nonces ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nonces ADD COLUMN used_at INTEGER; -- wall time, microseconds; null: not since uses are counted
