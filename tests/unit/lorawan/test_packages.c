#include "tests/harness/harness.h"

#include "common/lorawan/keys.h"
#include "common/lorawan/packages/clock_sync.h"
#include "common/lorawan/packages/firmware.h"
#include "common/lorawan/packages/fragmentation.h"
#include "common/lorawan/packages/multicast_setup.h"

#include <string.h>

#define STEP_HZ 100

static const struct lw_package *const packages[] = {&lw_clock_sync, &lw_multicast_setup, &lw_fragmentation,
						    &lw_firmware};

/* Runs `check` for every command of every version of every package. */
static void each_row(void (*check)(const struct lw_package *package, uint8_t version,
				   const struct lw_package_row *row))
{
	for (size_t p = 0; p < ARRAY_SIZE(packages); p++) {
		for (uint8_t version = 1; version <= packages[p]->versions; version++) {
			for (size_t i = 0; i < packages[p]->row_count; i++) {
				const struct lw_package_row *row = &packages[p]->rows[i];
				t_row(row->name);
				if (row->since <= version && version <= row->until)
					check(packages[p], version, row);
			}
		}
	}
}

static struct lw_package_command command_of(const struct lw_package_row *row)
{
	struct lw_package_command command;
	memset(&command, 0, sizeof command);
	command.direction = row->direction;
	command.cid = row->cid;
	return command;
}

static void row_is_whole(const struct lw_package *package, uint8_t version, const struct lw_package_row *row)
{
	uint8_t used[64] = {0};
	t_true("the one found", lw_package_row_find(package, version, row->direction, row->cid) == row);
	t_true("both parts fit the reader", row->length + row->more_length <= 32);
	for (size_t f = 0; f < row->field_count; f++) {
		const struct lw_package_field *field = &row->fields[f];
		unsigned end = field->first_bit + field->bits;
		t_true(field->name, end <= 8u * (row->length + row->more_length));
		t_true("in one part", field->first_bit >= 8u * row->length || end <= 8u * row->length);
		for (unsigned bit = field->first_bit; bit < end; bit++) {
			t_false(field->name, used[bit / 8] >> bit % 8 & 1);
			used[bit / 8] |= (uint8_t)(1 << bit % 8);
		}
	}
}

static void rows_are_whole(void **state)
{
	(void)state;
	each_row(row_is_whole);
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		t_row(packages[i]->name);
		t_uint("identifier", i + 1, packages[i]->id);
		t_true("FPort", packages[i]->default_fport >= 200 && packages[i]->default_fport <= 203);
		t_true("no such command", lw_package_row_find(packages[i], 1, LW_UP, 0x7f) == NULL);
		t_true("no such version", lw_package_row_find(packages[i], 3, LW_UP, 0) == NULL);
	}
}

static bool same_fields(const struct lw_package_row *row, const struct lw_package_command *a,
			const struct lw_package_command *b)
{
	for (size_t f = 0; f < row->field_count; f++) {
		const struct lw_package_field *field = &row->fields[f];
		if (field->kind == LW_PACKAGE_BYTES
			    ? memcmp((const uint8_t *)&a->as + field->offset,
				     (const uint8_t *)&b->as + field->offset, field->size) != 0
			    : lw_package_field_get(a, field) != lw_package_field_get(b, field))
			return false;
	}
	for (size_t i = 0; i < LW_MC_GROUPS && row->tail == LW_PACKAGE_MC_GROUPS; i++) {
		if (a->as.mc_status_ans.items[i].mc_group_id != b->as.mc_status_ans.items[i].mc_group_id ||
		    a->as.mc_status_ans.items[i].mc_addr.value != b->as.mc_status_ans.items[i].mc_addr.value)
			return false;
	}
	return true;
}

/* Puts a command on the air and back; every field is the same. */
static void there_and_back(const struct lw_package *package, uint8_t version, const char *what,
			   const struct lw_package_command *command)
{
	uint8_t bytes[300];
	struct wr wr = wr_init(bytes, sizeof bytes);
	struct lw_package_command got;
	t_str(what, "ok", lw_package_write_name(lw_package_write(&wr, package, version, command, STEP_HZ)));
	t_str(what, "command",
	      lw_package_read_name(lw_package_read_one(package, version, command->direction, bytes,
						       wr_length(&wr), STEP_HZ, &got)));
	t_true(what,
	       same_fields(lw_package_row_find(package, version, got.direction, got.cid), &got, command));
}

