-- The highest version that each label of a KEK ever had, so that after a delete no version comes again with another key: envelopes
-- name their key by label and version alone.
CREATE TABLE kek_highest (
	label TEXT PRIMARY KEY,
	version INTEGER NOT NULL,
	mark BLOB                    -- tells whether a key that is put is the one it had; null: it was a file's, or of before this table
) STRICT, WITHOUT ROWID;
INSERT INTO kek_highest (label, version) SELECT label, max(version) FROM keks GROUP BY label;

-- A file's KEK has a row from its first use on.
CREATE TRIGGER keks_of_files AFTER INSERT ON keks WHEN NEW.sealed IS NULL BEGIN
	INSERT INTO kek_highest (label, version) VALUES (NEW.label, NEW.version)
	ON CONFLICT (label) DO UPDATE SET version = excluded.version, mark = NULL WHERE excluded.version >= version;
END;
