#include "cli/frame_mac.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/text/mac_words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FREQ_STEP_HZ 100 /* every region but that of 2.4 GHz */

static bool is_dev_addr(const struct lw_mac_field *field)
{
	return strcmp(field->name, "dev_addr") == 0;
}

/* --- explaining --- */

static json_t *field_value(const struct lw_mac_command *command, const struct lw_mac_field *field)
{
	if (field->kind == LW_MAC_BYTES) {
		size_t length;
		char text[2 * LW_MAC_COMMAND_MAX + 1];
		const uint8_t *bytes = lw_mac_field_bytes(command, field, &length);
		hex_encode(text, bytes, length);
		return json_string(text);
	}
	int64_t value = lw_mac_field_get(command, field);
	if (is_dev_addr(field)) {
		char text[LW_DEV_ADDR_TEXT];
		lw_dev_addr_format(text, (struct lw_dev_addr){(uint32_t)value});
		return json_string(text);
	}
	return field->kind == LW_MAC_BOOL ? json_boolean(value != 0) : json_integer(value);
}

static void explain_field(struct cli_frame_report *report, unsigned depth, json_t *object,
			  const struct lw_mac_command *command, const struct lw_mac_row *row,
			  const struct lw_mac_field *field, const struct lw_region *region)
{
	const struct mac_field_words *words = mac_words_field(row, field);
	const char *spelling = words ? words->spelling : field->name;
	char meaning[MAC_WORDS_MAX];
	mac_words_value(meaning, command, row, field, region);
	json_object_set_new(object, field->name, field_value(command, field));
	if (field->kind == LW_MAC_BYTES) {
		cli_frame_say(report, depth, CLI_FRAME_NO_BYTES, 0, spelling, "%s", meaning);
		return;
	}
	int64_t value = lw_mac_field_get(command, field);
	bool mask = words && words->meaning == MAC_MEANS_CH_MASK;
	char number[32];
	snprintf(number, sizeof number, mask ? "0x%04" PRIx64 : "%" PRId64, value);
	bool alone = is_dev_addr(field) || (field->kind == LW_MAC_FREQUENCY && meaning[0]);
	cli_frame_say(report, depth, CLI_FRAME_NO_BYTES, 0, spelling, "%s%s%s", alone ? "" : number,
		      meaning[0] && !alone ? " " : "", meaning);
}

json_t *cli_frame_mac_explain(struct cli_frame_report *report, unsigned depth, int offset,
			      const uint8_t *bytes, size_t length, enum lw_direction direction,
			      const struct lw_region *region)
{
	json_t *list = json_array();
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	enum lw_mac_read read;
	lw_mac_reader_init(&reader, direction, bytes, length, region ? region->freq_step_hz : FREQ_STEP_HZ);
	while ((read = lw_mac_read(&reader, &command)) == LW_MAC_READ_COMMAND) {
		const struct lw_mac_row *row = lw_mac_row_find(direction, command.cid);
		const struct mac_command_words *words = mac_words_command(row);
		size_t end = length - rd_left(&reader.rd);
		cli_frame_say(report, depth, offset + (int)reader.offset, end - reader.offset, row->name,
			      "%s", words ? words->purpose : "");
		json_t *object = json_pack("{s:s}", "command", row->name);
		for (size_t i = 0; i < row->field_count; i++)
			explain_field(report, depth + 1, object, &command, row, &row->fields[i], region);
		json_array_append_new(list, object);
	}
	if (read == LW_MAC_READ_UNKNOWN_CID)
		cli_frame_say(report, depth, offset + (int)reader.offset, length - reader.offset,
			      "unknown CID",
			      "%s command 0x%02x is not known: it and what follows cannot be read",
			      direction == LW_UP ? "uplink" : "downlink", reader.cid);
	else if (read == LW_MAC_READ_TRUNCATED)
		cli_frame_say(report, depth, offset + (int)reader.offset, length - reader.offset, "cut short",
			      "%s needs more bytes than the %zu that are left",
			      lw_mac_row_find(direction, reader.cid)->name, length - reader.offset);
	return list;
}

