/* Options become one object (frame_context.h, frame_build.h say which members there are); the rest is pure. Keys are wiped
 * when they have been used, and never printed. */
#include "cli/frame.h"

#include "cli/frame_build.h"
#include "cli/frame_decode.h"
#include "cli/frame_input.h"
#include "cli/frame_mac.h"
#include "cli/input.h"
#include "cli/problem.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/text/region_yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- options ---------------------------------------------------------------------------------------------------- */

static const struct cli_option shared_options[] = {
	{"keys", "FILE",
	 "keys and numbers from a file of YAML or JSON (app_s_key: \"...\"); - is standard input"},
	{"region", "REGION", "eu868, us915, ...: data rates, powers and channels in words"},
};
static const struct cli_option decode_options[] = {
	{"base64", NULL, "the frame is base64, also where it looks like hex"},
};
static const struct cli_option build_options[] = {
	{"object", "OBJECT", "the fields as JSON or YAML, @FILE or -; options go before its members"},
	{"base64", NULL, "print base64 instead of hex"},
};

static void add_option(struct cli_made_options *made, const char *member, const char *value, const char *help)
{
	ASSERT_CMP(made->count, <, CLI_OPTIONS_MAX);
	char *name = made->names[made->count];
	snprintf(name, sizeof made->names[0], "%s", member);
	for (char *at = name; *at; at++)
		*at = *at == '_' ? '-' : *at;
	made->options[made->count++] = (struct cli_option){name, value, help};
}

static void add_context_options(struct cli_made_options *made)
{
	size_t count;
	const struct cli_frame_member *members = cli_frame_members(&count);
	for (size_t i = 0; i < count; i++)
		add_option(made, members[i].name, members[i].value, members[i].help);
	for (size_t i = 0; i < ARRAY_SIZE(shared_options); i++)
		made->options[made->count++] = shared_options[i];
}

static void make_decode_options(struct cli_made_options *made, const struct cli_command *command)
{
	(void)command;
	for (size_t i = 0; i < ARRAY_SIZE(decode_options); i++)
		made->options[made->count++] = decode_options[i];
	add_context_options(made);
}

static void make_build_options(struct cli_made_options *made, const struct cli_command *command)
{
	size_t count;
	const struct cli_frame_field *fields = cli_frame_fields(&count);
	(void)command;
	for (size_t i = 0; i < ARRAY_SIZE(build_options); i++)
		made->options[made->count++] = build_options[i];
	for (size_t i = 0; i < count; i++)
		if (fields[i].help)
			add_option(made, fields[i].name, fields[i].value, fields[i].help);
	add_context_options(made);
}

/* Lends the value of a member's option. */
static const char *option_of(const struct cli_arguments *arguments, const char *member)
{
	char name[48];
	snprintf(name, sizeof name, "%s", member);
	for (char *at = name; *at; at++)
		*at = *at == '_' ? '-' : *at;
	return cli_argument(arguments, name);
}

/* --- what is known ---------------------------------------------------------------------------------------------- */

/* Reads an object from text; NULL after reporting. */
static json_t *read_object(const char *what, const char *text)
{
	char error[256];
	json_t *object = cli_parse_object(what, text, strlen(text), error, sizeof error);
	if (!object)
		(void)cli_problem(CLI_USAGE, what, "lamppost frame --help", "%s", error);
	return object;
}

static int add_key_file(json_t *known, const char *path)
{
	size_t length;
	char *text = cli_read_file(path, &length);
	if (!text)
		return cli_problem(CLI_FAILED, path, NULL, "cannot be read: %s", strerror(errno));
	json_t *object = read_object(path, text);
	explicit_bzero(text, length);
	free(text);
	if (!object)
		return CLI_USAGE;
	const char *key;
	json_t *value;
	int exit_code = CLI_DONE;
	json_object_foreach(object, key, value)
	{
		if (!cli_frame_is_member(key))
			exit_code = cli_problem(CLI_USAGE, path, "lamppost frame decode --help",
						"%s: nothing of that name is known of a frame", key);
	}
	json_object_update(known, object);
	json_decref(object);
	return exit_code;
}

/* Adds the options of frame_context.h; keys also from @FILE and standard input. */
static int add_known_options(json_t *known, const struct cli_arguments *arguments)
{
	size_t count;
	const struct cli_frame_member *members = cli_frame_members(&count);
	for (size_t i = 0; i < count; i++) {
		const char *word = option_of(arguments, members[i].name);
		if (!word)
			continue;
		char *text = i < FRAME_KEY_COUNT ? cli_input_text(members[i].name, word) : strdup(word);
		if (!text)
			return CLI_FAILED;
		json_object_set_new(known, members[i].name, json_string(text));
		explicit_bzero(text, strlen(text));
		free(text);
	}
	return CLI_DONE;
}

