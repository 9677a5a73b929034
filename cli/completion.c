/* What the three scripts share, and the command that prints them. */
#include "cli/completion.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "cli/value_word.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_US (700 * US_PER_MS)
#define OFFERED     200 /* values at most */

void cli_completion_quote(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
	}
	fputc('\'', out);
}

/* Lends what the value of an option is. */
static const char *kind_of(struct cli_completion_option *option, const struct cli_option *row,
			   const char *const *choices)
{
	if (!row->value || row->value[0] == '[')
		return NULL;
	option->choices[0] = '\0';
	for (size_t i = 0; choices && choices[i]; i++) {
		size_t used = strlen(option->choices);
		snprintf(option->choices + used, sizeof option->choices - used, "%s%s", i ? "|" : "",
			 choices[i]);
	}
	if (option->choices[0])
		return option->choices;
	enum cli_value_kind kind = cli_option_kind(row->name, row->value);
	return kind == CLI_VALUE_CHOICE ? row->value : cli_value_kind_name(kind);
}

size_t cli_completion_options(const struct cli_command *command,
			      struct cli_completion_option options[CLI_OPTIONS_MAX + 8])
{
	/* Names of made options must outlive the call. */
	static struct cli_made_options made;
	size_t own, every;
	const struct cli_option *rows = cli_command_options(command, &made, &own);
	const struct cli_option *common = cli_common_options(!command->local, &every);
	ASSERT_CMP(every, <=, 8);
	for (size_t i = 0; i < own + every; i++) {
		const struct cli_option *row = i < own ? &rows[i] : &common[i - own];
		options[i].name = row->name;
		options[i].help = row->help;
		options[i].kind = kind_of(&options[i], row,
					  i < own && command->make_options ? made.choices[i] : NULL);
	}
	return own + every;
}

void cli_completion_operand(const char *group, const char *word, char text[64])
{
	enum cli_value_kind kind = cli_operand_kind(group, word);
	const char *shown = kind == CLI_VALUE_CHOICE ? word : cli_value_kind_name(kind);
	snprintf(text, 64, "%s", kind == CLI_VALUE_FREE ? "" : shown);
}

/* --- lamppost completion ------------------------------------------------------------------------------------------ */

static int run_completion(const struct cli_arguments *arguments)
{
	static const struct {
		const char *shell;
		void (*print)(FILE *out);
	} shells[] = {
		{"bash", cli_completion_bash}, {"zsh", cli_completion_zsh}, {"fish", cli_completion_fish}};
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		if (strcmp(shells[i].shell, arguments->operands[0]) != 0)
			continue;
		shells[i].print(stdout);
		return CLI_DONE;
	}
	return cli_problem(CLI_USAGE, arguments->operands[0], "lamppost completion --help",
			   "expected bash, zsh or fish");
}

/* --- lamppost __complete ------------------------------------------------------------------------------------------ */

/* A list begins behind its `after`, which for EUIs is the EUI before as a signed number: so a city of a million devices
 * offers those that begin as what was typed, and not the first of all. */
static bool begin_at(char target[CLI_TARGET_MAX], const char *prefix)
{
	char digits[17], after[24], *end;
	size_t length = strlen(prefix);
	if (length == 0 || length > 16)
		return true;
	snprintf(digits, sizeof digits, "%s%s", prefix, "0000000000000000" + length);
	uint64_t first = strtoull(digits, &end, 16);
	snprintf(after, sizeof after, "%" PRId64, (int64_t)(first - 1));
	return *end != '\0' || first == 0 || cli_target_append_query(target, "after", after);
}

/* EUIs and slugs have no other characters. A shell puts a value into the line as it stands, so what could be a command there is
 * not offered, whoever answered. */
static bool is_plain(const char *value)
{
	return *value && *value != '-' &&
	       value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] ==
		       '\0';
}

static void print_value(const char *value, const char *name)
{
	fputs(value, stdout);
	if (name && *name) {
		putchar('\t');
		printable_write(stdout, name);
	}
	putchar('\n');
}

static int run_values(const struct cli_arguments *arguments)
{
	enum cli_value_kind kind = cli_value_kind_named(arguments->operands[0]);
	const char *prefix = arguments->operand_count > 1 ? arguments->operands[1] : "";
	const char *collection = cli_value_collection(kind), *member = cli_value_member(kind);
	char target[CLI_TARGET_MAX];
	/* A person is in the middle of a line: nothing but values may be printed. */
	if (!freopen("/dev/null", "w", stderr) || !collection)
		return CLI_DONE;
	snprintf(target, sizeof target, "/api/v1/%s?limit=%d", collection, OFFERED);
	if ((kind == CLI_VALUE_DEVICE || kind == CLI_VALUE_GATEWAY) && !begin_at(target, prefix))
		return CLI_DONE;
	struct cli_client *client = cli_client_new(arguments);
	json_t *answer = cli_try_within(client, target, PATIENCE_US);
	size_t i;
	const json_t *item;
	json_array_foreach(json_object_get(answer, "items"), i, item)
	{
		const char *value = json_string_value(json_object_get(item, member));
		const char *name = json_string_value(json_object_get(item, "name"));
		if (value && is_plain(value) && strncmp(value, prefix, strlen(prefix)) == 0)
			print_value(value, name && !strpbrk(name, "\n\t") ? name : NULL);
	}
	json_decref(answer);
	cli_client_free(client);
	return CLI_DONE;
}

const struct cli_command cli_completion_commands[] = {
	{.group = "completion",
	 .summary = "a script by which bash, zsh or fish completes what you type",
	 .description = "bash: put the first example into ~/.bashrc, or write its output to "
			"/usr/share/bash-completion/completions/lamppost. zsh: write it as _lamppost into a "
			"folder of "
			"$fpath, or source it behind compinit. fish: write it to "
			"~/.config/fish/completions/lamppost.fish.\n\nEUIs and slugs are asked of the "
			"server, for less than "
			"a second; where none answers, they are not offered.",
	 .operands = "bash|zsh|fish",
	 .examples = "source <(lamppost completion bash)\n"
		     "lamppost completion zsh > ~/.zfunc/_lamppost\n"
		     "lamppost completion fish > ~/.config/fish/completions/lamppost.fish\n",
	 .local = true,
	 .run = run_completion},
	{.group = "__complete",
	 .summary = "values that only the server knows, one a line",
	 .operands = "KIND [PREFIX]",
	 .hidden = true,
	 .run = run_values},
};
const size_t cli_completion_command_count = ARRAY_SIZE(cli_completion_commands);
