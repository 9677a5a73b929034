/* applayer.json, the commands: read and compared by the rows of their fields, then built from what was expected. */
#include "tests/vectors/vectors.h"

#include "common/lorawan/packages/clock_sync.h"
#include "common/lorawan/packages/firmware.h"
#include "common/lorawan/packages/fragmentation.h"
#include "common/lorawan/packages/multicast_setup.h"

#include <string.h>

#define STEP_HZ 100

/* "TS005-2.0.0": the document names the package, its first digit the version. */
static const struct lw_package *package_of(struct vector *vector, uint8_t *version)
{
	static const struct lw_package *const packages[] = {&lw_clock_sync, &lw_fragmentation,
							    &lw_multicast_setup, &lw_firmware};
	const char *text = v_text(vector, "package");
	size_t length = strlen("TS005");
	*version = 1;
	for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++) {
		if (strncmp(text, packages[i]->document, length) != 0)
			continue;
		if (strcmp(text + length, "-1.0.0") == 0)
			return packages[i];
		if (strcmp(text + length, "-2.0.0") == 0 && packages[i]->versions == 2) {
			*version = 2;
			return packages[i];
		}
	}
	v_fail(vector, "input.package", text, "a runner that does not know it");
	return NULL;
}

static void check_field(struct vector *vector, json_t *expect, const struct lw_package_field *field,
			const struct lw_package_command *got, struct lw_package_command *want)
{
	if (field->kind == LW_PACKAGE_BYTES) {
		const uint8_t *bytes = (const uint8_t *)&got->as + field->offset;
		struct bytes expected = x_bytes(vector, expect, field->name, bytes, field->size);
		if (expected.length <= field->size)
			memcpy((uint8_t *)&want->as + field->offset, expected.at, expected.length);
		return;
	}
	int64_t value = lw_package_field_get(got, field);
	if (field->kind == LW_PACKAGE_BOOL)
		value = x_bool(vector, expect, field->name, value != 0);
	else if (field->kind == LW_PACKAGE_ADDRESS)
		value = (int64_t)x_hex_number(vector, expect, field->name, (uint64_t)value);
	else
		value = x_int(vector, expect, field->name, value);
	if (!lw_package_field_set(want, field, value))
		v_fail(vector, field->name, "a value that the member can hold", "another");
}

static void check_groups(struct vector *vector, json_t *expect, const struct lw_package_command *got,
			 struct lw_package_command *want)
{
	json_t *items = x_part(vector, expect, "items");
	for (size_t i = 0; i < LW_MC_GROUPS && json_array_size(items) > 0; i++) {
		json_t *item = json_incref(json_array_get(items, 0));
		json_array_remove(items, 0);
		want->as.mc_status_ans.items[i].mc_group_id = (uint8_t)x_uint(
			vector, item, "mc_group_id", got->as.mc_status_ans.items[i].mc_group_id);
		want->as.mc_status_ans.items[i].mc_addr = x_dev_addr(vector, item, "mc_addr",
								     got->as.mc_status_ans.items[i].mc_addr);
		if (json_object_size(item) > 0)
			v_fail(vector, "items", "mc_group_id, mc_addr",
			       "a runner that does not read the rest");
		json_decref(item);
	}
}

/* Fills `want` from the data; `rest` keeps the bytes of a DataFragment. */
static void check_command(struct vector *vector, json_t *expect, const struct lw_package *package,
			  uint8_t version, const struct lw_package_command *got,
			  struct lw_package_command *want, struct bytes *rest)
{
	const struct lw_package_row *row = lw_package_row_find(package, version, got->direction, got->cid);
	memset(want, 0, sizeof *want);
	want->direction = got->direction;
	want->cid = (uint8_t)x_uint(vector, expect, "cid", got->cid);
	x_text(vector, expect, "command", row->name);
	json_t *fields = x_part(vector, expect, "fields");
	for (size_t i = 0; i < row->field_count; i++) {
		if (lw_package_field_there(row, got, &row->fields[i]))
			check_field(vector, fields, &row->fields[i], got, want);
	}
	if (row->tail == LW_PACKAGE_MC_GROUPS)
		check_groups(vector, fields, got, want);
	if (row->tail == LW_PACKAGE_REST) {
		*rest = x_bytes(vector, fields, "data", got->as.data_fragment.data,
				got->as.data_fragment.data_length);
		want->as.data_fragment.data = rest->at;
		want->as.data_fragment.data_length = (uint8_t)rest->length;
	}
}

