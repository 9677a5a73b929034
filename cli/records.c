/* Every verb is the same few steps: read the words, make the target, call, print. */
#include "cli/allow_once.h"
#include "cli/records.h"

#include "cli/arguments.h"
#include "cli/client.h"
#include "cli/device_claim.h"
#include "cli/gateway_health.h"
#include "cli/problem.h"
#include "cli/record_options.h"
#include "cli/record_print.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 500

/* Fills the target of a record. */
static bool record_target(char target[CLI_TARGET_MAX], const struct record_schema *schema, const char *id)
{
	snprintf(target, CLI_TARGET_MAX, "/api/v1/%s%s", schema->collection, id ? "/" : "");
	return !id || cli_target_append(target, id);
}

/* The schema of the kind that a command's group names. */
static const struct record_schema *schema_of(const struct cli_command *command)
{
	const struct record_schema *schema = record_schema_named(command->group);
	ASSERT(schema != NULL);
	return schema;
}

/* Fills the target of the one record that the command line names; false after reporting. */
static bool target_of(char target[CLI_TARGET_MAX], const struct cli_arguments *arguments)
{
	if (record_target(target, schema_of(arguments->command), arguments->operands[0]))
		return true;
	(void)cli_problem(CLI_USAGE, arguments->command->name, NULL, "the name is too long");
	return false;
}

/* Makes the record's identifier from its operand or its option. */
static const char *identifier(const struct record_schema *schema, const struct cli_arguments *arguments,
			      const struct record_options *made)
{
	if (arguments->operand_count > 0)
		return arguments->operands[0];
	for (size_t i = 0; i < made->count; i++) {
		if (strcmp(made->fields[i]->name, schema->identifier) == 0)
			return arguments->values[i];
	}
	return NULL;
}

/* --qr: DevEUI and JoinEUI of a label; `eui` is "" without one. */
static int take_code(const struct cli_arguments *arguments, json_t *object, char eui[LW_EUI64_TEXT])
{
	const char *word = cli_argument_if_any(arguments, "qr");
	struct lw_tr005 code;
	eui[0] = '\0';
	int exit_code = word ? cli_code_read(word, &code) : CLI_DONE;
	if (word && exit_code == CLI_DONE) {
		cli_code_fill(&code, object);
		json_object_del(object, "token_digest");
		lw_eui64_format(eui, &code.dev_eui);
		explicit_bzero(&code, sizeof code);
	}
	return exit_code;
}

