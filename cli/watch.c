#include "cli/watch.h"

#include "cli/client.h"
#include "cli/join.h"
#include "cli/problem.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_option options[] = {{"count", "N", "end after N events"}};

#define UNKNOWN_GATEWAYS 4 /* named at most */
#define INDENT           "                            "

struct watching {
	bool json;
	unsigned long left; /* events still wanted; 0: no limit */
};

bool cli_eui_read(const char *text, char eui[CLI_EUI_TEXT])
{
	size_t digits = 0;
	for (; *text; text++) {
		char c = *text;
		if (c == '-' || c == ':' || c == ' ')
			continue;
		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) || digits == CLI_EUI_TEXT - 1)
			return false;
		eui[digits++] = c;
	}
	eui[digits] = '\0';
	return digits == CLI_EUI_TEXT - 1;
}

void cli_eui_reverse(const char eui[CLI_EUI_TEXT], char reversed[CLI_EUI_TEXT])
{
	for (size_t i = 0; i < 8; i++)
		memcpy(reversed + 2 * i, eui + 2 * (7 - i), 2);
	reversed[CLI_EUI_TEXT - 1] = '\0';
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static void print(const char *text)
{
	printable_write(stdout, text);
}

/* --- what is known already ------------------------------------------------------------------------------------- */

/* Gives what a collection has under an id; NULL, silently, when there is none that the caller sees. */
static json_t *look(struct cli_client *client, const char *collection, const char *id, const char *more)
{
	char target[CLI_TARGET_MAX];
	snprintf(target, sizeof target, "/api/v1/%s/", collection);
	if (!cli_target_append(target, id) || strlen(target) + strlen(more) >= sizeof target)
		return NULL;
	memcpy(target + strlen(target), more, strlen(more) + 1);
	return cli_try(client, target);
}

/* Beside city.sock stand the admin sockets of the other processes, for those who may ask them. */
static json_t *ask(const struct cli_client *client, const char *process, const char *target)
{
	char path[512];
	const char *socket = cli_client_socket(client), *slash = strrchr(socket, '/');
	if (!slash || snprintf(path, sizeof path, "%.*s/%s.admin.sock", (int)(slash - socket), socket,
			       process) >= (int)sizeof path)
		return NULL;
	struct cli_client *admin = cli_client_new(&(struct cli_arguments){.socket = path});
	json_t *answer = cli_try(admin, target);
	cli_client_free(admin);
	return answer;
}

/* Gives the EUIs of gateways that knock and are not registered, a few of them; NULL: nobody to ask. */
static json_t *find_unknown_gateways(const struct cli_client *client)
{
	json_t *answer = ask(client, "gateway-bridge", "/gateways?state=unknown&limit=16");
	json_t *euis = answer ? json_array() : NULL;
	size_t i;
	const json_t *gateway;
	json_array_foreach(json_object_get(answer, "gateways"), i, gateway)
	{
		if (json_is_false(json_object_get(gateway, "known")) &&
		    json_is_true(json_object_get(gateway, "online")) &&
		    json_array_size(euis) < UNKNOWN_GATEWAYS)
			json_array_append(euis, json_object_get(gateway, "eui"));
	}
	json_decref(answer);
	return euis;
}

/* Gives {"dev_eui", "registered", "shown" (whether this caller may watch it), "enabled", "profile", "region", "activation", "last_uplink", "last_join", "mirror",
 * "gateways_online", "unknown_gateways"}; what cannot be known is null. */
static json_t *find_known(struct cli_client *client, const char *eui)
{
	char reversed[CLI_EUI_TEXT];
	cli_eui_reverse(eui, reversed);
	json_t *device = look(client, "devices", eui, ""), *mirror = look(client, "devices", reversed, "");
	json_t *joins = look(client, "devices", eui, "/joins"),
	       *health = ask(client, "network-server", "/healthz");
	json_t *profile = device ? look(client, "profiles", text_of(device, "profile"), "") : NULL;
	json_t *last = json_array_get(json_object_get(joins, "items"), 0);
	json_t *known = json_pack(
		"{ss sb sb sO? sO? sO? sO? sO? sO? ss? sO? so?}", "dev_eui", eui, "registered",
		device != NULL, "shown", device || joins, "enabled", json_object_get(device, "enabled"),
		"profile", json_object_get(device, "profile_slug"), "region",
		json_object_get(profile, "region"), "activation", json_object_get(device, "activation"),
		"last_uplink", json_object_get(device, "last_seen"), "last_join", last, "mirror",
		mirror && strcmp(eui, reversed) != 0 ? reversed : NULL, "gateways_online",
		json_object_get(health, "gateways_online"), "unknown_gateways",
		find_unknown_gateways(client));
	json_decref(device);
	json_decref(mirror);
	json_decref(joins);
	json_decref(health);
	json_decref(profile);
	return known;
}

static void print_registration(const json_t *known)
{
	if (!json_is_true(json_object_get(known, "registered"))) {
		bool shown = json_is_true(json_object_get(known, "shown"));
		printf(shown ? "not registered\n" : "not registered, or another agency's\n");
		if (!json_is_string(json_object_get(known, "mirror")))
			printf("  → register it: lamppost device add %s --name ... --application ... "
			       "--profile ... "
			       "--app-key ...\n",
			       text_of(known, "dev_eui"));
		return;
	}
	printf("registered, %s, profile ",
	       json_is_true(json_object_get(known, "enabled")) ? "enabled" : "NOT ENABLED");
	print(text_of(known, "profile"));
	printf(" (");
	print(text_of(known, "region"));
	printf(")\n");
	if (!json_is_true(json_object_get(known, "enabled")))
		printf("  → lamppost device update %s --enabled true\n", text_of(known, "dev_eui"));
}

static void print_unknown_gateways(const json_t *euis)
{
	size_t i;
	const json_t *eui;
	json_array_foreach(euis, i, eui)
	{
		printf("  → gateway ");
		print(json_string_value(eui) ? json_string_value(eui) : "");
		printf(" sends, and is not registered: nothing that it hears is taken. If it is yours: "
		       "lamppost gateway "
		       "add\n");
	}
}

static void print_silence(const json_t *known)
{
	const json_t *online = json_object_get(known, "gateways_online");
	const char *region = text_of(known, "region");
	printf("nothing was heard of it yet");
	if (online)
		printf("; gateways online: %" JSON_INTEGER_FORMAT, json_integer_value(online));
	printf("\n");
	if (online && json_integer_value(online) == 0)
		printf("  → no registered gateway is connected: compare lamppost gateway list with the "
		       "gateways' EUIs, "
		       "and the server address that is set in them\n");
	else if (strcmp(region, "us915") == 0 || strcmp(region, "au915") == 0)
		printf("  → turn it on, or press its button. In %s it has to use the gateways' sub-band: by "
		       "default "
		       "the second (channels 8 to 15)\n",
		       region);
	else
		printf("  → turn it on, or press its button; it asks to join a few times, then ever more "
		       "seldom\n");
	print_unknown_gateways(json_object_get(known, "unknown_gateways"));
}

void cli_watch_print_known(const json_t *known)
{
	const json_t *join = json_object_get(known, "last_join");
	const char *uplink = text_of(known, "last_uplink"), *mirror = text_of(known, "mirror");
	printf("%s: ", text_of(known, "dev_eui"));
	print_registration(known);
	if (*mirror)
		printf("  → %s IS registered: this EUI with its bytes in the other order. Which one does the "
		       "device "
		       "send?\n",
		       mirror);
	if (!json_is_true(json_object_get(known, "shown")))
		return;
	if (*uplink)
		printf("last uplink %.19s\n", uplink);
	if (json_is_object(join)) {
		printf("last join-request:\n");
		cli_print_attempt(join);
	} else if (!*uplink) {
		print_silence(known);
	}
	printf("watching; Ctrl-C ends\n");
}

/* --- what comes ------------------------------------------------------------------------------------------------ */

static void print_uplink(const json_t *event)
{
	const json_t *object = json_object_get(event, "object");
	const json_t *best = json_array_get(json_object_get(event, "rxInfo"), 0);
	printf("FCnt %" JSON_INTEGER_FORMAT ", port %" JSON_INTEGER_FORMAT ", DR%" JSON_INTEGER_FORMAT
	       ", %" JSON_INTEGER_FORMAT " dBm  ",
	       json_integer_value(json_object_get(event, "fCnt")),
	       json_integer_value(json_object_get(event, "fPort")),
	       json_integer_value(json_object_get(event, "dr")),
	       json_integer_value(json_object_get(best, "rssi")));
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	if (!text)
		printf("data ");
	print(text ? text : text_of(event, "data"));
	free(text);
	const char *unread = text_of(event, "codecError");
	if (*unread) {
		printf("\n" INDENT "not decoded: ");
		print(unread);
	}
}

/* A downlink is told by its item, of which eight digits are enough on a screen. */
static void print_downlink(const char *kind, const json_t *event)
{
	printf("downlink %.8s ", text_of(event, "queueItemId"));
	if (strcmp(kind, "ack") == 0) {
		printf("%s", json_is_true(json_object_get(event, "acknowledged")) ? "acknowledged"
										  : "NOT acknowledged");
		return;
	}
	printf("sent by gateway ");
	print(text_of(event, "gatewayId"));
	printf(", FCnt %" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(event, "fCntDown")));
}

