/* mac_commands.json: commands are read and compared by the rows of their fields, then built from what was expected. */
#include "tests/vectors/vectors.h"

#include "common/lorawan/mac_command.h"

#include <string.h>

/* The step is the region's, which the entries do not name. 100 Hz everywhere, but frequencies of the 2.4 GHz band exist
 * in regions of 200 Hz alone. */
#define STEP_HZ     100
#define STEP_2G4_HZ 200
#define BAND_2G4_HZ INT64_C(2400000000)

static uint32_t step_of(json_t *commands)
{
	size_t index;
	json_t *command;
	json_array_foreach(commands, index, command)
	{
		json_t *frequency = json_object_get(json_object_get(command, "fields"), "frequency_hz");
		if (json_integer_value(frequency) >= BAND_2G4_HZ)
			return STEP_2G4_HZ;
	}
	return STEP_HZ;
}

static void set_field(struct vector *vector, struct lw_mac_command *command, const struct lw_mac_field *field,
		      int64_t value)
{
	if (!lw_mac_field_set(command, field, value))
		v_fail(vector, field->name, "a value that the member can hold", "another");
}

/* Compares one field and puts the value expected into `want`. */
static void check_field(struct vector *vector, json_t *expect, const struct lw_mac_field *field,
			const struct lw_mac_command *got, struct lw_mac_command *want)
{
	if (field->kind == LW_MAC_BYTES) {
		size_t length;
		const uint8_t *bytes = lw_mac_field_bytes(got, field, &length);
		struct bytes expected = x_bytes(vector, expect, field->name, bytes, length);
		if (expected.length <= field->size)
			memcpy((uint8_t *)&want->as + field->offset, expected.at, expected.length);
		return;
	}
	int64_t value = lw_mac_field_get(got, field);
	if (field->kind == LW_MAC_BOOL)
		value = x_bool(vector, expect, field->name, value != 0);
	else if (strcmp(field->name, "dev_addr") == 0)
		value = (int64_t)x_hex_number(vector, expect, field->name, (uint64_t)value);
	else
		value = x_int(vector, expect, field->name, value);
	set_field(vector, want, field, value);
}

static void check_command(struct vector *vector, json_t *expect, const struct lw_mac_command *got,
			  struct lw_mac_command *want)
{
	const struct lw_mac_row *row = lw_mac_row_find(got->direction, got->cid);
	*want = (struct lw_mac_command){.direction = got->direction};
	want->cid = (uint8_t)x_uint(vector, expect, "cid", got->cid);
	x_text(vector, expect, "command", row->name);
	json_t *fields = x_part(vector, expect, "fields");
	for (size_t i = 0; i < row->field_count; i++)
		check_field(vector, fields, &row->fields[i], got, want);
}

/* What was not read has to be the end, or what `stop` says. */
static void check_stop(struct vector *vector, const struct lw_mac_reader *reader, enum lw_mac_read stopped)
{
	if (!x_has(vector->expect, "stop")) {
		if (stopped != LW_MAC_READ_END)
			v_fail(vector, "commands", "everything read", lw_mac_read_name(stopped));
		return;
	}
	json_t *stop = x_part(vector, vector->expect, "stop");
	x_text(vector, stop, "error", lw_mac_read_name(stopped));
	x_uint(vector, stop, "cid", reader->cid);
	x_uint(vector, stop, "offset", reader->offset);
}

/* Bits that no field has are not in the data and are built as zero: clears them in the bytes that were read. */
static void clear_rfu(const struct lw_mac_row *row, uint8_t *payload)
{
	uint8_t used[LW_MAC_COMMAND_MAX] = {0};
	for (size_t i = 0; i < row->field_count; i++) {
		for (unsigned bit = 0; bit < row->fields[i].bits; bit++) {
			unsigned at = row->fields[i].first_bit + bit;
			used[at / 8] |= (uint8_t)(1 << at % 8);
		}
	}
	for (size_t i = 0; i < row->length; i++)
		payload[i] &= used[i];
}

static void sequence(struct vector *vector)
{
	enum lw_direction direction = v_direction(vector);
	struct bytes bytes = v_bytes(vector, "bytes");
	json_t *commands = x_part(vector, vector->expect, "commands");
	uint32_t step_hz = step_of(commands);
	uint8_t built[BYTES_MAX];
	struct wr wr = wr_init(built, sizeof built);
	struct lw_mac_reader reader;
	struct lw_mac_command got, want;
	enum lw_mac_read read;
	lw_mac_reader_init(&reader, direction, bytes.at, bytes.length, step_hz);
	while ((read = lw_mac_read(&reader, &got)) == LW_MAC_READ_COMMAND) {
		if (json_array_size(commands) == 0) {
			v_fail(vector, "commands", "no further command",
			       lw_mac_row_find(direction, got.cid)->name);
			return;
		}
		json_t *expect = json_incref(json_array_get(commands, 0));
		json_array_remove(commands, 0);
		check_command(vector, expect, &got, &want);
		if (json_object_size(expect) > 0)
			v_fail(vector, "commands", "cid, command, fields",
			       "a runner that does not read the rest");
		json_decref(expect);
		clear_rfu(lw_mac_row_find(direction, got.cid), bytes.at + reader.offset + 1);
		enum lw_mac_write written = lw_mac_write(&wr, &want, step_hz);
		if (written != LW_MAC_WRITE_OK)
			v_fail(vector, "bytes built", "the command", lw_mac_write_name(written));
	}
	check_stop(vector, &reader, read);
	if (read != LW_MAC_READ_END && reader.offset <= bytes.length)
		bytes.length = reader.offset; /* what stopped the reading cannot be built */
	x_built(vector, "bytes built", &bytes, built, wr_length(&wr));
}

static void encode_reject(struct vector *vector)
{
	struct lw_mac_command command = {.direction = v_direction(vector),
					 .cid = (uint8_t)v_uint(vector, "cid")};
	const struct lw_mac_row *row = lw_mac_row_find(command.direction, command.cid);
	const char *name = v_text(vector, "command");
	json_t *fields = x_part(vector, vector->input, "fields");
	uint8_t built[LW_MAC_COMMAND_MAX];
	struct wr wr = wr_init(built, sizeof built);
	if (!row || strcmp(row->name, name) != 0) {
		v_fail(vector, "input.command", name, row ? row->name : "no such command");
		return;
	}
	for (size_t i = 0; i < row->field_count; i++) {
		json_t *value = json_object_get(fields, row->fields[i].name);
		if (!json_is_integer(value) && !json_is_boolean(value))
			v_fail(vector, row->fields[i].name, "a number or flag", "none");
		set_field(vector, &command, &row->fields[i],
			  json_is_true(value) ? 1 : json_integer_value(value));
		json_object_del(fields, row->fields[i].name);
	}
	x_reject(vector, lw_mac_write_name(lw_mac_write(&wr, &command, STEP_HZ)));
}

const struct vector_kind vectors_mac[] = {
	{"uplink", sequence},
	{"downlink", sequence},
	{"sequence", sequence},
	{"sequence_stop", sequence},
	{"byte_order_conflict", sequence},
	{"encode_reject", encode_reject},
	{NULL, NULL},
};