static int run_add(const struct cli_arguments *arguments)
{
	const struct record_schema *schema = schema_of(arguments->command);
	struct record_options made;
	record_options_make(&made, schema, false);
	const char *id = identifier(schema, arguments, &made);
	struct cli_client *client = cli_client_new(arguments);
	json_t *object = json_object();
	json_t *answer = NULL;
	char eui[LW_EUI64_TEXT];
	int exit_code = take_code(arguments, object, eui);
	id = *eui ? eui : id;
	if (exit_code == CLI_DONE)
		exit_code = record_options_collect(object, client, &made, arguments, id);
	if (exit_code == CLI_DONE && id && !json_object_get(object, schema->identifier))
		json_object_set_new(object, schema->identifier, json_string(id));
	char target[CLI_TARGET_MAX];
	(void)record_target(target, schema, NULL);
	if (exit_code == CLI_DONE)
		exit_code = cli_call(client, id ? id : schema->name, IO_HTTP_POST, target, object, &answer);
	if (exit_code == CLI_DONE)
		record_print_one(schema, answer, arguments->json);
	json_decref(object);
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

static const struct cli_option list_options[] = {
	{"agency", "ID", "only of this agency"},
	{"limit", "N", "at most so many"},
	{"application", "ID", "only of this application"},
};

static const struct cli_option gateway_list_options[] = {
	{"agency", "ID", "only of this agency"},
	{"limit", "N", "at most so many"},
	{"unregistered", NULL, "what sends and is not registered, with where from (the city's engineers)"},
};

static bool is_filter(const char *option)
{
	return strcmp(option, "agency") == 0 || strcmp(option, "application") == 0;
}

/* Fetches page after page into `items`, at most `limit` records. */
static int fetch_list(struct cli_client *client, const struct record_schema *schema,
		      const struct cli_arguments *arguments, size_t limit, json_t *items)
{
	char after[CLI_TARGET_MAX] = "";
	for (;;) {
		size_t wanted = limit - json_array_size(items) < PAGE ? limit - json_array_size(items) : PAGE;
		char target[CLI_TARGET_MAX];
		snprintf(target, sizeof target, "/api/v1/%s?limit=%zu", schema->collection, wanted);
		for (size_t i = 0; i < arguments->option_count; i++) {
			const char *name = arguments->options[i].name;
			if (arguments->values[i] && is_filter(name) &&
			    !cli_target_append_query(target, name, arguments->values[i]))
				return cli_problem(CLI_USAGE, name, NULL, "too long");
		}
		if (after[0] && !cli_target_append_query(target, "after", after))
			return cli_problem(CLI_FAILED, schema->collection, NULL,
					   "the server's cursor is too long");
		json_t *answer = NULL;
		int exit_code = cli_call(client, schema->collection, IO_HTTP_GET, target, NULL, &answer);
		if (exit_code != CLI_DONE)
			return exit_code;
		json_array_extend(items, json_object_get(answer, "items"));
		const char *next = json_string_value(json_object_get(answer, "next"));
		bool more = next && json_array_size(items) < limit &&
			    json_array_size(json_object_get(answer, "items")) > 0;
		snprintf(after, sizeof after, "%s", more ? next : "");
		json_decref(answer);
		if (!more)
			return CLI_DONE;
	}
}

int cli_record_list(const struct cli_arguments *arguments)
{
	const struct record_schema *schema = schema_of(arguments->command);
	size_t limit = SIZE_MAX;
	const char *wanted = cli_argument(arguments, "limit");
	if (wanted && !cli_parse_count("--limit", wanted, &limit))
		return CLI_USAGE;
	struct cli_client *client = cli_client_new(arguments);
	json_t *items = json_array();
	int exit_code = fetch_list(client, schema, arguments, limit, items);
	if (exit_code == CLI_DONE)
		record_print_list(schema, items, arguments->json);
	json_decref(items);
	cli_client_free(client);
	return exit_code;
}

/* What the bridge hears and nobody registered. */
static int list_unregistered(const struct cli_arguments *arguments)
{
	struct cli_client *client = cli_client_new(arguments);
	json_t *answer = NULL;
	int exit_code = cli_call(client, "gateways", IO_HTTP_GET,
				 "/api/v1/gateways?unregistered=true&limit=500", NULL, &answer);
	if (exit_code == CLI_DONE)
		record_print_unregistered(json_object_get(answer, "items"), arguments->json);
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

static int run_gateways(const struct cli_arguments *arguments)
{
	if (!cli_argument(arguments, "unregistered"))
		return cli_record_list(arguments);
	if (cli_argument(arguments, "agency") || cli_argument(arguments, "limit"))
		return cli_problem(CLI_USAGE, "--unregistered", "lamppost gateway list --unregistered",
				   "stands alone: what is not registered belongs to no agency");
	return list_unregistered(arguments);
}

static int run_show(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX];
	if (!target_of(target, arguments))
		return CLI_USAGE;
	struct cli_client *client = cli_client_new(arguments);
	json_t *answer = NULL;
	int exit_code = cli_call(client, arguments->operands[0], IO_HTTP_GET, target, NULL, &answer);
	if (exit_code == CLI_DONE)
		record_print_one(schema_of(arguments->command), answer, arguments->json);
	const char *activation = json_string_value(json_object_get(answer, "activation"));
	if (exit_code == CLI_DONE && !arguments->json && activation && strcmp(activation, "otaa") == 0)
		cli_allow_once_tell(client, arguments->operands[0]);
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

static int run_update(const struct cli_arguments *arguments)
{
	const struct record_schema *schema = schema_of(arguments->command);
	struct record_options made;
	char target[CLI_TARGET_MAX];
	record_options_make(&made, schema, true);
	if (!target_of(target, arguments))
		return CLI_USAGE;
	struct cli_client *client = cli_client_new(arguments);
	json_t *object = json_object();
	json_t *answer = NULL;
	int exit_code = record_options_collect(object, client, &made, arguments, arguments->operands[0]);
	if (exit_code == CLI_DONE && json_object_size(object) == 0)
		exit_code = cli_problem(CLI_USAGE, "update", NULL, "nothing to change");
	if (exit_code == CLI_DONE)
		exit_code = cli_call(client, arguments->operands[0], IO_HTTP_PATCH, target, object, &answer);
	if (exit_code == CLI_DONE)
		record_print_one(schema, answer, arguments->json);
	const char *note = json_string_value(json_object_get(answer, "note"));
	if (note)
		fprintf(stderr, "note: %s\n", note);
	json_decref(object);
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

static const struct cli_option remove_options[] = {{"yes", NULL, "do not ask"}};

static bool confirmed(const struct record_schema *schema, const char *id)
{
	char answer[16];
	fprintf(stderr, "Remove %s %s? Type yes: ", schema->name, id);
	return fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0;
}

static int run_remove(const struct cli_arguments *arguments)
{
	const struct record_schema *schema = schema_of(arguments->command);
	char target[CLI_TARGET_MAX];
	if (!target_of(target, arguments))
		return CLI_USAGE;
	const char *id = arguments->operands[0];
	if (!cli_argument(arguments, "yes") && !isatty(STDIN_FILENO))
		return cli_problem(CLI_REFUSED, "remove", "add --yes", "nobody is there to confirm");
	if (!cli_argument(arguments, "yes") && !confirmed(schema, id))
		return cli_problem(CLI_REFUSED, "remove", NULL, "not confirmed, nothing was removed");
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, id, IO_HTTP_DELETE, target, NULL, NULL);
	if (exit_code == CLI_DONE && arguments->json)
		printf("{\"removed\": true}\n");
	else if (exit_code == CLI_DONE)
		printf("%s %s removed\n", schema->name, id);
	cli_client_free(client);
	return exit_code;
}

/* --- the rows ---------------------------------------------------------------------------------------------------- */

#define ADD(kind, id, example)                                                                              \
	{                                                                                                   \
		.group = kind, .name = "add", .summary = "register one", .operands = "[" id "]",            \
		.make_options = record_make_add_options, .examples = "lamppost " kind " add " example "\n", \
		.run = run_add                                                                              \
	}
#define LIST(kind, example)                                                                                  \
	{                                                                                                    \
		.group = kind, .name = "list", .summary = "all that you may see", .options = list_options,   \
		.option_count = ARRAY_SIZE(list_options), .examples = "lamppost " kind " list" example "\n", \
		.run = cli_record_list                                                                       \
	}
#define SHOW(kind, id, example)                                                                \
	{                                                                                      \
		.group = kind, .name = "show", .summary = "all fields of one", .operands = id, \
		.examples = "lamppost " kind " show " example "\n", .run = run_show            \
	}
#define UPDATE(kind, id, example)                                                                   \
	{                                                                                           \
		.group = kind, .name = "update", .summary = "change what is given, leave the rest", \
		.operands = id, .make_options = record_make_update_options,                         \
		.examples = "lamppost " kind " update " example "\n", .run = run_update             \
	}
#define REMOVE(kind, id, example)                                                             \
	{                                                                                     \
		.group = kind, .name = "remove", .summary = "take one out", .operands = id,   \
		.options = remove_options, .option_count = ARRAY_SIZE(remove_options),        \
		.examples = "lamppost " kind " remove " example " --yes\n", .run = run_remove \
	}

const struct cli_command cli_record_commands[] = {
	ADD("agency", "SLUG", "parks --name 'Parks and Recreation'"),
	LIST("agency", ""),
	SHOW("agency", "AGENCY", "parks"),
	UPDATE("agency", "AGENCY", "parks --name 'Parks'"),
	REMOVE("agency", "AGENCY", "parks"),

	ADD("application", "SLUG", "soil --name 'Soil moisture' --agency parks"),
	LIST("application", " --agency parks"),
	SHOW("application", "APPLICATION", "soil"),
	UPDATE("application", "APPLICATION", "soil --name 'Soil moisture, all boroughs'"),
	REMOVE("application", "APPLICATION", "soil"),

	ADD("profile", "SLUG",
	    "probe-eu --name 'Soil probe' --region eu868 --mac-version 1.0.4 --codec @probe.yaml"),
	LIST("profile", ""),
	SHOW("profile", "PROFILE", "probe-eu"),
	UPDATE("profile", "PROFILE", "probe-eu --codec cayenne-lpp"),
	REMOVE("profile", "PROFILE", "probe-eu"),

	ADD("deployment", "SLUG", "bryant-park --name 'Bryant Park' --agency parks"),
	LIST("deployment", " --agency parks"),
	SHOW("deployment", "DEPLOYMENT", "bryant-park"),
	UPDATE("deployment", "DEPLOYMENT", "bryant-park --name 'Bryant Park, north'"),
	REMOVE("deployment", "DEPLOYMENT", "bryant-park"),

	ADD("device", "EUI",
	    "70b3d57ed0000001 --name 'Bed 1' --application soil --profile probe-eu --app-key @key.txt"),
	SHOW("device", "EUI", "70b3d57ed0000001"),
	UPDATE("device", "EUI", "70b3d57ed0000001 --enabled false"),
	REMOVE("device", "EUI", "70b3d57ed0000001"),

	ADD("gateway", "EUI", "0016c001ff10a235 --name 'City Hall roof' --region eu868"),
	{.group = "gateway",
	 .name = "list",
	 .summary = "all that you may see, and whether they are heard",
	 .description = "STATE is never_seen, online, unstable (heard, but its way breaks), silent (nothing "
			"for 90 seconds, by default) or "
			"offline (its connection ended, or nothing for ten minutes), with the reason beside "
			"it; ? where the "
			"gateway bridge does not answer, or is just being told of it. LOSS_PERCENT is what "
			"of its own messages was not "
			"answered, as it says.",
	 .options = gateway_list_options,
	 .option_count = ARRAY_SIZE(gateway_list_options),
	 .examples = "lamppost gateway list\n"
		     "lamppost gateway list --unregistered\n",
	 .run = run_gateways},
	{.group = "gateway",
	 .name = "show",
	 .summary = "one on a screen: its state, what to do, what may have to do with it",
	 .operands = "EUI",
	 .examples = "lamppost gateway show 0016c001ff10a235\n",
	 .run = cli_gateway_show},
	UPDATE("gateway", "EUI", "0016c001ff10a235 --name 'City Hall, north roof'"),
	REMOVE("gateway", "EUI", "0016c001ff10a235"),
};
const size_t cli_record_command_count = ARRAY_SIZE(cli_record_commands);