/* --- building --- */

static const struct lw_mac_row *find_row(const char *name, bool other_direction, enum lw_direction direction)
{
	size_t count;
	const struct lw_mac_row *rows = lw_mac_rows(&count);
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(rows[i].name, name) == 0 &&
		    (rows[i].direction == direction) != other_direction)
			return &rows[i];
	return NULL;
}

static bool set_bytes(struct lw_mac_command *command, const struct lw_mac_field *field, const json_t *value)
{
	const char *text = json_string_value(value);
	size_t length;
	uint8_t bytes[LW_MAC_COMMAND_MAX];
	if (!text || !hex_decode(bytes, field->bits / 8u, &length, text, strlen(text)))
		return false;
	uint8_t *member = (uint8_t *)&command->as + field->offset;
	memcpy(member, bytes, length);
	size_t expected;
	(void)lw_mac_field_bytes(command, field, &expected);
	return length == expected;
}

static bool set_field(struct lw_mac_command *command, const struct lw_mac_field *field, const json_t *value)
{
	uint64_t number;
	struct lw_dev_addr dev_addr;
	if (field->kind == LW_MAC_BYTES)
		return set_bytes(command, field, value);
	if (is_dev_addr(field) && json_is_string(value))
		return lw_dev_addr_parse(json_string_value(value), &dev_addr) &&
		       lw_mac_field_set(command, field, dev_addr.value);
	if (field->kind == LW_MAC_BOOL && json_is_boolean(value))
		return lw_mac_field_set(command, field, json_is_true(value));
	if (field->kind == LW_MAC_BOOL && json_is_string(value) &&
	    (strcmp(json_string_value(value), "true") == 0 || strcmp(json_string_value(value), "false") == 0))
		return lw_mac_field_set(command, field, strcmp(json_string_value(value), "true") == 0);
	if (field->kind == LW_MAC_SINT && json_is_string(value) && json_string_value(value)[0] == '-') {
		json_t *positive = json_string(json_string_value(value) + 1);
		bool read = cli_frame_number(positive, INT8_MAX, &number);
		json_decref(positive);
		return read && lw_mac_field_set(command, field, -(int64_t)number);
	}
	if (field->kind == LW_MAC_SINT && json_is_integer(value))
		return lw_mac_field_set(command, field, json_integer_value(value));
	return cli_frame_number(value, INT64_MAX, &number) &&
	       lw_mac_field_set(command, field, (int64_t)number);
}

static bool known_members(const json_t *object, const struct lw_mac_row *row,
			  char problem[CLI_FRAME_PROBLEM_MAX])
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		bool known = strcmp(key, "command") == 0;
		for (size_t i = 0; i < row->field_count; i++)
			known = known || strcmp(key, row->fields[i].name) == 0;
		if (known)
			continue;
		int used = snprintf(problem, CLI_FRAME_PROBLEM_MAX, "%s: no field %s; it has", row->name,
				    key);
		for (size_t i = 0; i < row->field_count && used < CLI_FRAME_PROBLEM_MAX; i++)
			used += snprintf(problem + used, CLI_FRAME_PROBLEM_MAX - (size_t)used, "%s %s",
					 i ? "," : "", row->fields[i].name);
		if (row->field_count == 0)
			snprintf(problem, CLI_FRAME_PROBLEM_MAX, "%s: no field %s; it has none", row->name,
				 key);
		return false;
	}
	return true;
}