/* The value that makes a conditional part be there is 0 in sessions and 3 in DevUpgradeImageAns. */
static void with_more(const struct lw_package_row *row, struct lw_package_command *command)
{
	if (row->tail == LW_PACKAGE_MORE_IF && row->more_value != 0)
		assert_true(lw_package_field_set(command, &row->fields[0], row->more_value));
}

static void every_bit(const struct lw_package *package, uint8_t version, const struct lw_package_row *row)
{
	for (size_t f = 0; f < row->field_count; f++) {
		const struct lw_package_field *field = &row->fields[f];
		if (row->tail == LW_PACKAGE_MC_GROUPS && f == 0)
			continue; /* the mask stands for items: they have a test of their own */
		for (unsigned bit = 0; bit < field->bits; bit++) {
			struct lw_package_command command = command_of(row);
			int64_t value = INT64_C(1) << bit % 32;
			if (field->first_bit >= 8u * row->length)
				with_more(row, &command);
			if (field->kind == LW_PACKAGE_SINT && bit == field->bits - 1u)
				value = -value;
			if (field->kind == LW_PACKAGE_FREQUENCY)
				value *= STEP_HZ;
			if (field->kind == LW_PACKAGE_BYTES)
				((uint8_t *)&command.as)[field->offset + bit / 8] = (uint8_t)(1 << bit % 8);
			else
				assert_true(lw_package_field_set(&command, field, value));
			there_and_back(package, version, field->name, &command);
		}
	}
}

static void every_bit_of_every_field_survives(void **state)
{
	(void)state;
	each_row(every_bit);
}

static void too_large(const struct lw_package *package, uint8_t version, const struct lw_package_row *row)
{
	for (size_t f = 0; f < row->field_count; f++) {
		const struct lw_package_field *field = &row->fields[f];
		struct lw_package_command command = command_of(row);
		uint8_t bytes[64];
		struct wr wr = wr_init(bytes, sizeof bytes);
		int64_t value = (INT64_C(1) << field->bits % 64) *
				(field->kind == LW_PACKAGE_FREQUENCY ? STEP_HZ : 1);
		if (field->kind == LW_PACKAGE_BYTES || field->bits >= 8u * field->size ||
		    field->kind == LW_PACKAGE_BOOL)
			continue;
		if (field->first_bit >= 8u * row->length)
			with_more(row, &command);
		assert_true(lw_package_field_set(&command, field, value));
		t_int(field->name, LW_PACKAGE_OUT_OF_RANGE,
		      lw_package_write(&wr, package, version, &command, STEP_HZ));
		if (field->kind == LW_PACKAGE_FREQUENCY) {
			assert_true(lw_package_field_set(&command, field, STEP_HZ + 1));
			t_int(field->name, LW_PACKAGE_FREQUENCY_STEP,
			      lw_package_write(&wr, package, version, &command, STEP_HZ));
		}
		t_uint("nothing written", 0, wr_length(&wr));
	}
}

static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	each_row(too_large);
	t_row("a command that the version has not");
	uint8_t bytes[8];
	struct wr wr = wr_init(bytes, sizeof bytes);
	struct lw_package_command command = {.direction = LW_UP, .cid = LW_CID_FRAG_DATA_BLOCK_RECEIVED};
	t_int("version 1", LW_PACKAGE_UNKNOWN_COMMAND,
	      lw_package_write(&wr, &lw_fragmentation, 1, &command, STEP_HZ));
	t_int("version 2", LW_PACKAGE_WRITTEN,
	      lw_package_write(&wr, &lw_fragmentation, 2, &command, STEP_HZ));
}

static void cut_short(const struct lw_package *package, uint8_t version, const struct lw_package_row *row)
{
	uint8_t bytes[64] = {0}, small[64];
	struct lw_package_command command = command_of(row), got = {.cid = 99};
	struct wr wr = wr_init(bytes, sizeof bytes);
	with_more(row, &command);
	assert_int_equal(lw_package_write(&wr, package, version, &command, STEP_HZ), LW_PACKAGE_WRITTEN);
	size_t length = wr_length(&wr);
	for (size_t cut = 0; cut < length; cut++) {
		t_int("truncated", LW_PACKAGE_TRUNCATED,
		      lw_package_read_one(package, version, row->direction, bytes, cut, STEP_HZ, &got));
		struct wr no_room = wr_init(small, cut);
		t_int("no room", LW_PACKAGE_NO_ROOM,
		      lw_package_write(&no_room, package, version, &command, STEP_HZ));
		t_true("the writer is as before", wr_ok(&no_room) && wr_length(&no_room) == 0);
	}
	t_uint("untouched", 99, got.cid);
	if (row->tail != LW_PACKAGE_REST)
		t_int("trailing", LW_PACKAGE_TRAILING,
		      lw_package_read_one(package, version, row->direction, bytes, length + 1, STEP_HZ,
					  &got));
}

