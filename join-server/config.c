#include "join-server/config.h"

#include "common/base/check.h"

const struct option js_config_rows[] = {
	{"join-server", "master_key", OPTION_PATH, OPTION_AT(struct js_config, master_key), .fallback = "",
	 .min = 0,
	 .help = "File of the 32-byte key that seals the root keys in the database; empty: "
		 "keys/join-server.master in the state directory. What is in the database can be opened with "
		 "this "
		 "one alone."},
	{"join-server", "box_key", OPTION_PATH, OPTION_AT(struct js_config, box_key), .fallback = "",
	 .min = 0,
	 .help = "File of the 32-byte secret key that root keys are sealed to on their way here; empty: "
		 "keys/join-server.box in the state directory. Keys that are on their way were sealed to "
		 "it."},
	{"join-server", "keks", OPTION_MAP, OPTION_AT(struct js_config, keks), .reload = true,
	 .help = "Key encryption keys by label: files of 16 bytes. 'network' and 'application' are "
		 "keys/kek-network.join-server and keys/kek-application.join-server in the state directory "
		 "if not named; "
		 "six digits are another network's NetID; an agency's own has the label of its devices' "
		 "app_kek_label. A reload reads the files again."},
	{"join-server", "callers", OPTION_MAP, OPTION_AT(struct js_config, callers), .reload = true,
	 .help = "Who may call what on join.sock: 'joins' and 'provisioning', each a list of user names or "
		 "numbers. What is "
		 "not named is for root and the user that the join server runs as."},
};

const size_t js_config_row_count = ARRAY_SIZE(js_config_rows);
