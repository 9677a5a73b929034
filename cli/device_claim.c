/* A token is hashed here and never sent; a new one is made here and shown once. */
#include "cli/device_claim.h"

#include "cli/client.h"
#include "cli/input.h"
#include "cli/key_file.h"
#include "cli/key_rules.h"
#include "cli/problem.h"
#include "cli/record_print.h"
#include "cli/seal.h"
#include "common/base/check.h"
#include "common/crypto/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

/* --- codes ----------------------------------------------------------------------------------------------------------- */

static int parse_code(const char *text, size_t length, struct lw_tr005 *code)
{
	enum lw_tr005_verdict verdict = lw_tr005_parse(text, length, code);
	return verdict == LW_TR005_OK
		       ? CLI_DONE
		       : cli_problem(CLI_REFUSED, "--qr", NULL, "%s", lw_tr005_reason(verdict));
}

int cli_code_read(const char *word, struct lw_tr005 *code)
{
	char *text = cli_input_text("--qr", word);
	if (!text)
		return CLI_REFUSED;
	int exit_code = parse_code(text, strlen(text), code);
	explicit_bzero(text, strlen(text));
	free(text);
	return exit_code;
}

void cli_code_fill(const struct lw_tr005 *code, json_t *body)
{
	char eui[LW_EUI64_TEXT], digest[65];
	lw_eui64_format(eui, &code->dev_eui);
	json_object_set_new(body, "dev_eui", json_string(eui));
	lw_eui64_format(eui, &code->join_eui);
	json_object_set_new(body, "join_eui", json_string(eui));
	if (code->owner_token[0]) {
		key_token_digest(&code->dev_eui, code->owner_token, digest);
		json_object_set_new(body, "token_digest", json_string(digest));
	}
}

