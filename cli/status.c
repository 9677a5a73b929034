#include "cli/status.h"

#include "cli/arguments.h"
#include "cli/place.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "cli/up.h"
#include "common/base/check.h"
#include "common/io/http_client.h"
#include "common/io/loop.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_US (3 * US_PER_S)

struct asked {
	const char *name;
	char admin[2 * OPTION_PATH_MAX];
	bool done;
	int code;       /* 0: not reached */
	json_t *health; /* owned; NULL when it said nothing readable */
};

struct asking {
	struct asked processes[CLI_PROCESS_COUNT];
};

static void on_done(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer)
{
	struct asked *asked = ctx;
	(void)now;
	(void)call;
	asked->done = true;
	asked->code = answer->status == ST_OK ? answer->code : 0;
	if (asked->code)
		asked->health = json_loadb((const char *)answer->body, answer->length, 0, NULL);
}

static bool all_done(void *ctx)
{
	const struct asking *asking = ctx;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		if (!asking->processes[i].done)
			return false;
	return true;
}

static void ask(struct asking *asking, const char *run)
{
	struct io_loop *loop = io_loop_new(NULL);
	struct io_http_client *http = io_http_client_new(loop, NULL);
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		struct asked *asked = &asking->processes[i];
		asked->name = cli_process_names[i];
		snprintf(asked->admin, sizeof asked->admin, "%s/%s.admin.sock", run, asked->name);
		const struct io_http_call call = {.method = IO_HTTP_GET,
						  .url = "http://lamppost/healthz",
						  .unix_path = asked->admin,
						  .timeout = TIMEOUT_US,
						  .on_done = on_done,
						  .ctx = asked};
		io_http_call_id id;
		if (io_http_client_start(http, &call, &id) != ST_OK)
			asked->done = true;
	}
	(void)io_loop_run_until(loop, all_done, asking, TIMEOUT_US + US_PER_S);
	io_http_client_free(http);
	io_loop_free(loop);
}

static const char *text_of(const struct asked *asked, const char *member, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(asked->health, member));
	return text ? text : otherwise;
}

static const char *status_of(const struct asked *asked)
{
	return asked->code ? text_of(asked, "status", "failing") : "not reached";
}

/* "a and b"; "" when there is none. */
static void list_texts(const json_t *list, char *text, size_t capacity)
{
	size_t index;
	json_t *item;
	text[0] = '\0';
	json_array_foreach(list, index, item)
	{
		size_t used = strlen(text);
		snprintf(text + used, capacity - used, "%s%s", used ? " and " : "",
			 json_is_string(item) ? json_string_value(item) : "?");
	}
}

/* What else it said, as `name value`, parted by commas; lists of texts where there is something on them. */
static void detail_of(const struct asked *asked, char *text, size_t capacity)
{
	size_t used = 0;
	text[0] = '\0';
	const char *key;
	json_t *value;
	json_object_foreach(asked->health, key, value)
	{
		if (strcmp(key, "status") == 0 || strcmp(key, "version") == 0 ||
		    strcmp(key, "process") == 0 || strcmp(key, "pid") == 0)
			continue;
		char shown[96] = "";
		if (json_is_string(value))
			snprintf(shown, sizeof shown, "%s", json_string_value(value));
		else if (json_is_integer(value))
			snprintf(shown, sizeof shown, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		else if (json_is_boolean(value))
			snprintf(shown, sizeof shown, "%s", json_is_true(value) ? "yes" : "no");
		else if (json_is_array(value))
			list_texts(value, shown, sizeof shown);
		if (shown[0] == '\0')
			continue;
		int length = snprintf(text + used, capacity - used, "%s%s %s", used ? ", " : "", key, shown);
		if (length < 0 || (size_t)length >= capacity - used)
			return;
		used += (size_t)length;
	}
}

static void print_table(const struct asking *asking)
{
	static const char *const titles[] = {"PROCESS", "STATUS", "VERSION", "DETAIL"};
	struct table_text table;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		const struct asked *asked = &asking->processes[i];
		char detail[256];
		detail_of(asked, detail, sizeof detail);
		const char *cells[] = {asked->name, status_of(asked), text_of(asked, "version", "-"), detail};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

static void print_json(const struct asking *asking)
{
	json_t *list = json_array();
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		const struct asked *asked = &asking->processes[i];
		json_t *row = json_pack("{s:s, s:s, s:s}", "process", asked->name, "status",
					asked->code ? status_of(asked) : "not_reached", "version",
					text_of(asked, "version", ""));
		json_object_set(row, "health", asked->health ? asked->health : json_null());
		json_array_append_new(list, row);
	}
	json_t *document = json_pack("{s:o}", "processes", list);
	json_dumpf(document, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(document);
}

static int exit_code_of(const struct asking *asking)
{
	int code = CLI_DONE;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		if (asking->processes[i].code == 0)
			return CLI_NOT_REACHED;
		if (asking->processes[i].code != 200)
			code = CLI_FAILED;
	}
	return code;
}

static const struct cli_option options[] = {
	{"state", "DIR", "where databases and keys live; default: LAMPPOST_STATE, or ./var"},
	{"config", "FILE", "the configuration (-c for short)"},
};

static int run(const struct cli_arguments *arguments)
{
	struct cli_place place;
	int code = cli_place_find(&place, "status", cli_argument(arguments, "state"),
				  cli_argument(arguments, "config"));
	if (code != CLI_DONE)
		return code;
	struct asking asking;
	memset(&asking, 0, sizeof asking);
	ask(&asking, place.run);
	if (arguments->json)
		print_json(&asking);
	else
		print_table(&asking);
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		json_decref(asking.processes[i].health);
	return exit_code_of(&asking);
}

const struct cli_command cli_status_commands[] = {
	{.group = "status",
	 .summary = "which processes run, and how they are",
	 .description = NULL,
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost status\n"
		     "lamppost status --json\n",
	 .exits = "0 all are well\n1 one is failing\n5 one was not reached\n",
	 .local = true,
	 .run = run},
};
const size_t cli_status_command_count = ARRAY_SIZE(cli_status_commands);