static void print_log(const json_t *event)
{
	const json_t *item = json_object_get(json_object_get(event, "context"), "queue_item_id");
	if (item)
		printf("downlink %.8s ", json_string_value(item));
	print(text_of(event, "code"));
	printf(": ");
	print(text_of(event, "description"));
}

static void print_status(const json_t *event)
{
	if (json_is_true(json_object_get(event, "externalPowerSource")))
		printf("external power");
	else if (json_is_true(json_object_get(event, "batteryLevelUnavailable")))
		printf("battery not measured");
	else
		printf("battery %.0f %%", json_number_value(json_object_get(event, "batteryLevel")));
	printf(", margin %" JSON_INTEGER_FORMAT " dB", json_integer_value(json_object_get(event, "margin")));
}

void cli_watch_print(const char *kind, const json_t *event)
{
	if (strcmp(kind, "join_attempt") == 0) {
		cli_print_attempt(event);
		return;
	}
	if (strcmp(kind, "gap") == 0)
		return;
	char left[64];
	snprintf(left, sizeof left, "%.19s  %-6.6s ", text_of(event, "time"), kind);
	print(left);
	if (strcmp(kind, "up") == 0) {
		print_uplink(event);
	} else if (strcmp(kind, "join") == 0) {
		printf("session made, address ");
		print(text_of(event, "devAddr"));
	} else if (strcmp(kind, "ack") == 0 || strcmp(kind, "txack") == 0) {
		print_downlink(kind, event);
	} else if (strcmp(kind, "log") == 0) {
		print_log(event);
	} else if (strcmp(kind, "status") == 0) {
		print_status(event);
	}
	putchar('\n');
}

