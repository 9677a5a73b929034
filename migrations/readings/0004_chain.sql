-- A device's readings are a chain: each names the one before it, and reading_heads the newest. An index by device was a page
-- written at random for every uplink: more than half of what an uplink wrote.
ALTER TABLE readings ADD COLUMN prev INTEGER; -- seq of the device's reading before; null: it is the first
UPDATE readings SET prev = (SELECT max(earlier.seq) FROM readings AS earlier
	WHERE earlier.dev_eui = readings.dev_eui AND earlier.seq < readings.seq);
DROP INDEX readings_by_device;

-- Written in slices, sorted; behind by what is above the cursor 'reading_heads', which is read again at a start.
CREATE TABLE reading_heads (
	dev_eui INTEGER PRIMARY KEY,
	seq INTEGER NOT NULL
) STRICT;
INSERT INTO reading_heads (dev_eui, seq) SELECT dev_eui, max(seq) FROM readings GROUP BY dev_eui;
INSERT INTO cursors (name, seq) SELECT 'reading_heads', coalesce(max(seq), 0) FROM readings;
