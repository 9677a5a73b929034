-- Readings that are kept as they came, under a key that the agency alone holds: what opens `payload`, as JSON with the names of the
-- event (devAddr, joinServerContext). Null: the payload is in clear.
ALTER TABLE readings ADD COLUMN held TEXT;
