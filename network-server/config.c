#include "network-server/config.h"

#include "common/base/check.h"
#include "common/text/region_yaml.h"
#include "network-server/extra_channels.h"
#include "network-server/foreign.h"
#include "common/backend/join_server.h"

#include <string.h>

static bool is_region(const char *text)
{
	for (size_t i = 0; i < region_source_count; i++) {
		if (strcmp(region_sources[i].id, text) == 0)
			return true;
	}
	return false;
}

static bool is_eui_prefix(const char *text)
{
	struct lw_eui_prefix prefix;
	return lw_eui_prefix_parse(text, &prefix);
}

const struct option ns_option_rows[] = {
	{"network-server", "dedup_window_ms", OPTION_INT, OPTION_AT(struct ns_options, dedup_window_ms),
	 .fallback = "200", .min = 50, .max = 1000, .unit = "ms", .reload = true,
	 .help = "How long copies of one frame are collected after the first."},
	{"network-server", "regions", OPTION_LIST, OPTION_AT(struct ns_options, regions),
	 .fallback = "eu868 us915", .min = 1, .max = 20, .check = is_region,
	 .form = "the id of a region, as in eu868 or us915",
	 .help = "Regions that profiles and gateways may name. Sessions refer to them by their place in this "
		 "list."},
	{"network-server", "rx_delay_s", OPTION_INT, OPTION_AT(struct ns_options, rx_delay_s),
	 .fallback = "5", .min = 1, .max = 15, .unit = "s", .reload = true,
	 .help = "RxDelay where a profile names none, and for ABP devices in the end."},
	{"network-server", "journal_limit", OPTION_INT, OPTION_AT(struct ns_options, journal_limit),
	 .fallback = "4096", .min = 1, .max = 1048576, .unit = "MiB", .reload = true,
	 .help = "Size of the journal at which new uplinks are not accepted any more (alarm at 80 %)."},
	{"network-server", "disk_floor", OPTION_INT, OPTION_AT(struct ns_options, disk_floor),
	 .fallback = "256", .min = 16, .max = 1048576, .unit = "MiB", .reload = true,
	 .help = "Free space under which new uplinks are not accepted any more."},
	{"network-server", "max_devices", OPTION_INT, OPTION_AT(struct ns_options, max_devices),
	 .fallback = "1100000", .min = 1000, .max = 4000000,
	 .help = "Room for devices; memory is taken as they come, its tables at the start."},
	{"network-server", "extra_channels", OPTION_MAP, OPTION_AT(struct ns_options, extra_channels),
	 .check_entry = ns_extra_channels_check, .reload = true,
	 .help = "Channels that the network adds to a region's own, by region: frequencies in MHz, behind a "
		 "stroke that of the channel's downlinks where they go elsewhere, behind an @ the channel's "
		 "data rates ('867.1 867.3/869.1 868.8@7 868.3@6'); as many as devices of the region keep. "
		 "Devices that joined before are told as well. Not named, eu868 has '867.1 867.3 867.5 867.7 "
		 "867.9'; an empty value adds none."},
	{"network-server", "channel_plans", OPTION_MAP, OPTION_AT(struct ns_options, channel_plans),
	 .check_entry = ns_channel_plan_check, .reload = true,
	 .help = "Channels that devices may use where a region's are fixed, by region: channels ('8-15,65') "
		 "or sub-bands ('sub-bands 1-2'). Devices get those of them that some gateway hears, and a "
		 "gateway whose record names no channels is to hear them all. Not named: what the gateways "
		 "hear."},
	{"network-server", "join_eui_prefixes", OPTION_LIST, OPTION_AT(struct ns_options, join_eui_prefixes),
	 .check = is_eui_prefix, .form = "EUI/bits, as in 70b3d57ed0000000/36", .reload = true,
	 .help = "JoinEUIs that are the city's beside those of its registered devices: a join-request with "
		 "one of "
		 "them and an unknown DevEUI is shown as a device that somebody forgot to register."},
	{"network-server", "join_storm", OPTION_BOOL, OPTION_AT(struct ns_options, join_storm),
	 .fallback = "true", .reload = true,
	 .help = "Whether answers are planned otherwise while more devices ask to join than can be answered "
		 "(docs/storm.md): by the price of their airtime, 11 % of each gateway's time at most, "
		 "and "
		 "requests that cannot be answered in time are refused at once. false: who comes first is "
		 "served first, as in calm."},
	{"network-server", "callers", OPTION_MAP, OPTION_AT(struct ns_options, callers), .reload = true,
	 .help = "Who may connect to network.sock: 'bridges' and 'applications' (the application server), "
		 "each "
		 "a list of user names or numbers. What is not named is for root and the user that the "
		 "network server runs as."},
	{"network-server", "join_servers", OPTION_MAP, OPTION_AT(struct ns_options, join_servers),
	 .words = true, .check_entry = bi_join_server_check_network, .reload = true,
	 .help = "Join servers of others by name; joins whose JoinEUI is in none of their blocks go to the "
		 "city's own. "
		 "Of each: join_euis (EUI/bits), the longest that holds a JoinEUI wins; url (https); "
		 "certificate and "
		 "key that are shown, headers (a file of 'Name: value' lines), ca; protocol (1.0 or 1.1); "
		 "sender, the "
		 "NetID that it knows this network by, and ns_id; kek and kek_file, the label and the file "
		 "of the "
		 "key that wraps network keys; timeout_ms of a call; in_flight, the joins that may wait for "
		 "it; "
		 "asynchronous and answers_from, the certificate's name that its answers come with. A reload "
		 "reads "
		 "the files again; joins that wait for one that was taken out end, those of one that is "
		 "reached "
		 "otherwise now are asked again."},
	{"network-server", "join_answers.listen", OPTION_STRING, OPTION_AT(struct ns_options, answers_listen),
	 .fallback = "", .reload = true,
	 .help = "Address and port where asynchronous answers of others' join servers are taken, as in "
		 "0.0.0.0:9444: HTTPS with client certificates. Empty: none are."},
	{"network-server", "join_answers.certificate", OPTION_PATH,
	 OPTION_AT(struct ns_options, answers_certificate), .fallback = "", .min = 0, .reload = true,
	 .help = "PEM file of the certificate that is shown there."},
	{"network-server", "join_answers.key", OPTION_PATH, OPTION_AT(struct ns_options, answers_key),
	 .fallback = "", .min = 0, .reload = true, .help = "PEM file of its key."},
	{"network-server", "join_answers.ca", OPTION_PATH, OPTION_AT(struct ns_options, answers_ca),
	 .fallback = "", .min = 0, .reload = true,
	 .help = "PEM file of the authorities of the join servers' certificates."},
};
const size_t ns_option_row_count = ARRAY_SIZE(ns_option_rows);