static bool build_one(struct wr *wr, const json_t *object, enum lw_direction direction, uint32_t freq_step_hz,
		      char problem[CLI_FRAME_PROBLEM_MAX])
{
	const char *name = json_string_value(json_object_get(object, "command"));
	if (!name) {
		snprintf(problem, CLI_FRAME_PROBLEM_MAX,
			 "a MAC command is an object with its name as `command` and its fields");
		return false;
	}
	const struct lw_mac_row *row = find_row(name, false, direction);
	if (!row) {
		bool other = find_row(name, true, direction) != NULL;
		snprintf(problem, CLI_FRAME_PROBLEM_MAX,
			 other ? "%s is not sent in this direction" : "%s: no such MAC command", name);
		return false;
	}
	struct lw_mac_command command = {.direction = direction, .cid = row->cid};
	if (!known_members(object, row, problem))
		return false;
	for (size_t i = 0; i < row->field_count; i++) {
		const json_t *value = json_object_get(object, row->fields[i].name);
		if (value && set_field(&command, &row->fields[i], value))
			continue;
		snprintf(problem, CLI_FRAME_PROBLEM_MAX, "%s: %s: %s", row->name, row->fields[i].name,
			 value ? "not a value that it can have" : "missing");
		return false;
	}
	enum lw_mac_write verdict = lw_mac_write(wr, &command, freq_step_hz);
	if (verdict == LW_MAC_WRITE_OK)
		return true;
	snprintf(problem, CLI_FRAME_PROBLEM_MAX, "%s: %s", row->name,
		 verdict == LW_MAC_WRITE_OUT_OF_RANGE ? "a field does not fit its bits"
		 : verdict == LW_MAC_WRITE_FREQUENCY_STEP
			 ? "the frequency is no multiple of the step of 100 Hz "
			   "(2.4 GHz: 200 Hz)"
			 : "no room: FOpts hold 15 bytes, FRMPayload 242");
	return false;
}

bool cli_frame_mac_build(const json_t *commands, enum lw_direction direction, uint32_t freq_step_hz,
			 uint8_t *bytes, size_t capacity, size_t *length, char problem[CLI_FRAME_PROBLEM_MAX])
{
	struct wr wr = wr_init(bytes, capacity);
	size_t index;
	json_t *object;
	if (!json_is_array(commands)) {
		snprintf(problem, CLI_FRAME_PROBLEM_MAX, "MAC commands: expected a list");
		return false;
	}
	json_array_foreach((json_t *)(uintptr_t)commands, index, object)
	{
		if (!build_one(&wr, object, direction, freq_step_hz ? freq_step_hz : FREQ_STEP_HZ, problem))
			return false;
	}
	*length = wr_length(&wr);
	return true;
}

/* Takes one word of at most `capacity` − 1 characters up to a blank or a semicolon. */
static size_t take_word(char *word, size_t capacity, const char **at)
{
	size_t length = strcspn(*at, "; \t\n");
	if (length >= capacity)
		return 0;
	memcpy(word, *at, length);
	word[length] = '\0';
	*at += length;
	return length;
}

json_t *cli_frame_mac_parse(const char *text, char problem[CLI_FRAME_PROBLEM_MAX])
{
	json_t *list = json_array();
	json_t *object = NULL;
	for (const char *at = text + strspn(text, "; \t\n"); *at; at += strspn(at, " \t\n")) {
		char word[96];
		if (*at == ';') {
			object = NULL;
			at++;
			continue;
		}
		if (take_word(word, sizeof word, &at) == 0)
			goto wrong;
		char *equals = strchr(word, '=');
		if (!object) {
			if (equals)
				goto wrong;
			object = json_pack("{s:s}", "command", word);
			json_array_append_new(list, object);
		} else {
			if (!equals || equals == word || strncmp(word, "command=", 8) == 0)
				goto wrong;
			*equals = '\0';
			json_object_set_new(object, word, json_string(equals + 1));
		}
	}
	return list;
wrong:
	snprintf(problem, CLI_FRAME_PROBLEM_MAX,
		 "expected commands as in \"LinkADRReq data_rate=5 tx_power=1; DevStatusReq\"");
	json_decref(list);
	return NULL;
}
