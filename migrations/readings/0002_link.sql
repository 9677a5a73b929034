-- What the network server said of the next downlink as it told a reading: null where it did not say.
ALTER TABLE readings ADD COLUMN max_payload INTEGER;    -- longest payload that fits at this data rate
ALTER TABLE readings ADD COLUMN next_fcnt_down INTEGER;
