-- What chooses the data rate of a profile's devices, and the data rate of the algorithm `fixed`.
ALTER TABLE profiles ADD COLUMN adr_algorithm TEXT NOT NULL DEFAULT 'usual';
ALTER TABLE profiles ADD COLUMN adr_fixed_dr INTEGER NOT NULL DEFAULT 0;
