-- What the whole MAC layer asks of a profile: revision of the regional parameters, counters, ADR back-off, rejoin, class B, quirks of devices.
ALTER TABLE profiles ADD COLUMN regional_revision TEXT NOT NULL DEFAULT 'rp002-1.0.4';
ALTER TABLE profiles ADD COLUMN fcnt_16_bit INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profiles ADD COLUMN adr_ack_limit_exp INTEGER;
ALTER TABLE profiles ADD COLUMN adr_ack_delay_exp INTEGER;
ALTER TABLE profiles ADD COLUMN rejoin TEXT NOT NULL DEFAULT 'all';
ALTER TABLE profiles ADD COLUMN rejoin_time_exp INTEGER;
ALTER TABLE profiles ADD COLUMN rejoin_count_exp INTEGER;
ALTER TABLE profiles ADD COLUMN beacon_freq_hz INTEGER;
ALTER TABLE profiles ADD COLUMN ping_slot_freq_hz INTEGER;
ALTER TABLE profiles ADD COLUMN ping_slot_dr INTEGER;
ALTER TABLE profiles ADD COLUMN quirk_force_rejoin_high_byte_first INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profiles ADD COLUMN quirk_fopts_before_erratum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profiles ADD COLUMN quirk_duplicate_link_adr_ans INTEGER NOT NULL DEFAULT 0;
