-- A device that lost its counter may join once with a DevNonce that was used or is too low.
ALTER TABLE nonces ADD COLUMN allowed_until INTEGER; -- wall time, microseconds; null: nothing is allowed
