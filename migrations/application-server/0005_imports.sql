-- An import on its way: checked rows wait here, a slice of them as one text, until all are found good. The row of `import` is the
-- decision: from then on every slice will be registered, whatever happens, and goes with the turn that registers it. Slices
-- without it are what is left of an import that ended before.
CREATE TABLE import_slices (
	row INTEGER PRIMARY KEY,
	records TEXT NOT NULL -- JSON array of {"create", "record", "keys"}
) STRICT;
CREATE TABLE import (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	decided_at INTEGER NOT NULL
) STRICT;
