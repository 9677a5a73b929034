-- Rejoins (LoRaWAN 1.1): the count of type 1, and which network a device's session belongs to.
ALTER TABLE nonces ADD COLUMN rj_count1 INTEGER; -- RJcount1 of the last accepted rejoin of type 1
ALTER TABLE nonces ADD COLUMN rj_time INTEGER;   -- its wall time, microseconds
ALTER TABLE nonces ADD COLUMN net_id INTEGER;    -- of the network that the last accept was made for
