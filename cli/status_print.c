/* The screen. A line is put together from pieces with their colours and cut at the terminal's width; what does not fit the
 * height is left to --json. */
#include "cli/colour.h"
#include "cli/status.h"
#include "cli/status_screen.h"
#include "cli/text_width.h"
#include "cli/wrap.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define LISTED      3
#define LINES_FIXED 12 /* header, four processes, alarms, gateways, devices, two of traffic, queues, disk */

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static long long number(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

static void bytes_text(double bytes, char text[24])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	size_t unit = 0;
	for (; bytes >= 1000 && unit + 1 < ARRAY_SIZE(units); unit++)
		bytes /= 1000;
	snprintf(text, 24, unit && bytes < 10 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

/* --- the parts -------------------------------------------------------------------------------------------------------- */

static void print_header(struct cli_screen *screen, const json_t *facts, const json_t *findings)
{
	size_t wrong = json_array_size(findings);
	cli_screen_begin(screen, NULL);
	cli_screen_put(screen, COLOUR_STRONG, "Lamppost: ");
	if (wrong == 0)
		cli_screen_put(screen, COLOUR_GOOD, "all is well");
	else
		cli_screen_put(screen, COLOUR_BAD, wrong == 1 ? "1 thing is wrong" : "%zu things are wrong",
			       wrong);
	cli_screen_put(screen, COLOUR_DIM, "   %.19s UTC   %s", text_of(facts, "time"),
		       text_of(facts, "state_dir"));
	cli_screen_end(screen);
}

static void print_processes(struct cli_screen *screen, const json_t *facts)
{
	size_t i;
	const json_t *process;
	json_array_foreach(json_object_get(facts, "processes"), i, process)
	{
		const json_t *health = json_object_get(process, "health");
		const char *status = text_of(process, "status");
		cli_screen_begin(screen, i ? "" : "Processes");
		cli_screen_put(screen, COLOUR_NONE, "%-19s", text_of(process, "process"));
		cli_screen_put(screen, colour_of_word(status), "%s", status);
		if (json_is_object(health)) {
			char up[32];
			cli_status_span(number(health, "uptime_s"), up);
			cli_screen_put(screen, COLOUR_DIM, "  pid %lld, up %s, version %s",
				       number(health, "pid"), up, text_of(health, "version"));
		}
		cli_screen_end(screen);
	}
}

/* "? PROCESS does not answer" in the place of what only it knows. */
static bool is_unknown(struct cli_screen *screen, const char *label, const json_t *facts, const char *process)
{
	if (cli_status_answers(cli_status_process(facts, process)))
		return false;
	cli_screen_begin(screen, label);
	cli_screen_put(screen, COLOUR_DIM, "? the %s does not answer", process);
	cli_screen_end(screen);
	return true;
}

static void print_gateway(struct cli_screen *screen, const json_t *facts, const json_t *gateway)
{
	char span[32];
	const char *eui = text_of(gateway, "eui");
	long long silent_ms = number(gateway, "silent_ms");
	cli_screen_begin(screen, "");
	cli_screen_put(screen, COLOUR_NONE, "%s  %.24s  ", eui,
		       text_of(json_object_get(facts, "names"), eui));
	cli_status_span(silent_ms / 1000, span);
	if (silent_ms < 0)
		cli_screen_put(screen, COLOUR_WARNING, "not heard since the bridge started");
	else
		cli_screen_put(screen, COLOUR_BAD, "silent for %s", span);
	cli_screen_end(screen);
}

static void print_gateways(struct cli_screen *screen, const json_t *facts, size_t listed)
{
	if (is_unknown(screen, "Gateways", facts, "gateway-bridge"))
		return;
	const json_t *health = json_object_get(cli_status_process(facts, "gateway-bridge"), "health");
	const json_t *rows = json_object_get(facts, "gateways"), *gateway;
	size_t never = 0, i, shown = 0;
	json_array_foreach(rows, i, gateway)
	{
		never += number(gateway, "silent_ms") < 0;
	}
	size_t silent = json_array_size(rows) - never;
	cli_screen_begin(screen, "Gateways");
	cli_screen_put(screen, COLOUR_NONE, "%lld registered, ", number(health, "gateways"));
	cli_screen_put(screen, number(health, "online") ? COLOUR_GOOD : COLOUR_NONE, "%lld online",
		       number(health, "online"));
	cli_screen_put(screen, silent ? COLOUR_BAD : COLOUR_NONE, ", %zu silent", silent);
	cli_screen_put(screen, never ? COLOUR_WARNING : COLOUR_NONE, ", %zu not heard yet", never);
	if (number(health, "unknown"))
		cli_screen_put(screen, COLOUR_WARNING, ", %lld not registered (gateway list --unregistered)",
			       number(health, "unknown"));
	cli_screen_end(screen);
	/* Those that were there come first. */
	for (int pass = 0; pass < 2; pass++) {
		json_array_foreach(rows, i, gateway)
		{
			if ((number(gateway, "silent_ms") < 0) == (pass == 1) && shown++ < listed)
				print_gateway(screen, facts, gateway);
		}
	}
}

static void print_alarms(struct cli_screen *screen, const json_t *facts)
{
	const json_t *alarms = json_object_get(json_object_get(facts, "city"), "alarms");
	if (!json_is_object(alarms))
		return;
	long long critical = number(alarms, "critical"), warning = number(alarms, "warning");
	cli_screen_begin(screen, "Alarms");
	cli_screen_put(screen, critical ? COLOUR_BAD : COLOUR_NONE, "%lld critical", critical);
	cli_screen_put(screen, warning ? COLOUR_WARNING : COLOUR_NONE, ", %lld warning%s", warning,
		       warning == 1 ? "" : "s");
	cli_screen_put(screen, COLOUR_NONE, ", %lld notice%s, %lld taken on", number(alarms, "notice"),
		       number(alarms, "notice") == 1 ? "" : "s", number(alarms, "acknowledged"));
	if (number(alarms, "channels_failing"))
		cli_screen_put(screen, COLOUR_BAD, ", %lld of %lld channels failing",
			       number(alarms, "channels_failing"), number(alarms, "channels"));
	cli_screen_end(screen);
}

static void print_devices(struct cli_screen *screen, const json_t *facts, size_t listed)
{
	if (is_unknown(screen, "Devices", facts, "application-server"))
		return;
	const json_t *devices = json_object_get(json_object_get(facts, "city"), "devices"), *device;
	cli_screen_begin(screen, "Devices");
	if (!json_is_object(devices)) {
		cli_screen_put(screen, COLOUR_DIM,
			       json_is_object(json_object_get(facts, "city"))
				       ? "are being counted; ask again in a moment"
				       : "? the API does not say (you may not ask it?)");
		cli_screen_end(screen);
		return;
	}
	long long silent = number(devices, "silent"), waiting = number(devices, "waiting_to_join");
	cli_screen_put(screen, COLOUR_NONE, "%lld registered, %lld heard in 24 h",
		       number(devices, "registered"), number(devices, "heard_24h"));
	cli_screen_put(screen, silent ? COLOUR_WARNING : COLOUR_NONE, ", %lld unusually silent", silent);
	cli_screen_put(screen, COLOUR_NONE, ", %lld wait to join", waiting);
	cli_screen_end(screen);
	size_t i;
	json_array_foreach(json_object_get(devices, "longest_silent"), i, device)
	{
		char span[32], usual[32];
		cli_status_span(number(device, "silent_s"), span);
		cli_status_span(number(device, "usual_s"), usual);
		if (i >= listed)
			break;
		cli_screen_begin(screen, "");
		cli_screen_put(screen, COLOUR_NONE, "%s  %.24s  ", text_of(device, "dev_eui"),
			       text_of(device, "name"));
		cli_screen_put(screen, COLOUR_WARNING, "silent for %s", span);
		if (number(device, "usual_s"))
			cli_screen_put(screen, COLOUR_DIM, ", usually heard every %s", usual);
		cli_screen_end(screen);
	}
}

/* --- traffic ---------------------------------------------------------------------------------------------------------- */

#define DROPS "lamppost_network_drops_total"
static const char *const refused_uplinks[] = {"crc",
					      "malformed",
					      "unknown_gateway",
					      "unknown_dev_addr",
					      "region",
					      "data_rate",
					      "mic",
					      "fcnt_old",
					      "fcnt_gap",
					      "fcnt_exhausted",
					      "fcnt_reset",
					      "device_disabled",
					      "repeat_limit",
					      "late_refused",
					      "journal_full",
					      "outbox_full",
					      "dedup_full",
					      "sessions_full",
					      NULL};
static const char *const refused_joins[] = {"join_unknown_device",
					    "join_eui_differs",
					    "join_not_otaa",
					    "join_full",
					    "join_no_address",
					    "join_timeout",
					    "join_refused",
					    "join_bad_answer",
					    "join_server_busy",
					    "join_server_shunned",
					    "join_storm",
					    "join_in_flight",
					    NULL};
static const char *const failed_downlinks[] = {
	"no_gateway",   "too_late",     "duty_cycle",     "gateways_busy",
	"seal_timeout", "seal_refused", "attempts_spent", NULL};

struct top {
	char label[64];
	long long count;
};

/* Keeps the three most frequent of a counter's rows that are on a list. */
static void gather(const json_t *process, const char *const *list, struct top top[LISTED])
{
	size_t i;
	const json_t *counter;
	json_array_foreach(json_object_get(json_object_get(process, "counters"), "counters"), i, counter)
	{
		struct top row = {.count = number(counter, "hour")};
		size_t place = LISTED;
		if (strcmp(text_of(counter, "name"), DROPS) != 0)
			continue;
		cli_status_label(counter, row.label);
		bool listed = false;
		for (size_t n = 0; list[n]; n++)
			listed = listed || strcmp(list[n], row.label) == 0;
		while (listed && place > 0 && row.count > top[place - 1].count)
			place--;
		if (place == LISTED)
			continue;
		memmove(&top[place + 1], &top[place], (LISTED - 1 - place) * sizeof *top);
		top[place] = row;
	}
}

static void print_traffic(struct cli_screen *screen, const json_t *facts)
{
	if (is_unknown(screen, "Traffic", facts, "network-server"))
		return;
	const json_t *network = cli_status_process(facts, "network-server");
	const json_t *counters = json_object_get(network, "counters");
	long long span_s = number(counters, "recent_s");
	double minutes = span_s > 1 ? (double)span_s / 60 : 1.0 / 60;
	long long joins_refused = cli_status_count(network, DROPS, false, refused_joins);
	long long failed = cli_status_count(network, DROPS, false, failed_downlinks);
	char span[32];
	cli_status_span(span_s, span);
	cli_screen_begin(screen, "Traffic");
	cli_screen_put(screen, COLOUR_NONE, "%.1f uplinks/min, %lld joins",
		       (double)cli_status_count(network, "lamppost_network_uplinks_total", false, NULL) /
			       minutes,
		       cli_status_count(network, "lamppost_network_joins_total", false, NULL));
	cli_screen_put(screen, joins_refused ? COLOUR_WARNING : COLOUR_NONE, ", %lld refused", joins_refused);
	cli_screen_put(screen, COLOUR_NONE, "; %lld downlinks",
		       cli_status_count(network, "lamppost_network_downlinks_total", false, NULL));
	cli_screen_put(screen, failed ? COLOUR_WARNING : COLOUR_NONE, ", %lld failed", failed);
	cli_screen_put(screen, COLOUR_DIM, " (in %s)", span);
	cli_screen_end(screen);
	struct top top[LISTED + 1] = {{"", 0}};
	gather(network, refused_uplinks, top);
	gather(network, refused_joins, top);
	cli_status_span(number(counters, "hour_s"), span);
	cli_screen_begin(screen, "");
	cli_screen_put(screen, COLOUR_NONE, "refused in %s: ", span);
	for (size_t i = 0; i < LISTED && top[i].count; i++)
		cli_screen_put(screen, COLOUR_WARNING, "%s%s %lld", i ? ", " : "", top[i].label,
			       top[i].count);
	cli_screen_put(screen, COLOUR_DIM, top[0].count ? "  (lamppost why)" : "nothing");
	cli_screen_end(screen);
}

static void print_queues(struct cli_screen *screen, const json_t *facts)
{
	const json_t *network = json_object_get(cli_status_process(facts, "network-server"), "health");
	const json_t *bridge = json_object_get(cli_status_process(facts, "gateway-bridge"), "health");
	const json_t *mqtt = json_object_get(json_object_get(facts, "city"), "mqtt");
	char used[24], limit[24];
	bytes_text((double)number(network, "journal_bytes"), used);
	bytes_text((double)number(network, "journal_limit"), limit);
	cli_screen_begin(screen, "Queues");
	if (json_is_object(network))
		cli_screen_put(screen, COLOUR_NONE, "journal %s of %s, %lld downlinks wait", used, limit,
			       number(network, "items"));
	else
		cli_screen_put(screen, COLOUR_DIM, "journal ?");
	if (json_is_object(bridge))
		cli_screen_put(screen, number(bridge, "ring_entries") > 100 ? COLOUR_WARNING : COLOUR_NONE,
			       ", ring %lld frames", number(bridge, "ring_entries"));
	const char *state = text_of(mqtt, "state");
	cli_screen_put(screen, COLOUR_NONE, ", MQTT ");
	cli_screen_put(screen,
		       *state ? strcmp(state, "waiting") == 0 ? COLOUR_BAD : colour_of_word(state)
			      : COLOUR_DIM,
		       "%s", *state ? state : "?");
	if (*state && strcmp(state, "off") != 0)
		cli_screen_put(screen, COLOUR_NONE, ", %lld events wait", number(mqtt, "backlog"));
	cli_screen_end(screen);
}

static void print_disk(struct cli_screen *screen, const json_t *facts)
{
	const json_t *disk = json_object_get(facts, "disk");
	char free_text[24], size[24];
	bytes_text(json_number_value(json_object_get(disk, "free_bytes")), free_text);
	bytes_text(json_number_value(json_object_get(disk, "size_bytes")), size);
	cli_screen_begin(screen, "Disk");
	if (json_is_object(disk))
		cli_screen_put(screen, COLOUR_NONE, "%s of %s free", free_text, size);
	else
		cli_screen_put(screen, COLOUR_DIM, "? the state directory cannot be looked at");
	cli_screen_end(screen);
}

/* Lines that a text takes behind an indent; the words may break one more. */
static size_t lines_of(const struct cli_screen *screen, const char *text, size_t indent)
{
	size_t room = screen->width > indent + 20 ? screen->width - indent : 0;
	return room ? text_width(text) / room + 1 : 1;
}

static void print_findings(struct cli_screen *screen, const json_t *findings, size_t height)
{
	size_t i;
	const json_t *finding;
	json_array_foreach(findings, i, finding)
	{
		const char *what = text_of(finding, "what"), *next = text_of(finding, "next");
		bool bad = strcmp(text_of(finding, "level"), "bad") == 0;
		size_t needed = lines_of(screen, what, 2) + lines_of(screen, next, 4);
		size_t more = i + 1 < json_array_size(findings) ? 1 : 0;
		if (height && screen->lines + needed + more > height - 1) {
			cli_screen_begin(screen, NULL);
			cli_screen_put(screen, COLOUR_DIM, "and %zu more: lamppost status --json",
				       json_array_size(findings) - i);
			cli_screen_end(screen);
			return;
		}
		fputs(colour_start(screen->out, bad ? COLOUR_BAD : COLOUR_WARNING), screen->out);
		fputs("! ", screen->out);
		wrap_print(screen->out, what, screen->width, 2, 2);
		fputs(colour_stop(screen->out, COLOUR_BAD), screen->out);
		fputs("  → ", screen->out);
		wrap_print(screen->out, next, screen->width, 4, 4);
		screen->lines += needed;
	}
}

void cli_status_print(FILE *out, const json_t *facts, const json_t *findings, size_t width, size_t height)
{
	struct cli_screen screen = {.out = out, .width = width};
	size_t found = json_array_size(findings);
	size_t lines = height < 24 ? 24 : height;
	/* Findings come before the names of what is silent: a finding says what to do. The last line is the prompt's. */
	size_t spare = lines - 1 - LINES_FIXED;
	size_t wanted = 2 * found < spare ? 2 * found : spare;
	size_t listed = height == 0 ? LISTED : (spare - wanted) / 2 < LISTED ? (spare - wanted) / 2 : LISTED;
	print_header(&screen, facts, findings);
	print_processes(&screen, facts);
	print_gateways(&screen, facts, listed);
	print_alarms(&screen, facts);
	print_devices(&screen, facts, listed);
	print_traffic(&screen, facts);
	cli_status_print_storm(&screen, facts);
	print_queues(&screen, facts);
	print_disk(&screen, facts);
	print_findings(&screen, findings, height == 0 ? 0 : lines);
}
