-- Quotas of airtime, seconds a day; null: none. And how long each waiting downlink will be on the air, so that what waits counts.
ALTER TABLE agencies ADD COLUMN airtime_up_s_per_day INTEGER;
ALTER TABLE agencies ADD COLUMN airtime_down_s_per_day INTEGER;
ALTER TABLE agencies ADD COLUMN device_airtime_up_s_per_day INTEGER;   -- of each device that has none of its own
ALTER TABLE agencies ADD COLUMN device_airtime_down_s_per_day INTEGER;
ALTER TABLE devices ADD COLUMN airtime_up_s_per_day INTEGER;
ALTER TABLE devices ADD COLUMN airtime_down_s_per_day INTEGER;

ALTER TABLE downlinks ADD COLUMN airtime_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE downlink_counts ADD COLUMN airtime_us INTEGER NOT NULL DEFAULT 0;
DROP TRIGGER downlinks_come;
DROP TRIGGER downlinks_end;
DROP TRIGGER downlinks_go;
CREATE TRIGGER downlinks_come AFTER INSERT ON downlinks WHEN new.ended = 0 BEGIN
	INSERT INTO downlink_counts (agency, waiting, airtime_us) VALUES (new.agency, 1, new.airtime_us)
		ON CONFLICT (agency) DO UPDATE SET waiting = waiting + 1, airtime_us = airtime_us + new.airtime_us;
END;
CREATE TRIGGER downlinks_end AFTER UPDATE OF ended ON downlinks WHEN old.ended = 0 AND new.ended = 1 BEGIN
	UPDATE downlink_counts SET waiting = waiting - 1, airtime_us = airtime_us - new.airtime_us
		WHERE agency = new.agency;
END;
CREATE TRIGGER downlinks_go AFTER DELETE ON downlinks WHEN old.ended = 0 BEGIN
	UPDATE downlink_counts SET waiting = waiting - 1, airtime_us = airtime_us - old.airtime_us
		WHERE agency = old.agency;
END;