static void every_shorter_length_is_truncated(void **state)
{
	(void)state;
	each_row(cut_short);
}

static void several_commands_are_read_in_turn(void **state)
{
	(void)state;
	static const uint8_t payload[] = {0x00, 0x01, 0x02, 0x01, 0xb2, 0x87, 0x2c, 0x51, 0x12, 0x77, 0x00};
	struct lw_package_reader reader;
	struct lw_package_command command;
	lw_package_reader_init(&reader, &lw_clock_sync, 2, LW_UP, payload, sizeof payload, STEP_HZ);
	t_int("PackageVersionAns", LW_PACKAGE_COMMAND, lw_package_read(&reader, &command));
	t_uint("version", 2, command.as.package_version_ans.package_version);
	t_int("AppTimeReq", LW_PACKAGE_COMMAND, lw_package_read(&reader, &command));
	t_uint("token", 2, command.as.app_time_req.token_req);
	t_int("unknown", LW_PACKAGE_UNKNOWN_CID, lw_package_read(&reader, &command));
	t_int("and again", LW_PACKAGE_UNKNOWN_CID, lw_package_read(&reader, &command));
	t_uint("its CID", 0x77, reader.cid);
	t_uint("its place", 9, reader.offset);
	t_uint("the command read last stands", 2, command.as.app_time_req.token_req);
	lw_package_reader_init(&reader, &lw_clock_sync, 1, LW_UP, payload, 3, STEP_HZ);
	t_int("one", LW_PACKAGE_COMMAND, lw_package_read(&reader, &command));
	t_int("end", LW_PACKAGE_END, lw_package_read(&reader, &command));
}

static void as_many_groups_as_bits(void **state)
{
	(void)state;
	for (uint8_t mask = 0; mask < 16; mask++) {
		struct lw_package_command command = {.direction = LW_UP, .cid = LW_CID_MC_GROUP_STATUS};
		uint8_t bytes[32], count = 0;
		struct wr wr = wr_init(bytes, sizeof bytes);
		command.as.mc_status_ans.ans_group_mask = mask;
		for (uint8_t id = 0; id < 4; id++) {
			if (!(mask >> id & 1))
				continue;
			command.as.mc_status_ans.items[count].mc_group_id = id;
			command.as.mc_status_ans.items[count++].mc_addr.value = 0x01020304u + id;
		}
		t_int("written", LW_PACKAGE_WRITTEN,
		      lw_package_write(&wr, &lw_multicast_setup, 1, &command, STEP_HZ));
		t_uint("length", 2 + 5u * count, wr_length(&wr));
		there_and_back(&lw_multicast_setup, 2, "items", &command);
		if (count > 0) {
			command.as.mc_status_ans.items[count - 1].mc_group_id = 4;
			t_int("a fifth group", LW_PACKAGE_OUT_OF_RANGE,
			      lw_package_write(&wr, &lw_multicast_setup, 1, &command, STEP_HZ));
		}
	}
}

static void a_session_that_is_refused_has_no_start(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t version, status;
		bool accepted;
		size_t length;
	} rows[] = {
		{"accepted", 1, 0x03, true, 5},
		{"wrong data rate", 1, 0x07, false, 2},
		{"wrong frequency", 2, 0x0b, false, 2},
		{"no such group", 2, 0x13, false, 2},
		{"its start has passed", 2, 0x23, false, 2},
		{"that bit is RFU in version 1", 1, 0x23, true, 5},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[] = {LW_CID_MC_CLASS_C_SESSION, rows[i].status, 0x10, 0x00, 0x00};
		struct lw_package_command command;
		t_row(rows[i].name);
		t_int("read", LW_PACKAGE_COMMAND,
		      lw_package_read_one(&lw_multicast_setup, rows[i].version, LW_UP, bytes, rows[i].length,
					  STEP_HZ, &command));
		t_int("accepted", rows[i].accepted, lw_mc_session_accepted(&command));
		t_uint("starts in", rows[i].accepted ? 16 : 0, command.as.mc_session_ans.time_to_start);
	}
	t_uint("class C", 32768, lw_mc_session_length_s(15, false));
	t_uint("class B", 4194304, lw_mc_session_length_s(15, true));
}

