/* Keys are read, sealed and wiped here; the server sees sealed ones only. An import is one request, all or nothing:
 * every row is checked and its keys sealed before anything leaves, and every row that is wrong is named with its line. */
#include "cli/device.h"

#include "cli/allow_once.h"
#include "cli/client.h"
#include "cli/device_mac.h"
#include "cli/key_file.h"
#include "cli/key_rules.h"
#include "cli/input.h"
#include "cli/rejoin.h"
#include "cli/problem.h"
#include "common/text/record_schema.h"
#include "cli/seal.h"
#include "common/base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_option key_options[] = {
	{"app-key", "KEY", "OTAA: AppKey; the one root key of a 1.0.x device"},
	{"nwk-key", "KEY", "OTAA 1.1: NwkKey"},
	{"nwk-s-key", "KEY", "ABP: NwkSKey; 1.1: FNwkSIntKey"},
	{"s-nwk-s-int-key", "KEY", "ABP 1.1: SNwkSIntKey"},
	{"nwk-s-enc-key", "KEY", "ABP 1.1: NwkSEncKey"},
	{"app-s-key", "KEY", "ABP: AppSKey"},
	{KEY_ALLOW_OPTION, NULL, KEY_ALLOW_HELP}, /* the last: all before it are keys */
};
#define KEY_OPTIONS (ARRAY_SIZE(key_options) - 1)

/* Fills the field's name of an option: "app_key" of "app-key". */
static void field_name(char *name, size_t capacity, const char *option)
{
	snprintf(name, capacity, "%s", option);
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : *at;
}

static int run_keys(const struct cli_arguments *arguments)
{
	const char *eui = arguments->operands[1];
	char target[CLI_TARGET_MAX] = "/api/v1/devices/";
	if (strcmp(arguments->operands[0], "set") != 0 || !cli_target_append(target, eui) ||
	    strlen(target) + sizeof "/keys" > CLI_TARGET_MAX)
		return cli_problem(CLI_USAGE, "device keys", "lamppost device keys --help",
				   "expected `set` and a DevEUI");
	snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "/keys");
	struct cli_client *client = cli_client_new(arguments);
	struct cli_seal *seal = NULL;
	json_t *keys = json_object();
	int exit_code = CLI_DONE;
	for (size_t i = 0; i < KEY_OPTIONS && exit_code == CLI_DONE; i++) {
		if (!arguments->values[i])
			continue;
		char field[48];
		field_name(field, sizeof field, key_options[i].name);
		json_t *sealed = NULL;
		exit_code = cli_seal_word(client, &seal, field, eui, arguments->values[i], &sealed);
		if (exit_code == CLI_DONE)
			json_object_set_new(keys, field, sealed);
	}
	if (exit_code == CLI_DONE && json_object_size(keys) == 0)
		exit_code = cli_problem(CLI_USAGE, "device keys set", "lamppost device keys --help",
					"no key is given");
	if (exit_code == CLI_DONE)
		exit_code = cli_call(client, eui, IO_HTTP_PUT, target, keys, NULL);
	if (exit_code == CLI_DONE)
		printf(arguments->json ? "{\"keys\": %zu}\n" : "%zu keys set\n", json_object_size(keys));
	json_decref(keys);
	cli_seal_free(seal);
	cli_client_free(client);
	return exit_code;
}

/* --- import ---------------------------------------------------------------------------------------------------- */

static const struct cli_option import_options[] = {
	{"dry-run", NULL, "check everything, register nothing, and say what was understood"},
	{"format", "auto|lamppost|maker|tts|chirpstack|thingpark",
	 "who wrote the file; auto tells by its header"},
	{"map", "FIELD=TITLE,...", "which column is what: dev_eui=EUI64,app_key=Secret"},
	{"application", "ID", "of every row that names none"},
	{"profile", "ID", "of every row that names none"},
	{"deployment", "ID", "of every row that names none"},
	{"join-eui", "EUI", "of every row that has none"},
	{KEY_ALLOW_OPTION, NULL, KEY_ALLOW_HELP},
};

static int send_rows(const char *file, json_t *rows, struct cli_client *client,
		     const struct cli_arguments *arguments)
{
	bool dry_run = cli_argument(arguments, "dry-run") != NULL;
	json_t *body = json_pack("{s:b, s:O}", "dry_run", dry_run, "rows", rows);
	json_t *answer = NULL;
	int code = 0;
	int exit_code = cli_call_raw(client, file, IO_HTTP_POST, "/api/v1/devices/import", body, &answer,
				     &code);
	json_decref(body);
	if (exit_code == CLI_DONE && (code < 200 || code > 299)) {
		exit_code = cli_complaints_answer(file, code, answer);
	} else if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (exit_code == CLI_DONE) {
		printf("%s%lld created, %lld updated\n", dry_run ? "dry run, nothing registered: " : "",
		       (long long)json_integer_value(json_object_get(answer, "created")),
		       (long long)json_integer_value(json_object_get(answer, "updated")));
	}
	json_decref(answer);
	return exit_code;
}