struct known {
	struct cli_frame_context context;
	struct lw_region *region; /* owned */
	struct aes *aes;          /* owned */
};

static void forget(struct known *known)
{
	cli_frame_context_wipe(&known->context);
	free(known->region);
	aes_free(known->aes);
}

/* Fills what the options and `object` (borrowed; options go before it) tell. */
static int learn(struct known *known, const struct cli_arguments *arguments, const json_t *object)
{
	memset(known, 0, sizeof *known);
	const char *region = cli_argument(arguments, "region");
	const char *file = cli_argument(arguments, "keys");
	char problem[CLI_FRAME_PROBLEM_MAX];
	json_t *all = json_object();
	int exit_code = CLI_DONE;
	if (file)
		exit_code = add_key_file(all, file);
	if (exit_code == CLI_DONE && object)
		json_object_update((json_t *)all, (json_t *)(uintptr_t)object);
	if (exit_code == CLI_DONE)
		exit_code = add_known_options(all, arguments);
	if (exit_code == CLI_DONE && region) {
		known->region = malloc(sizeof *known->region);
		if (!known->region || !region_load(known->region, region))
			exit_code = cli_problem(CLI_USAGE, region, "lamppost frame decode --region eu868 ...",
						"no such region");
		known->context.region = known->region;
	}
	if (exit_code == CLI_DONE && !cli_frame_context_read(&known->context, all, problem))
		exit_code = cli_problem(CLI_USAGE, arguments->command->name, "lamppost frame --help", "%s",
					problem);
	json_decref(all);
	known->aes = exit_code == CLI_DONE ? aes_new() : NULL;
	if (exit_code == CLI_DONE && !known->aes)
		exit_code = cli_problem(CLI_FAILED, "frame", NULL, "no memory for the ciphers");
	if (exit_code != CLI_DONE)
		forget(known);
	return exit_code;
}

/* --- decode ----------------------------------------------------------------------------------------------------- */