static void clocks_are_corrected_the_nearer_way_round(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t device, gps;
		bool ans_required, answered;
		int32_t correction;
	} rows[] = {
		{"right, and no answer asked for", 1000, 1000, false, false, 0},
		{"right, but it wants to hear so", 1000, 1000, true, true, 0},
		{"slow", 1000, 1060, false, true, 60},
		{"fast", 1060, 1000, false, true, -60},
		{"a clock that was never set", 0, 1479254418, false, true, 1479254418},
		{"over the end of 32 bits", 0xfffffff0, 0x10, false, true, 32},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lw_package_command request = {.direction = LW_UP, .cid = LW_CID_APP_TIME}, answer;
		t_row(rows[i].name);
		request.as.app_time_req.device_time = rows[i].device;
		request.as.app_time_req.token_req = 9;
		request.as.app_time_req.ans_required = rows[i].ans_required;
		bool answered = lw_clock_sync_answer(&request, rows[i].gps, &answer);
		t_int("answered", rows[i].answered, answered);
		if (!answered)
			continue;
		t_int("correction", rows[i].correction, answer.as.app_time_ans.time_correction);
		t_uint("token", 9, answer.as.app_time_ans.token_ans);
		there_and_back(&lw_clock_sync, 1, "answer", &answer);
	}
}

static void fragments_are_lent(void **state)
{
	(void)state;
	uint8_t payload[2 + 300] = {LW_CID_DATA_FRAGMENT, 0x01, 0xc2, 0xaa, 0xbb};
	struct lw_package_command command;
	t_int("read", LW_PACKAGE_COMMAND,
	      lw_package_read_one(&lw_fragmentation, 2, LW_DOWN, payload, 5, STEP_HZ, &command));
	t_uint("N", 513, command.as.data_fragment.n);
	t_uint("index", 3, command.as.data_fragment.frag_index);
	t_uint("length", 2, command.as.data_fragment.data_length);
	t_true("of the payload itself", command.as.data_fragment.data == payload + LW_FRAG_HEADER);
	t_int("more than any frame carries", LW_PACKAGE_TRUNCATED,
	      lw_package_read_one(&lw_fragmentation, 2, LW_DOWN, payload, 3 + 256, STEP_HZ, &command));
	t_int("as much as a fragment has", LW_PACKAGE_COMMAND,
	      lw_package_read_one(&lw_fragmentation, 2, LW_DOWN, payload, 3 + 255, STEP_HZ, &command));
}

static void a_block_is_signed(void **state)
{
	(void)state;
	static const uint8_t descriptor[] = {1, 2, 3, 4}, expected[] = {0x7f, 0x4d, 0x4e, 0x78};
	struct lw_key app_key;
	uint8_t block[100];
	struct aes *aes = aes_new();
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (uint8_t)i;
	memcpy(app_key.bytes, block, sizeof app_key.bytes);
	struct lw_key key = lw_key_data_block_int(aes, &app_key);
	struct lw_mic mic = lw_data_block_mic(aes, &key, 1, 0, descriptor, block, sizeof block);
	t_bytes("MIC", expected, sizeof expected, mic.bytes, sizeof mic.bytes);
	t_false("another counter",
		lw_mic_equal(mic, lw_data_block_mic(aes, &key, 2, 0, descriptor, block, 100)));
	t_false("another index",
		lw_mic_equal(mic, lw_data_block_mic(aes, &key, 1, 1, descriptor, block, 100)));
	t_false("another length",
		lw_mic_equal(mic, lw_data_block_mic(aes, &key, 1, 0, descriptor, block, 99)));
	aes_free(aes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(rows_are_whole),
		t_test(every_bit_of_every_field_survives),
		t_test(what_does_not_fit_is_refused),
		t_test(every_shorter_length_is_truncated),
		t_test(several_commands_are_read_in_turn),
		t_test(as_many_groups_as_bits),
		t_test(a_session_that_is_refused_has_no_start),
		t_test(clocks_are_corrected_the_nearer_way_round),
		t_test(fragments_are_lent),
		t_test(a_block_is_signed),
	};
	return t_run(tests);
}
