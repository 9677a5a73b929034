/* Every verb is the same few steps: read the words, make the target, call, print. */
#include "cli/records.h"

#include "cli/arguments.h"
#include "cli/client.h"
#include "cli/device.h"
#include "cli/watch.h"
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

/* Reads the words of a verb. True: go on. False: return `*exit_code` (after the help, or what is wrong). */
static bool begin(struct cli_arguments *arguments, const struct record_schema *schema, const char *verb,
		  const struct cli_option *options, size_t option_count, int argc, char **argv,
		  int *exit_code)
{
	char command[48];
	snprintf(command, sizeof command, "%s %s", schema->name, verb);
	*exit_code = CLI_USAGE;
	if (!cli_arguments_parse(arguments, command, options, option_count, 1, argc, argv))
		return false;
	if (arguments->help) {
		cli_verb_help(schema, verb);
		cli_options_print(options, option_count);
		*exit_code = CLI_DONE;
		return false;
	}
	return true;
}

/* The same for verbs on one record that must be named; fills its target. */
static bool begin_one(struct cli_arguments *arguments, const struct record_schema *schema, const char *verb,
		      const struct cli_option *options, size_t option_count, int argc, char **argv,
		      int *exit_code, char target[CLI_TARGET_MAX])
{
	if (!begin(arguments, schema, verb, options, option_count, argc, argv, exit_code))
		return false;
	if (arguments->operand_count == 1 && record_target(target, schema, arguments->operands[0]))
		return true;
	char next[64];
	snprintf(next, sizeof next, "lamppost %s %s --help", schema->name, verb);
	*exit_code = cli_problem(CLI_USAGE, verb, next, "expected one %s", schema->identifier);
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

static int run_add(const struct record_schema *schema, int argc, char **argv)
{
	struct record_options made;
	record_options_make(&made, schema, false);
	struct cli_arguments arguments;
	int exit_code;
	if (!begin(&arguments, schema, "add", made.options, made.count, argc, argv, &exit_code))
		return exit_code;
	const char *id = identifier(schema, &arguments, &made);
	struct cli_client *client = cli_client_new(&arguments);
	json_t *object = json_object();
	json_t *answer = NULL;
	exit_code = record_options_collect(object, client, &made, &arguments, id);
	if (exit_code == CLI_DONE && id && !json_object_get(object, schema->identifier))
		json_object_set_new(object, schema->identifier, json_string(id));
	char target[CLI_TARGET_MAX];
	(void)record_target(target, schema, NULL);
	if (exit_code == CLI_DONE)
		exit_code = cli_call(client, id ? id : schema->name, IO_HTTP_POST, target, object, &answer);
	if (exit_code == CLI_DONE)
		record_print_one(schema, answer, arguments.json);
	json_decref(object);
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

static const struct cli_option list_options[] = {
	{"agency", "ID", "only of this agency"},
	{"application", "ID", "only of this application"},
	{"limit", "N", "at most so many"},
};

/* Fetches page after page into `items`, at most `limit` records. */
static int fetch_list(struct cli_client *client, const struct record_schema *schema,
		      const struct cli_arguments *arguments, size_t limit, json_t *items)
{
	char after[CLI_TARGET_MAX] = "";
	for (;;) {
		size_t wanted = limit - json_array_size(items) < PAGE ? limit - json_array_size(items) : PAGE;
		char target[CLI_TARGET_MAX];
		snprintf(target, sizeof target, "/api/v1/%s?limit=%zu", schema->collection, wanted);
		for (size_t i = 0; i < 2; i++) {
			if (arguments->values[i] &&
			    !cli_target_append_query(target, list_options[i].name, arguments->values[i]))
				return cli_problem(CLI_USAGE, list_options[i].name, NULL, "too long");
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

static int run_list(const struct record_schema *schema, int argc, char **argv)
{
	struct cli_arguments arguments;
	int exit_code;
	if (!begin(&arguments, schema, "list", list_options, ARRAY_SIZE(list_options), argc, argv,
		   &exit_code))
		return exit_code;
	size_t limit = SIZE_MAX;
	const char *wanted = cli_argument(&arguments, "limit");
	if (wanted && !cli_parse_count("--limit", wanted, &limit))
		return CLI_USAGE;
	struct cli_client *client = cli_client_new(&arguments);
	json_t *items = json_array();
	exit_code = fetch_list(client, schema, &arguments, limit, items);
	if (exit_code == CLI_DONE)
		record_print_list(schema, items, arguments.json);
	json_decref(items);
	cli_client_free(client);
	return exit_code;
}

static int run_show(const struct record_schema *schema, int argc, char **argv)
{
	struct cli_arguments arguments;
	char target[CLI_TARGET_MAX];
	int exit_code;
	if (!begin_one(&arguments, schema, "show", NULL, 0, argc, argv, &exit_code, target))
		return exit_code;
	struct cli_client *client = cli_client_new(&arguments);
	json_t *answer = NULL;
	exit_code = cli_call(client, arguments.operands[0], IO_HTTP_GET, target, NULL, &answer);
	if (exit_code == CLI_DONE)
		record_print_one(schema, answer, arguments.json);
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

static int run_update(const struct record_schema *schema, int argc, char **argv)
{
	struct record_options made;
	record_options_make(&made, schema, true);
	struct cli_arguments arguments;
	char target[CLI_TARGET_MAX];
	int exit_code;
	if (!begin_one(&arguments, schema, "update", made.options, made.count, argc, argv, &exit_code,
		       target))
		return exit_code;
	struct cli_client *client = cli_client_new(&arguments);
	json_t *object = json_object();
	json_t *answer = NULL;
	exit_code = record_options_collect(object, client, &made, &arguments, arguments.operands[0]);
	if (exit_code == CLI_DONE && json_object_size(object) == 0)
		exit_code = cli_problem(CLI_USAGE, "update", NULL, "nothing to change");
	if (exit_code == CLI_DONE)
		exit_code = cli_call(client, arguments.operands[0], IO_HTTP_PATCH, target, object, &answer);
	if (exit_code == CLI_DONE)
		record_print_one(schema, answer, arguments.json);
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

static int run_remove(const struct record_schema *schema, int argc, char **argv)
{
	struct cli_arguments arguments;
	char target[CLI_TARGET_MAX];
	int exit_code;
	if (!begin_one(&arguments, schema, "remove", remove_options, ARRAY_SIZE(remove_options), argc, argv,
		       &exit_code, target))
		return exit_code;
	const char *id = arguments.operands[0];
	if (!cli_argument(&arguments, "yes") && !isatty(STDIN_FILENO))
		return cli_problem(CLI_REFUSED, "remove", "add --yes", "nobody is there to confirm");
	if (!cli_argument(&arguments, "yes") && !confirmed(schema, id))
		return cli_problem(CLI_REFUSED, "remove", NULL, "not confirmed, nothing was removed");
	struct cli_client *client = cli_client_new(&arguments);
	exit_code = cli_call(client, id, IO_HTTP_DELETE, target, NULL, NULL);
	if (exit_code == CLI_DONE && arguments.json)
		printf("{\"removed\": true}\n");
	else if (exit_code == CLI_DONE)
		printf("%s %s removed\n", schema->name, id);
	cli_client_free(client);
	return exit_code;
}

/* --- the groups ------------------------------------------------------------------------------------------------ */

static const struct cli_verb verbs[] = {
	{"add", "[ID] --FIELD VALUE ...", "register one", run_add},
	{"list", "[--agency ID] [--application ID] [--limit N]", "all that you may see", run_list},
	{"show", "ID", "all fields of one", run_show},
	{"update", "ID --FIELD VALUE ...", "change what is given, leave the rest", run_update},
	{"remove", "ID [--yes]", "take one out", run_remove},
};

static const struct cli_verb device_verbs[] = {
	{"keys", "set EUI --app-key KEY ...", "set or replace keys, sealed before they leave",
	 cli_device_keys},
	{"import", "FILE.csv [--dry-run]", "register many from a CSV file: all or none", cli_device_import},
	{"watch", "EUI", "what is known of it, then its joins, uplinks and downlinks, live",
	 cli_device_watch},
};

/* Whole command lines to copy, the first words of which are always `lamppost KIND`. */
static const struct {
	enum record_kind kind;
	const char *verb;
	const char *example;
} examples[] = {
	{RECORD_AGENCY, "add", "lamppost agency add --slug parks --name 'Parks and Recreation'"},
	{RECORD_APPLICATION, "add",
	 "lamppost application add --slug soil --name 'Soil moisture' --agency parks"},
	{RECORD_PROFILE, "add",
	 "lamppost profile add --slug probe-eu --name 'Soil probe' --region eu868 --mac-version 1.0.4 "
	 "--codec @probe.yaml"},
	{RECORD_DEPLOYMENT, "add",
	 "lamppost deployment add --slug bryant-park --name 'Bryant Park' --agency parks"},
	{RECORD_DEVICE, "add",
	 "lamppost device add 70b3d57ed0000001 --name 'Bed 1' --application soil --profile probe-eu "
	 "--app-key @key.txt"},
	{RECORD_DEVICE, "keys", "lamppost device keys set 70b3d57ed0000001 --app-key @key.txt"},
	{RECORD_DEVICE, "import", "lamppost device import sensors.csv --dry-run"},
	{RECORD_DEVICE, "watch", "lamppost device watch 70b3d57ed0000001"},
	{RECORD_DEVICE, "list", "lamppost device list --application soil"},
	{RECORD_DEVICE, "update", "lamppost device update 70b3d57ed0000001 --enabled false"},
	{RECORD_DEVICE, "remove", "lamppost device remove 70b3d57ed0000001 --yes"},
	{RECORD_GATEWAY, "add",
	 "lamppost gateway add 0016c001ff10a235 --name 'City Hall roof' --region eu868"},
};

static void print_examples(const struct record_schema *schema, const char *verb)
{
	bool any = false;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		if (examples[i].kind != schema->kind || (verb && strcmp(examples[i].verb, verb) != 0))
			continue;
		printf("%s  %s\n", any ? "" : "Examples:\n", examples[i].example);
		any = true;
	}
	if (!any)
		printf("Examples:\n  lamppost %s %s%s\n", schema->name, verb ? verb : "list",
		       verb && strcmp(verb, "list") != 0 ? " ID" : "");
}

static void print_group_help(const struct record_schema *schema)
{
	printf("lamppost %s: %s\n\nCommands:\n", schema->name, schema->help);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-8s %-48s %s\n", verbs[i].name, verbs[i].operands, verbs[i].help);
	for (size_t i = 0; schema->kind == RECORD_DEVICE && i < ARRAY_SIZE(device_verbs); i++)
		printf("  %-8s %-48s %s\n", device_verbs[i].name, device_verbs[i].operands,
		       device_verbs[i].help);
	printf("\n");
	print_examples(schema, NULL);
}

/* Lends the row of a verb of this kind, or NULL. */
static const struct cli_verb *find_verb(const struct record_schema *schema, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	for (size_t i = 0; schema->kind == RECORD_DEVICE && i < ARRAY_SIZE(device_verbs); i++) {
		if (strcmp(device_verbs[i].name, name) == 0)
			return &device_verbs[i];
	}
	return NULL;
}

void cli_verb_help(const struct record_schema *schema, const char *verb)
{
	const struct cli_verb *row = find_verb(schema, verb);
	ASSERT(row != NULL);
	printf("lamppost %s %s %s\n  %s\n\n", schema->name, row->name, row->operands, row->help);
	print_examples(schema, verb);
	printf("\n");
}

int cli_records(int argc, char **argv)
{
	const struct record_schema *schema = record_schema_named(argv[0]);
	ASSERT(schema != NULL);
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_group_help(schema);
		return argc < 2 ? CLI_USAGE : CLI_DONE;
	}
	const struct cli_verb *verb = find_verb(schema, argv[1]);
	if (!verb) {
		char next[64];
		snprintf(next, sizeof next, "lamppost %s --help", schema->name);
		return cli_problem(CLI_USAGE, argv[1], next, "no such command of `lamppost %s`",
				   schema->name);
	}
	return verb->run(schema, argc - 2, argv + 2);
}
