#include "cli/record_options.h"

#include "cli/input.h"
#include "cli/key_rules.h"
#include "cli/problem.h"
#include "cli/seal.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *value_word(const struct record_field *field)
{
	switch (field->type) {
	case RECORD_TEXT: return "TEXT";
	case RECORD_SLUG: return "SLUG";
	case RECORD_UUID: return "UUID";
	case RECORD_EUI: return "EUI";
	case RECORD_DEV_ADDR: return "ADDR";
	case RECORD_NET_ID: return "NETID";
	case RECORD_SEALED_KEY: return "KEY";
	case RECORD_INTEGER:
	case RECORD_NUMBER: return "N";
	case RECORD_BOOLEAN: return "true|false";
	case RECORD_ENUM: return "NAME";
	case RECORD_TAGS: return "K=V;K=V";
	case RECORD_OBJECT: return field->names ? "NAME|@FILE" : "@FILE";
	case RECORD_REFERENCE: return "ID";
	case RECORD_TIME: return "TIME";
	case RECORD_TYPE_COUNT: break;
	}
	return "VALUE";
}

/* Makes options of the fields that a client may set; `change` leaves out what is fixed. */
void record_options_make(struct record_options *made, const struct record_schema *schema, bool change)
{
	made->count = 0;
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		if ((field->flags & RECORD_SERVER) || (change && (field->flags & RECORD_FIXED)))
			continue;
		ASSERT_CMP(made->count, <, CLI_OPTIONS_MAX);
		char *name = made->names[made->count];
		snprintf(name, sizeof made->names[0], "%s", field->name);
		for (char *at = name; *at; at++)
			*at = *at == '_' ? '-' : *at;
		made->fields[made->count] = field;
		made->options[made->count++] = (struct cli_option){name, value_word(field), field->help};
	}
}

/* A name in the place of an object, as `--codec cayenne-lpp`; or "", which takes away what is there. */
static json_t *named_value(const struct record_field *field, const char *word)
{
	if (*word == '\0' && (field->flags & RECORD_NULLABLE))
		return json_null();
	for (size_t i = 0; field->names && field->names[i]; i++)
		if (strcmp(field->names[i], word) == 0)
			return json_string(word);
	return NULL;
}

/* Turns one option into the JSON value of its field. NULL after reporting. */
static json_t *option_value(const struct record_field *field, const char *word)
{
	json_t *value = NULL;
	struct record_problem problem = {"", ""};
	if (field->type == RECORD_OBJECT) {
		value = named_value(field, word);
		if (value)
			return value;
		if (field->names && !strpbrk(word, "@{:") && strcmp(word, "-") != 0) {
			(void)cli_problem(CLI_REFUSED, field->name, NULL, "%s: expected %s, or @FILE", word,
					  field->names[0]);
			return NULL;
		}
		size_t length;
		char *text = word[0] == '@' || strcmp(word, "-") == 0
				     ? cli_read_file(word[0] == '@' ? word + 1 : word, &length)
				     : strdup(word);
		char error[1200];
		if (!text) {
			(void)cli_problem(CLI_FAILED, word, NULL, "cannot be read");
			return NULL;
		}
		value = cli_parse_object(word, text, strlen(text), error, sizeof error);
		free(text);
		if (!value)
			(void)cli_problem(CLI_REFUSED, field->name, NULL, "%s", error);
		return value;
	}
	if (record_value_from_text(field, word, &value, &problem) != ST_OK) {
		(void)cli_problem(CLI_REFUSED, field->name, NULL, "%s: %s", word, problem.reason);
		return NULL;
	}
	return value;
}

/* Fills an object from the given options; keys are sealed for the device of `dev_eui`. Returns an exit code. */
int record_options_collect(json_t *object, struct cli_client *client, const struct record_options *made,
			   const struct cli_arguments *arguments, const char *dev_eui)
{
	struct cli_seal *seal = NULL;
	int exit_code = CLI_DONE;
	for (size_t i = 0; i < made->count && exit_code == CLI_DONE; i++) {
		const struct record_field *field = made->fields[i];
		json_t *value = NULL;
		if (!arguments->values[i])
			continue;
		if (field->type == RECORD_SEALED_KEY) {
			exit_code = cli_seal_word(client, &seal, field->name, dev_eui, arguments->values[i],
						  &value);
		} else {
			value = option_value(field, arguments->values[i]);
			exit_code = value ? CLI_DONE : CLI_REFUSED;
		}
		if (exit_code == CLI_DONE && json_object_set_new(object, field->name, value) != 0)
			exit_code = cli_problem(CLI_FAILED, field->name, NULL, "out of memory");
	}
	cli_seal_free(seal);
	return exit_code;
}

/* --- of a command */

static void make_options(struct cli_made_options *made, const struct cli_command *command, bool change)
{
	struct record_options options;
	record_options_make(&options, record_schema_named(command->group), change);
	made->count = options.count;
	for (size_t i = 0; i < options.count; i++) {
		memcpy(made->names[i], options.names[i], sizeof made->names[i]);
		made->options[i] = options.options[i];
		made->options[i].name = made->names[i];
		made->choices[i] = options.fields[i]->names;
	}
}

static void add_option(struct cli_made_options *made, const char *name, const char *value, const char *help)
{
	ASSERT_CMP(made->count, <, CLI_OPTIONS_MAX);
	snprintf(made->names[made->count], sizeof made->names[0], "%s", name);
	made->choices[made->count] = NULL;
	made->options[made->count] = (struct cli_option){made->names[made->count], value, help};
	made->count++;
}

static bool is_of_devices(const struct cli_command *command)
{
	return strcmp(command->group, "device") == 0;
}

void record_make_add_options(struct cli_made_options *made, const struct cli_command *command)
{
	make_options(made, command, false);
	if (is_of_devices(command)) {
		add_option(made, "qr", "TEXT",
			   "the code on its label (LW:D0:...) in place of DevEUI and JoinEUI; @FILE, -");
		add_option(made, KEY_ALLOW_OPTION, NULL, KEY_ALLOW_HELP);
	}
}

void record_make_update_options(struct cli_made_options *made, const struct cli_command *command)
{
	make_options(made, command, true);
	if (is_of_devices(command))
		add_option(made, KEY_ALLOW_OPTION, NULL, KEY_ALLOW_HELP);
}
