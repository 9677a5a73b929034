#include "join-server/config.h"

#include "common/base/check.h"
#include "join-server/peers.h"

const struct option js_config_rows[] = {
	{"join-server", "master_key", OPTION_PATH, OPTION_AT(struct js_config, master_key), .fallback = "",
	 .min = 0,
	 .help = "Where the master key comes from, which opens the vault: a file of 32 bytes (empty: "
		 "keys/join-server.master in the state directory), credential:NAME (of systemd), or "
		 "passphrase "
		 "(asked for "
		 "at the start). lamppost vault rotate changes it. What is in the database can be opened "
		 "with "
		 "this one alone."},
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
	 .help = "Who may call what on join.sock: 'joins', 'provisioning', 'app_keys' (an application "
		 "server "
		 "that fetches AppSKeys) and 'vault' (rotation, exports, the audit), each a list of user "
		 "names or numbers. What is not named is for "
		 "root and "
		 "the user that the join server runs as."},
	{"join-server", "listen", OPTION_STRING, OPTION_AT(struct js_config, listen), .fallback = "",
	 .help = "Address and port of TS002 for servers on other machines, as in 0.0.0.0:9443: HTTPS, and "
		 "only "
		 "with a client certificate that 'ca' issued and that stands under 'peers'. Empty: not "
		 "served."},
	{"join-server", "certificate", OPTION_PATH, OPTION_AT(struct js_config, certificate), .fallback = "",
	 .min = 0,
	 .help = "PEM file of this server's certificate, with those between it and its authority. It is "
		 "shown to "
		 "callers, and by asynchronous answers to the peers' servers. A reload reads it again."},
	{"join-server", "key", OPTION_PATH, OPTION_AT(struct js_config, key), .fallback = "", .min = 0,
	 .help = "PEM file of that certificate's key."},
	{"join-server", "ca", OPTION_PATH, OPTION_AT(struct js_config, ca), .fallback = "", .min = 0,
	 .help = "PEM file of the authorities whose certificates peers may show."},
	{"join-server", "connections", OPTION_INT, OPTION_AT(struct js_config, connections), .fallback = "64",
	 .min = 1, .max = 4096,
	 .help = "Connections of other machines at the same time; of one address half of them."},
	{"join-server", "peers", OPTION_MAP, OPTION_AT(struct js_config, peers), .reload = true,
	 .words = true, .check_entry = js_peer_check_entry,
	 .help = "Servers on other machines by name. Of each: certificate (common name) or fingerprint "
		 "(SHA-256); "
		 "messages (joins, home, app_keys) that it may send; net_ids that a network server may speak "
		 "for, "
		 "home_of, blocks of JoinEUIs whose devices are at home in its network; as_ids that an "
		 "application server may; join_euis (EUI/bits, or any) that it may address; "
		 "kek, "
		 "the label under 'keks' of its keys; url (https) where it wants its answers posted, else "
		 "they "
		 "are in the response; rate, messages a second."},
	{"join-server", "session_key_days", OPTION_INT, OPTION_AT(struct js_config, session_key_days),
	 .fallback = "30", .min = 1, .max = 3650, .unit = "days",
	 .help = "How long the wrapped AppSKeys of a device's last two sessions are kept for its application "
		 "server to fetch."},
};

const size_t js_config_row_count = ARRAY_SIZE(js_config_rows);