static int run_import(const struct cli_arguments *arguments)
{
	const char *file = arguments->operands[0], *format = cli_argument(arguments, "format");
	struct key_request request = {.file = file,
				      .map = cli_argument(arguments, "map"),
				      .application = cli_argument(arguments, "application"),
				      .profile = cli_argument(arguments, "profile"),
				      .deployment = cli_argument(arguments, "deployment"),
				      .join_eui = cli_argument(arguments, "join-eui")};
	struct key_summary summary;
	size_t length;
	if (format && !key_format_parse(format, &request.format))
		return cli_problem(CLI_USAGE, "--format", "lamppost device import --help", "%s: not known",
				   format);
	char *text = cli_read_file(file, &length);
	if (!text)
		return cli_problem(CLI_FAILED, file, NULL, "cannot be read: %s", strerror(errno));
	struct cli_client *client = cli_client_new(arguments);
	struct cli_seal *seal = NULL;
	json_t *rows = NULL;
	int exit_code = cli_seal_open(client, &seal);
	if (exit_code == CLI_DONE)
		exit_code = key_rows_read(&request, text, length, seal, &rows, &summary);
	if (exit_code == CLI_DONE && cli_argument(arguments, "dry-run") && !arguments->json &&
	    summary.format != KEY_LAMPPOST)
		key_summary_print(&summary, stdout);
	explicit_bzero(text, length);
	free(text);
	if (exit_code == CLI_DONE)
		exit_code = send_rows(file, rows, client, arguments);
	json_decref(rows);
	cli_seal_free(seal);
	cli_client_free(client);
	return exit_code;
}

const struct cli_command cli_device_commands[] = {
	{.group = "device",
	 .name = "keys",
	 .summary = "set or replace keys, sealed before they leave",
	 .description =
		 "KEY is 32 hex digits, @FILE, or - for standard input (what stands on a command line, "
		 "others may see). Keys that are no secret (zeros, published examples) are refused.",
	 .operands = "set EUI",
	 .options = key_options,
	 .option_count = ARRAY_SIZE(key_options),
	 .examples = "lamppost device keys set 70b3d57ed0000001 --app-key @key.txt\n",
	 .run = run_keys},
	{.group = "device",
	 .name = "import",
	 .summary = "register many from a file, ours or a manufacturer's: all or none",
	 .description =
		 "The first line names the columns, in any order: dev_eui, name, application, "
		 "profile, join_eui, "
		 "app_key, nwk_key, activation, dev_addr, nwk_s_key, app_s_key, fcnt_up, fcnt_down, "
		 "lat, lon, home_net_id, "
		 "deployment, tags (k=v;k=v). Every row is checked and its keys sealed before "
		 "anything leaves, and "
		 "every row that is wrong is named with its line. - is standard input.\n\n"
		 "Files of manufacturers and other servers are read as they come: commas, semicolons or "
		 "tabs, UTF-16, EUIs with dashes, columns called AppEUI or Device EUI; JSON of The Things "
		 "Stack and ChirpStack; ThingPark's lines. --dry-run shows which column was taken for "
		 "what. What a spreadsheet has counted (1.2E+15) is refused, and so is a key that is no "
		 "secret: "
		 "zeros, published examples, one that several devices share.",
	 .operands = "FILE",
	 .options = import_options,
	 .option_count = ARRAY_SIZE(import_options),
	 .examples = "lamppost device import sensors.csv --dry-run\n"
		     "lamppost device import delivery.csv --application soil --profile probe-eu\n",
	 .run = run_import},
	{.group = "device",
	 .name = "mac",
	 .summary = "what it has taken and refused of what the network wants",
	 .description =
		 "One line a parameter: windows, channels, data rate, power, ADR's and the rejoin's "
		 "parameters, class B. States: agreed; due (asked with the next downlink, later by a device "
		 "that refused much); asked (and not "
		 "answered yet: how often, and after how many uplinks again); refused (not asked again until "
		 "something else is wanted: lamppost why device EUI has the answer); not_known_to_version.",
	 .operands = "EUI",
	 .examples = "lamppost device mac 70b3d57ed0000001\n",
	 .run = cli_device_mac},
	{.group = "device",
	 .name = "rejoin",
	 .summary = "have a device of LoRaWAN 1.1 renew its keys",
	 .description =
		 "The device is told with the answer to its next uplink (ForceRejoinReq), and asked again "
		 "until its "
		 "rejoin-request is heard. Until the first uplink under the new keys the old ones go on; "
		 "queued downlinks wait and go out under the new ones.",
	 .operands = "EUI",
	 .options = cli_rejoin_options,
	 .option_count = CLI_REJOIN_OPTIONS,
	 .examples = "lamppost device rejoin 70b3d57ed0000001\n"
		     "lamppost device rejoin 70b3d57ed0000001 --type 0 --dr 0 --retries 3\n",
	 .exits = "4 the device is one of ABP or of a version before 1.1, or its profile does not allow it\n",
	 .run = cli_rejoin_run},
	{.group = "device",
	 .name = "join-allow-once",
	 .summary = "let a device that lost its counter join once",
	 .description =
		 "Its next join is let pass even with a DevNonce that was used before or is too low, once "
		 "and "
		 "within "
		 "the time. Nothing else is forgotten: a join after that one needs a higher DevNonce again. "
		 "Stay by the device: "
		 "while it is open, a recorded join-request of the device could use it up. Who allowed what "
		 "is "
		 "in the audit.",
	 .operands = "EUI",
	 .options = cli_allow_once_options,
	 .option_count = CLI_ALLOW_ONCE_OPTIONS,
	 .examples = "lamppost device join-allow-once 70b3d57ed0000001\n"
		     "lamppost device join-allow-once 70b3d57ed0000001 --for 10m\n"
		     "lamppost device join-allow-once 70b3d57ed0000001 --withdraw\n",
	 .exits = "4 it is one of ABP, or never joined: nothing has to be allowed\n",
	 .run = cli_allow_once_run},
};
const size_t cli_device_command_count = ARRAY_SIZE(cli_device_commands);