void cli_token_new(char token[LW_TR005_TOKEN])
{
	static const char letters[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"; /* 32, without 0 1 I O */
	uint8_t bytes[16];
	secret_random(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		token[i] = letters[bytes[i] % 32];
	token[sizeof bytes] = '\0';
	secret_wipe(bytes, sizeof bytes);
}

/* --- claim ----------------------------------------------------------------------------------------------------------- */

static const struct cli_option claim_options[] = {
	{"qr", "TEXT", "the code on the label; @FILE; - for a scanner on standard input, a line a device"},
	{"application", "ID", "that gets its readings"},
	{"profile", "ID", "what kind of device it is"},
	{"name", "TEXT", "its name; without one its serial number or DevEUI"},
	{"deployment", "ID", "programme it belongs to"},
};

static int claim_one(struct cli_client *client, const struct cli_arguments *arguments,
		     const struct lw_tr005 *code)
{
	static const char *const said[] = {"application", "profile", "name", "deployment"};
	json_t *body = json_object(), *answer = NULL;
	cli_code_fill(code, body);
	const char *dev_eui = text_of(body, "dev_eui");
	int exit_code = code->owner_token[0]
				? CLI_DONE
				: cli_problem(
					  CLI_REFUSED, dev_eui, "lamppost device add --qr TEXT",
					  "its code has no owner token (:O...), so nothing can be claimed");
	json_object_set_new(body, "name", json_string(code->serial[0] ? code->serial : dev_eui));
	for (size_t i = 0; i < ARRAY_SIZE(said); i++)
		if (cli_argument(arguments, said[i]))
			json_object_set_new(body, said[i], json_string(cli_argument(arguments, said[i])));
	if (exit_code == CLI_DONE)
		exit_code = cli_call(client, dev_eui, IO_HTTP_POST, "/api/v1/devices/claim", body, &answer);
	if (exit_code == CLI_DONE)
		record_print_one(record_schema(RECORD_DEVICE), answer, arguments->json);
	json_decref(answer);
	json_decref(body);
	return exit_code;
}

static int claim_lines(struct cli_client *client, const struct cli_arguments *arguments, const char *text)
{
	int exit_code = CLI_DONE;
	bool any = false;
	while (*text) {
		struct lw_tr005 code;
		size_t length = strcspn(text, "\n");
		if (strspn(text, " \t\r") < length) {
			any = true;
			int one = parse_code(text, length, &code);
			if (one == CLI_DONE)
				one = claim_one(client, arguments, &code);
			exit_code = exit_code == CLI_DONE ? one : exit_code;
			explicit_bzero(&code, sizeof code);
		}
		text += length + (text[length] == '\n');
	}
	return any ? exit_code : cli_problem(CLI_USAGE, "--qr", NULL, "no code is given");
}

static int run_claim(const struct cli_arguments *arguments)
{
	const char *word = cli_argument(arguments, "qr");
	if (!word || !cli_argument(arguments, "application") || !cli_argument(arguments, "profile"))
		return cli_problem(CLI_USAGE, "device claim", "lamppost device claim --help",
				   "--qr, --application and --profile are needed");
	char *text = cli_input_text("--qr", word);
	if (!text)
		return CLI_REFUSED;
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = claim_lines(client, arguments, text);
	explicit_bzero(text, strlen(text));
	free(text);
	cli_client_free(client);
	return exit_code;
}

/* --- release --------------------------------------------------------------------------------------------------------- */

static bool device_target(char target[CLI_TARGET_MAX], const char *eui, const char *tail)
{
	snprintf(target, CLI_TARGET_MAX, "/api/v1/devices/");
	if (!cli_target_append(target, eui) || strlen(target) + strlen(tail) >= CLI_TARGET_MAX)
		return false;
	snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "%s", tail);
	return true;
}

static int tell_new_code(const json_t *answer, const char *token, bool json)
{
	struct lw_tr005 code = {.vendor = 0};
	char text[LW_TR005_TEXT];
	unsigned profile = (unsigned)strtoul(text_of(answer, "profile_id"), NULL, 16);
	code.vendor = (uint16_t)(profile >> 16);
	code.vendor_profile = (uint16_t)profile;
	snprintf(code.owner_token, sizeof code.owner_token, "%s", token);
	if (lw_tr005_is_value(text_of(answer, "serial"), strlen(text_of(answer, "serial"))))
		snprintf(code.serial, sizeof code.serial, "%s", text_of(answer, "serial"));
	if (!lw_eui64_parse(text_of(answer, "dev_eui"), &code.dev_eui) ||
	    !lw_eui64_parse(text_of(answer, "join_eui"), &code.join_eui) || !lw_tr005_build(&code, text))
		return cli_problem(CLI_FAILED, "release", NULL, "the server's answer is no device");
	if (json)
		printf("{\"dev_eui\": \"%s\", \"qr\": \"%s\"}\n", text_of(answer, "dev_eui"), text);
	else
		printf("%s is released. The code for its new label:\n%s\n", text_of(answer, "dev_eui"), text);
	fprintf(stderr,
		"note: this is the only time that it is shown; the old label opens nothing any more\n");
	explicit_bzero(&code, sizeof code);
	explicit_bzero(text, sizeof text);
	return CLI_DONE;
}

static int run_release(const struct cli_arguments *arguments)
{
	struct lw_eui64 eui;
	char target[CLI_TARGET_MAX], token[LW_TR005_TOKEN], digest[65];
	json_t *answer = NULL;
	if (!lw_eui64_parse(arguments->operands[0], &eui) ||
	    !device_target(target, arguments->operands[0], "/release"))
		return cli_problem(CLI_USAGE, "device release", NULL, "expected a DevEUI, 16 hex digits");
	if (secret_init() != ST_OK)
		return cli_problem(CLI_FAILED, "release", NULL, "the system has no randomness");
	cli_token_new(token);
	key_token_digest(&eui, token, digest);
	struct cli_client *client = cli_client_new(arguments);
	json_t *body = json_pack("{ss}", "token_digest", digest);
	int exit_code = cli_call(client, arguments->operands[0], IO_HTTP_POST, target, body, &answer);
	if (exit_code == CLI_DONE)
		exit_code = tell_new_code(answer, token, arguments->json);
	else if (exit_code != CLI_REFUSED && exit_code != CLI_NOT_FOUND && exit_code != CLI_NOT_REACHED)
		fprintf(stderr,
			"note: see lamppost device shelf; if it was released before the answer got lost, its "
			"owner token is %s, and this is the only time that it is shown\n",
			token);
	json_decref(body);
	json_decref(answer);
	cli_client_free(client);
	explicit_bzero(token, sizeof token);
	return exit_code;
}

/* --- replace --------------------------------------------------------------------------------------------------------- */

static const struct cli_option replace_options[] = {
	{"qr", "TEXT",
	 "the new device's code in place of its EUI; with an owner token it is claimed; @FILE, -"},
	{"app-key", "KEY", "the new device's AppKey: 32 hex digits, @FILE, -"},
	{"nwk-key", "KEY", "OTAA 1.1: the new device's NwkKey"},
	{"join-eui", "EUI", "the new device's JoinEUI; without it the old one's"},
	{"profile", "ID", "if it is of another kind"},
	{"queue", "move|drop", "what becomes of commands that wait"},
	{"undo", NULL, "the old device goes on; the other is not enabled any more"},
	{KEY_ALLOW_OPTION, NULL, KEY_ALLOW_HELP},
};

static int collect_new(const struct cli_arguments *arguments, struct cli_client *client, json_t *body)
{
	static const char *const keys[][2] = {{"app-key", "app_key"}, {"nwk-key", "nwk_key"}};
	static const char *const said[][2] = {
		{"join-eui", "join_eui"}, {"profile", "profile"}, {"queue", "queue"}};
	struct cli_seal *seal = NULL;
	int exit_code = CLI_DONE;
	const char *qr = cli_argument(arguments, "qr");
	if (qr) {
		struct lw_tr005 code;
		exit_code = cli_code_read(qr, &code);
		if (exit_code == CLI_DONE)
			cli_code_fill(&code, body);
		explicit_bzero(&code, sizeof code);
		if (cli_argument(arguments, "app-key")) /* it is known to nobody yet */
			json_object_del(body, "token_digest");
	} else {
		json_object_set_new(body, "dev_eui", json_string(arguments->operands[1]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys) && exit_code == CLI_DONE; i++) {
		json_t *sealed = NULL;
		const char *word = cli_argument(arguments, keys[i][0]);
		if (!word)
			continue;
		exit_code = cli_seal_word(client, &seal, keys[i][1], text_of(body, "dev_eui"), word, &sealed);
		if (exit_code == CLI_DONE)
			json_object_set_new(body, keys[i][1], sealed);
	}
	for (size_t i = 0; i < ARRAY_SIZE(said); i++)
		if (cli_argument(arguments, said[i][0]))
			json_object_set_new(body, said[i][1],
					    json_string(cli_argument(arguments, said[i][0])));
	cli_seal_free(seal);
	return exit_code;
}

static void tell_replaced(const struct cli_arguments *arguments, const json_t *answer)
{
	const json_t *device = json_object_get(answer, "device");
	json_int_t moved = json_integer_value(json_object_get(answer, "commands_moved"));
	json_int_t dropped = json_integer_value(json_object_get(answer, "commands_dropped"));
	if (arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	if (cli_argument(arguments, "undo"))
		printf("%s goes on as %s\n", text_of(device, "dev_eui"), text_of(device, "name"));
	else
		printf("%s stands in the place of %s, as %s\n", text_of(device, "dev_eui"),
		       arguments->operands[0], text_of(device, "name"));
	if (moved || dropped)
		printf("%lld commands moved, %lld dropped\n", (long long)moved, (long long)dropped);
}

static int run_replace(const struct cli_arguments *arguments)
{
	bool undo = cli_argument(arguments, "undo") != NULL, qr = cli_argument(arguments, "qr") != NULL;
	char target[CLI_TARGET_MAX];
	if (!device_target(target, arguments->operands[0], undo ? "/replacement" : "/replace"))
		return cli_problem(CLI_USAGE, "device replace", NULL, "the EUI is too long");
	if ((arguments->operand_count == 2) + undo + qr != 1)
		return cli_problem(CLI_USAGE, "device replace", "lamppost device replace --help",
				   "expected one of the new EUI, --qr and --undo");
	struct cli_client *client = cli_client_new(arguments);
	json_t *body = undo ? NULL : json_object(), *answer = NULL;
	int exit_code = undo ? CLI_DONE : collect_new(arguments, client, body);
	if (exit_code == CLI_DONE)
		exit_code = cli_call(client, arguments->operands[0], undo ? IO_HTTP_DELETE : IO_HTTP_POST,
				     target, body, &answer);
	if (exit_code == CLI_DONE)
		tell_replaced(arguments, answer);
	json_decref(body);
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

/* --- rows ------------------------------------------------------------------------------------------------------------ */

static const struct cli_option qr_options[] = {
	{"svg", "FILE", "a page to print instead, A4, as many pages as it takes"},
	{"png", "FILE", "one code as a picture instead"},
	{"application", "ID", "all devices of this application"},
};

static const struct cli_option unshelve_options[] = {{"yes", NULL, "do not ask"}};

static const struct cli_option shelve_options[] = {
	{"dry-run", NULL, "check everything, put nothing there, and say what was understood"},
	{"format", "auto|lamppost|maker|tts|chirpstack|thingpark", "who wrote the file"},
	{"map", "FIELD=TITLE,...",
	 "which column is what: dev_eui, join_eui, app_key, owner_token, serial, qr"},
	{"join-eui", "EUI", "of every row that has none"},
	{KEY_ALLOW_OPTION, NULL, KEY_ALLOW_HELP},
};

const struct cli_command cli_claim_commands[] = {
	{.group = "device",
	 .name = "claim",
	 .summary = "take over devices from the shelf by the code on their label",
	 .description =
		 "The code (LoRa Alliance TR005, LW:D0:...) names the device and has its owner token; keys "
		 "are known already and come along. The token is good once. Five wrong tries for a device, "
		 "or "
		 "twenty of yours, within a day lock it for an hour.",
	 .options = claim_options,
	 .option_count = ARRAY_SIZE(claim_options),
	 .examples = "lamppost device claim --qr - --application soil --profile probe-eu\n",
	 .exits = "4 wrong token, claimed already, or too many tries\n",
	 .run = run_claim},
	{.group = "device",
	 .name = "release",
	 .summary = "put a device back on the shelf, under a new owner token",
	 .description =
		 "It leaves your agency and the air; its keys stay sealed with it. The code for its new "
		 "label is printed once.",
	 .operands = "EUI",
	 .examples = "lamppost device release 70b3d57ed0000001\n",
	 .run = run_release},
	{.group = "device",
	 .name = "replace",
	 .summary = "put a new device in the place of an old one: same name, same history",
	 .description =
		 "The new one gets name, application, deployment, tags and position; readings of the place "
		 "are "
		 "read on through both. The old one is kept, refused on the air, and can be taken back with "
		 "--undo. A device that is registered already may be the new one.",
	 .operands = "EUI [EUI]",
	 .options = replace_options,
	 .option_count = ARRAY_SIZE(replace_options),
	 .examples = "lamppost device replace 70b3d57ed0000001 70b3d57ed00000a7 --app-key @key.txt\n"
		     "lamppost device replace 70b3d57ed0000001 --qr - --queue move\n"
		     "lamppost device replace 70b3d57ed0000001 --undo\n",
	 .exits = "4 commands wait and --queue is not given; one of the two shares a place already\n",
	 .run = run_replace},
	{.group = "device",
	 .name = "shelve",
	 .summary = "put devices with keys and owner tokens on the shelf, to be claimed",
	 .description =
		 "For manufacturers and stores. The file is one that device import reads, with a column "
		 "owner_token, or a column qr of codes. Keys are sealed and tokens hashed before anything "
		 "leaves. All of the file or none, whatever ends in between; the same file again puts none "
		 "there twice, and takes back none that was claimed meanwhile.",
	 .operands = "FILE",
	 .options = shelve_options,
	 .option_count = ARRAY_SIZE(shelve_options),
	 .examples = "lamppost device shelve delivery.csv --dry-run\n",
	 .run = cli_device_shelve},
	{.group = "device",
	 .name = "shelf",
	 .summary = "devices that wait to be claimed, and those that were",
	 .examples = "lamppost device shelf\n",
	 .run = cli_device_shelf},
	{.group = "device",
	 .name = "unshelve",
	 .summary = "take devices off the shelf: nobody claims them any more",
	 .description = "Their keys and the token go with them; a file that has them puts them there again. "
			"A device "
			"that was claimed stays with its owner: it only leaves this list, and a release puts "
			"it on its "
			"owner's shelf.",
	 .operands = "EUI...",
	 .options = unshelve_options,
	 .option_count = ARRAY_SIZE(unshelve_options),
	 .examples = "lamppost device unshelve 70b3d57ed0000001 --yes\n",
	 .exits = "3 not on a shelf of yours\n",
	 .run = cli_device_unshelve},
	{.group = "device",
	 .name = "qr",
	 .summary = "the code for a device's label: in the terminal, on a sheet, as a picture",
	 .description =
		 "LoRa Alliance TR005 without an owner token, which nobody keeps. A tag serial=... becomes "
		 "its serial number.",
	 .operands = "[EUI...]",
	 .options = qr_options,
	 .option_count = ARRAY_SIZE(qr_options),
	 .examples = "lamppost device qr 70b3d57ed0000001\n"
		     "lamppost device qr --application soil --svg labels.svg\n",
	 .run = cli_device_qr},
};
const size_t cli_claim_command_count = ARRAY_SIZE(cli_claim_commands);
