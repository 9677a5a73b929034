-- Tombstones are counted and pruned without touching the records that live.
CREATE INDEX desired_tombstones ON desired (version) WHERE deleted = 1;
