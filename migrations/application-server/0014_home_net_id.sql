-- The network that is to have a device join, where it is not the city's own (HomeNSReq of TS002); null: the city says nothing.
ALTER TABLE devices ADD COLUMN home_net_id INTEGER;