static void print_line(const char *id, const char *kind, json_t *event)
{
	json_t *line = json_pack("{s:s, s:s, s:O?}", "id", id, "kind", kind, "event", event);
	json_dumpf(line ? line : json_null(), stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static bool on_event(void *ctx, const char *id, const char *kind, const char *data)
{
	struct watching *watching = ctx;
	json_t *event = json_loads(data, JSON_REJECT_DUPLICATES, NULL);
	if (watching->json)
		print_line(id, kind, event);
	else if (event)
		cli_watch_print(kind, event);
	fflush(stdout);
	json_decref(event);
	return watching->left == 0 || --watching->left > 0;
}

static int watch(struct cli_client *client, const char *eui, struct watching *watching)
{
	char target[CLI_TARGET_MAX] = "/api/v1/events?joins=true";
	json_t *answer = NULL;
	/* Whether somebody is there is found out first, so that it is said once. */
	int exit_code = cli_call(client, eui, IO_HTTP_GET, "/api/v1/joins?limit=1", NULL, &answer);
	json_decref(answer);
	if (exit_code != CLI_DONE)
		return exit_code;
	json_t *known = find_known(client, eui);
	if (watching->json)
		print_line("", "known", known);
	else
		cli_watch_print_known(known);
	fflush(stdout);
	bool shown = json_is_true(json_object_get(known, "shown"));
	json_decref(known);
	if (!shown)
		return cli_problem(
			CLI_NOT_FOUND, eui, NULL,
			"until it is registered, only the city's engineers are shown what is heard "
			"of it");
	if (!cli_target_append_query(target, "device", eui))
		return CLI_USAGE;
	return cli_follow(client, eui, target, on_event, watching);
}

static int run_watch(const struct cli_arguments *arguments)
{
	struct watching watching = {.json = arguments->json};
	char eui[CLI_EUI_TEXT];
	if (!cli_eui_read(arguments->operands[0], eui))
		return cli_problem(CLI_USAGE, arguments->operands[0],
				   "lamppost device watch 70b3d57ed0000001",
				   "expected a DevEUI of 16 hex digits");
	const char *count = cli_argument(arguments, "count");
	if (count && !cli_parse_count("--count", count, &watching.left))
		return CLI_USAGE;
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = watch(client, eui, &watching);
	cli_client_free(client);
	return exit_code;
}

const struct cli_command cli_watch_commands[] = {
	{.group = "device",
	 .name = "watch",
	 .summary = "what is known of it, then its joins, uplinks and downlinks, live",
	 .description =
		 "Each join-request is told with what became of it and what to do next; then uplinks and "
		 "downlinks. The city's engineers may watch a device before it is registered.",
	 .operands = "EUI",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost device watch 70b3d57ed0000001\n",
	 .run = run_watch},
};
const size_t cli_watch_command_count = ARRAY_SIZE(cli_watch_commands);