static int decode_text(struct known *known, const struct cli_arguments *arguments, const char *what,
		       const char *text, size_t *shown)
{
	struct cli_frame_inputs inputs;
	const char *problem;
	int exit_code = CLI_DONE;
	if (!cli_frame_input(&inputs, text, cli_argument(arguments, "base64") != NULL, &problem))
		return cli_problem(CLI_USAGE, what, "lamppost frame decode --help", "%s", problem);
	for (size_t i = 0; i < inputs.count; i++) {
		struct cli_frame_report *report = cli_frame_decode(
			inputs.frames[i].bytes, inputs.frames[i].length, &known->context, known->aes);
		if (arguments->json) {
			json_dumpf(report->document, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			if ((*shown)++ > 0)
				putchar('\n');
			cli_frame_report_print(report, stdout);
		}
		if (report->outcome != CLI_FRAME_READ)
			exit_code = CLI_REFUSED;
		cli_frame_report_free(report);
	}
	return exit_code;
}

/* A frame a line; blank lines and those that begin with # are passed over. */
static int decode_lines(struct known *known, const struct cli_arguments *arguments, size_t *shown)
{
	char *line = NULL;
	size_t capacity = 0;
	int exit_code = CLI_DONE;
	unsigned number = 0;
	while (getline(&line, &capacity, stdin) != -1) {
		char what[32];
		line[strcspn(line, "\r\n")] = '\0';
		snprintf(what, sizeof what, "line %u", ++number);
		const char *text = line + strspn(line, " \t");
		if (*text == '\0' || *text == '#')
			continue;
		int code = decode_text(known, arguments, what, text, shown);
		if (code > exit_code)
			exit_code = code;
	}
	free(line);
	return exit_code;
}

static int run_decode(const struct cli_arguments *arguments)
{
	struct known known;
	size_t shown = 0;
	int exit_code = learn(&known, arguments, NULL);
	if (exit_code != CLI_DONE)
		return exit_code;
	for (size_t i = 0; i < arguments->operand_count; i++) {
		const char *word = arguments->operands[i];
		int code = strcmp(word, "-") == 0 ? decode_lines(&known, arguments, &shown)
						  : decode_text(&known, arguments, word, word, &shown);
		if (code > exit_code)
			exit_code = code;
	}
	forget(&known);
	return exit_code;
}

/* --- build ------------------------------------------------------------------------------------------------------ */

/* Adds the options of a frame's fields. */
static int add_fields(json_t *object, const struct cli_arguments *arguments)
{
	size_t count;
	char problem[CLI_FRAME_PROBLEM_MAX];
	const struct cli_frame_field *fields = cli_frame_fields(&count);
	for (size_t i = 0; i < count; i++) {
		const char *word = fields[i].help ? option_of(arguments, fields[i].name) : NULL;
		if (!word)
			continue;
		json_t *value = !fields[i].value                     ? json_true()
				: strcmp(fields[i].name, "mac") == 0 ? cli_frame_mac_parse(word, problem)
								     : json_string(word);
		if (!value)
			return cli_problem(CLI_USAGE, "--mac", "lamppost frame build --help", "%s", problem);
		json_object_set_new(object, fields[i].name, value);
	}
	return CLI_DONE;
}

static int take_object(json_t **object, const struct cli_arguments *arguments)
{
	const char *word = cli_argument(arguments, "object");
	*object = NULL;
	if (!word) {
		*object = json_object();
		return CLI_DONE;
	}
	char *text = cli_input_text("object", word);
	if (!text)
		return CLI_FAILED;
	*object = read_object("object", text);
	explicit_bzero(text, strlen(text));
	free(text);
	return *object ? CLI_DONE : CLI_USAGE;
}

static int build(const json_t *object, struct known *known, const struct cli_arguments *arguments)
{
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	char problem[CLI_FRAME_PROBLEM_MAX], text[2 * LW_PHY_PAYLOAD_MAX + 1];
	size_t length;
	if (!cli_frame_build(object, &known->context, known->aes, phy, &length, problem))
		return cli_problem(CLI_REFUSED, "frame build", "lamppost frame build --help", "%s", problem);
	if (cli_argument(arguments, "base64"))
		base64_encode(text, phy, length);
	else
		hex_encode(text, phy, length);
	printf(arguments->json ? "{\"phy_payload\":\"%s\"}\n" : "%s\n", text);
	return CLI_DONE;
}

static int run_build(const struct cli_arguments *arguments)
{
	struct known known;
	json_t *object;
	int exit_code = take_object(&object, arguments);
	if (exit_code == CLI_DONE)
		exit_code = learn(&known, arguments, object);
	if (exit_code == CLI_DONE) {
		exit_code = add_fields(object, arguments);
		if (exit_code == CLI_DONE)
			exit_code = build(object, &known, arguments);
		forget(&known);
	}
	json_decref(object);
	return exit_code;
}

/* --- rows ------------------------------------------------------------------------------------------------------- */

#define KEYS_IN_WORDS                                                                                      \
	"KEY is 32 hex digits, @FILE, or - for standard input. What stands on a command line, others on "  \
	"the machine "                                                                                     \
	"may see while it runs, and the shell keeps it: real keys belong into --keys FILE or @FILE. Keys " \
	"are never "                                                                                       \
	"printed."

const struct cli_command cli_frame_commands[] = {
	{.group = "frame",
	 .name = "decode",
	 .summary = "every field of a frame, in the specification's words",
	 .description =
		 "Explains frames field by field, checks the MIC and deciphers the payload with the "
		 "keys that are "
		 "given; no server is asked. HEX is hex, or base64, the JSON of a gateway (rxpk, txpk) "
		 "or a whole "
		 "datagram in hex; - reads one a line from standard input. With --json a document a "
		 "frame, which `frame "
		 "build --object` takes back.\n\n" KEYS_IN_WORDS,
	 .operands = "HEX...",
	 .make_options = make_decode_options,
	 .examples = "lamppost frame decode 40f17dbe4900020001954378762b11ff0d --keys meter.yaml\n"
		     "lamppost frame decode QPF9vkkAAgABlUN4disR/w0= --region eu868\n"
		     "lamppost frame decode --json - <frames.txt\n",
	 .exits = "4 a frame is malformed or its MIC is wrong\n",
	 .local = true,
	 .run = run_decode},
	{.group = "frame",
	 .name = "build",
	 .summary = "the bytes of a frame from its fields, ciphered and with its MIC",
	 .description =
		 "The opposite of decode. Fields are given as options, or as an object with the members that "
		 "`frame decode --json` prints. A MIC is computed where its key is given.\n\n" KEYS_IN_WORDS,
	 .make_options = make_build_options,
	 .examples = "lamppost frame build --type UnconfirmedDataUp --dev-addr 49be7df1 --fcnt 2 --fport 1 "
		     "--frm-payload "
		     "74657374 --keys meter.yaml\n"
		     "lamppost frame build --type UnconfirmedDataDown --dev-addr 49be7df1 --fcnt 7 --mac "
		     "'LinkADRReq "
		     "data_rate=5 tx_power=1 ch_mask=0x00ff ch_mask_cntl=0 nb_trans=1; DevStatusReq' --keys "
		     "meter.yaml\n"
		     "lamppost frame build --object @frame.json --keys meter.yaml\n",
	 .exits = "4 the fields contradict each other, or something is missing\n",
	 .local = true,
	 .run = run_build},
};
const size_t cli_frame_command_count = ARRAY_SIZE(cli_frame_commands);
