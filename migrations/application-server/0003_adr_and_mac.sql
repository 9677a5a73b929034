-- What ADR and MAC commands may do with a device of a profile, and how often a confirmed downlink is sent. Null: the region's.
ALTER TABLE profiles ADD COLUMN adr_margin_db INTEGER NOT NULL DEFAULT 10;
ALTER TABLE profiles ADD COLUMN min_dr INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profiles ADD COLUMN max_dr INTEGER;
ALTER TABLE profiles ADD COLUMN max_nb_trans INTEGER NOT NULL DEFAULT 3;
ALTER TABLE profiles ADD COLUMN dev_status_interval_h INTEGER NOT NULL DEFAULT 24;
ALTER TABLE profiles ADD COLUMN max_duty_cycle INTEGER NOT NULL DEFAULT 0;
ALTER TABLE profiles ADD COLUMN uplink_dwell INTEGER;
ALTER TABLE profiles ADD COLUMN downlink_dwell INTEGER;
ALTER TABLE profiles ADD COLUMN max_eirp_dbm INTEGER;
ALTER TABLE profiles ADD COLUMN confirmed_downlink_tries INTEGER NOT NULL DEFAULT 3;