static void write_again(struct vector *vector, const struct lw_package *package, uint8_t version,
			const struct lw_package_command *want, struct wr *wr)
{
	enum lw_package_write written = lw_package_write(wr, package, version, want, STEP_HZ);
	if (written != LW_PACKAGE_WRITTEN)
		v_fail(vector, "bytes built", "the command", lw_package_write_name(written));
}

static void command(struct vector *vector)
{
	uint8_t version, built[BYTES_MAX];
	const struct lw_package *package = package_of(vector, &version);
	enum lw_direction direction = v_direction(vector);
	struct bytes bytes = v_bytes(vector, "bytes"), rest;
	struct wr wr = wr_init(built, sizeof built);
	struct lw_package_command got, want;
	if (!package)
		return;
	enum lw_package_read read = lw_package_read_one(package, version, direction, bytes.at, bytes.length,
							STEP_HZ, &got);
	if (read != LW_PACKAGE_COMMAND) {
		v_fail(vector, "command", "one command", lw_package_read_name(read));
		return;
	}
	check_command(vector, vector->expect, package, version, &got, &want, &rest);
	write_again(vector, package, version, &want, &wr);
	x_built(vector, "bytes built", &bytes, built, wr_length(&wr));
}

static void command_reject(struct vector *vector)
{
	uint8_t version;
	const struct lw_package *package = package_of(vector, &version);
	enum lw_direction direction = v_direction(vector);
	struct bytes bytes = v_bytes(vector, "bytes");
	struct lw_package_command got;
	if (package)
		x_reject(vector,
			 lw_package_read_name(lw_package_read_one(package, version, direction, bytes.at,
								  bytes.length, STEP_HZ, &got)));
}

static void command_sequence(struct vector *vector)
{
	uint8_t version, built[BYTES_MAX];
	const struct lw_package *package = package_of(vector, &version);
	enum lw_direction direction = v_direction(vector);
	struct bytes bytes = v_bytes(vector, "bytes"), rest;
	json_t *commands = x_part(vector, vector->expect, "commands");
	struct wr wr = wr_init(built, sizeof built);
	struct lw_package_reader reader;
	struct lw_package_command got, want;
	enum lw_package_read read;
	if (!package)
		return;
	lw_package_reader_init(&reader, package, version, direction, bytes.at, bytes.length, STEP_HZ);
	while ((read = lw_package_read(&reader, &got)) == LW_PACKAGE_COMMAND &&
	       json_array_size(commands) > 0) {
		json_t *expect = json_incref(json_array_get(commands, 0));
		json_array_remove(commands, 0);
		check_command(vector, expect, package, version, &got, &want, &rest);
		if (json_object_size(expect) > 0)
			v_fail(vector, "commands", "cid, command, fields",
			       "a runner that does not read the rest");
		json_decref(expect);
		write_again(vector, package, version, &want, &wr);
	}
	if (read != LW_PACKAGE_END)
		v_fail(vector, "commands", "everything read", lw_package_read_name(read));
	x_built(vector, "bytes built", &bytes, built, wr_length(&wr));
}

static void clock_sync_correction(struct vector *vector)
{
	uint32_t device_time = (uint32_t)v_uint(vector, "device_time");
	uint32_t gps_s = (uint32_t)v_uint(vector, "server_gps_time");
	x_int(vector, vector->expect, "time_correction", lw_clock_sync_correction(device_time, gps_s));
}

const struct vector_kind vectors_packages[] = {
	{"clock_sync_v1", command},
	{"clock_sync_v2", command},
	{"clock_sync_reject", command_reject},
	{"fragmentation_v1", command},
	{"fragmentation_v2", command},
	{"fragmentation_reject", command_reject},
	{"multicast_v1", command},
	{"multicast_v2", command},
	{"multicast_reject", command_reject},
	{"firmware_v1", command},
	{"firmware_reject", command_reject},
	{"command_sequence", command_sequence},
	{"clock_sync_correction", clock_sync_correction},
	{NULL, NULL},
};
