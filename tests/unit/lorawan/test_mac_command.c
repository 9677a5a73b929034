#include "tests/harness/harness.h"

#include "common/lorawan/mac_command.h"

#include <string.h>

#define STEP_HZ 100

static bool is_filter_list(const struct lw_mac_row *row)
{
	return row->direction == LW_DOWN && row->cid == LW_CID_FILTER_LIST;
}

static void rows_are_whole(void **state)
{
	(void)state;
	size_t count;
	const struct lw_mac_row *rows = lw_mac_rows(&count);
	t_uint("commands", 52, count);
	for (size_t i = 0; i < count; i++) {
		t_row(rows[i].name);
		t_true("ordered, none twice",
		       i == 0 || rows[i].direction > rows[i - 1].direction || rows[i].cid > rows[i - 1].cid);
		t_true("found", lw_mac_row_find(rows[i].direction, rows[i].cid) == &rows[i]);
		t_true("since before until", rows[i].since <= rows[i].until);
		uint8_t used[LW_MAC_COMMAND_MAX] = {0};
		for (size_t f = 0; f < rows[i].field_count; f++) {
			const struct lw_mac_field *field = &rows[i].fields[f];
			unsigned end = field->first_bit + field->bits;
			t_true(field->name, end <= 8u * rows[i].length || (is_filter_list(&rows[i]) &&
									   field->kind == LW_MAC_BYTES));
			for (unsigned bit = field->first_bit; bit < end; bit++) {
				t_false(field->name, used[bit / 8] >> bit % 8 & 1);
				used[bit / 8] |= (uint8_t)(1 << bit % 8);
			}
		}
		t_true("fields where there are bytes", (rows[i].field_count == 0) == (rows[i].length == 0));
	}
}

/* Every field of every command alone, with each of its bits alone: what is read is what was written, in that field. */
static void every_bit_of_every_field_survives(void **state)
{
	(void)state;
	size_t count;
	const struct lw_mac_row *rows = lw_mac_rows(&count);
	for (size_t i = 0; i < count; i++) {
		t_row(rows[i].name);
		for (size_t f = 0; f < rows[i].field_count; f++) {
			const struct lw_mac_field *field = &rows[i].fields[f];
			if (field->kind == LW_MAC_BYTES || (is_filter_list(&rows[i]) && f == 0))
				continue;
			for (unsigned bit = 0; bit < field->bits; bit++) {
				struct lw_mac_command command = {.direction = rows[i].direction,
								 .cid = rows[i].cid},
						      got;
				int64_t value = INT64_C(1) << bit;
				if (field->kind == LW_MAC_SINT && bit == field->bits - 1u)
					value = -value;
				if (field->kind == LW_MAC_FREQUENCY)
					value *= STEP_HZ;
				assert_true(lw_mac_field_set(&command, field, value));
				uint8_t bytes[LW_MAC_COMMAND_MAX];
				struct wr wr = wr_init(bytes, sizeof bytes);
				t_int(field->name, LW_MAC_WRITE_OK, lw_mac_write(&wr, &command, STEP_HZ));
				t_uint("length", 1u + rows[i].length, wr_length(&wr));
				struct lw_mac_reader reader;
				lw_mac_reader_init(&reader, rows[i].direction, bytes, wr_length(&wr),
						   STEP_HZ);
				t_int(field->name, LW_MAC_READ_COMMAND, lw_mac_read(&reader, &got));
				t_int(field->name, value, lw_mac_field_get(&got, field));
				t_true(field->name, memcmp(&got.as, &command.as, sizeof got.as) == 0);
				t_int("end", LW_MAC_READ_END, lw_mac_read(&reader, &got));
			}
		}
	}
}

/* One more than a field's bits hold is refused, and nothing is written. */
static void fields_out_of_range_are_refused(void **state)
{
	(void)state;
	size_t count, refused = 0;
	const struct lw_mac_row *rows = lw_mac_rows(&count);
	for (size_t i = 0; i < count; i++) {
		t_row(rows[i].name);
		for (size_t f = 0; f < rows[i].field_count; f++) {
			const struct lw_mac_field *field = &rows[i].fields[f];
			struct lw_mac_command command = {.direction = rows[i].direction, .cid = rows[i].cid};
			bool is_signed = field->kind == LW_MAC_SINT;
			if (field->kind == LW_MAC_BYTES)
				continue;
			int64_t value = INT64_C(1) << (field->bits - is_signed);
			if (field->kind == LW_MAC_FREQUENCY)
				value *= STEP_HZ;
			if (!lw_mac_field_set(&command, field, value))
				continue; /* the member itself cannot hold it */
			uint8_t bytes[LW_MAC_COMMAND_MAX];
			struct wr wr = wr_init(bytes, sizeof bytes);
			t_str(field->name, "field_out_of_range",
			      lw_mac_write_name(lw_mac_write(&wr, &command, STEP_HZ)));
			t_uint("written", 0, wr_length(&wr));
			refused++;
		}
	}
	t_true("there were such", refused > 40);
}

static void margins_of_six_bits(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int8_t margin;
		enum lw_mac_write verdict;
		uint8_t byte;
	} rows[] = {
		{"the lowest", -32, LW_MAC_WRITE_OK, 0x20},
		{"one lower", -33, LW_MAC_WRITE_OUT_OF_RANGE, 0},
		{"minus one", -1, LW_MAC_WRITE_OK, 0x3f},
		{"the highest", 31, LW_MAC_WRITE_OK, 0x1f},
		{"one higher", 32, LW_MAC_WRITE_OUT_OF_RANGE, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct lw_mac_command command = {.direction = LW_UP, .cid = LW_CID_DEV_STATUS};
		uint8_t bytes[LW_MAC_COMMAND_MAX] = {0};
		struct wr wr = wr_init(bytes, sizeof bytes);
		command.as.dev_status_ans.margin = rows[i].margin;
		t_int("verdict", rows[i].verdict, lw_mac_write(&wr, &command, STEP_HZ));
		t_uint("byte", rows[i].byte, bytes[2]);
	}
}

static void filter_lists_of_every_length(void **state)
{
	(void)state;
	for (uint8_t length = 0; length <= 17; length++) {
		struct lw_mac_command command = {.direction = LW_DOWN, .cid = LW_CID_FILTER_LIST}, got;
		command.as.filter_list_req.filter_list_idx = 15;
		command.as.filter_list_req.filter_list_action = 2;
		command.as.filter_list_req.filter_list_len = length;
		for (uint8_t i = 0; i < 16; i++)
			command.as.filter_list_req.filter_list_eui_wire[i] = i < length ? (uint8_t)(i + 1)
											: 0;
		uint8_t bytes[LW_MAC_COMMAND_MAX];
		struct wr wr = wr_init(bytes, sizeof bytes);
		enum lw_mac_write written = lw_mac_write(&wr, &command, STEP_HZ);
		t_int("written", length <= 16 ? LW_MAC_WRITE_OK : LW_MAC_WRITE_OUT_OF_RANGE, written);
		if (written != LW_MAC_WRITE_OK)
			continue;
		t_uint("length", 3u + length, wr_length(&wr));
		struct lw_mac_reader reader;
		lw_mac_reader_init(&reader, LW_DOWN, bytes, wr_length(&wr), STEP_HZ);
		t_int("read", LW_MAC_READ_COMMAND, lw_mac_read(&reader, &got));
		t_true("same", memcmp(&got.as, &command.as, sizeof got.as) == 0);
		lw_mac_reader_init(&reader, LW_DOWN, bytes, wr_length(&wr) - 1, STEP_HZ);
		t_int("a byte short", LW_MAC_READ_TRUNCATED, lw_mac_read(&reader, &got));
	}
	const uint8_t too_long[] = {0x42, 0x11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
	struct lw_mac_reader reader;
	struct lw_mac_command got;
	lw_mac_reader_init(&reader, LW_DOWN, too_long, sizeof too_long, STEP_HZ);
	t_int("a length that no EUI pair has", LW_MAC_READ_TRUNCATED, lw_mac_read(&reader, &got));
}

static void what_came_before_an_unknown_cid_stands(void **state)
{
	(void)state;
	const uint8_t bytes[] = {0x02, 0x06, 0xff, 0x3f, 0x99, 0x02};
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	lw_mac_reader_init(&reader, LW_UP, bytes, sizeof bytes, STEP_HZ);
	t_int("LinkCheckReq", LW_MAC_READ_COMMAND, lw_mac_read(&reader, &command));
	t_int("DevStatusAns", LW_MAC_READ_COMMAND, lw_mac_read(&reader, &command));
	t_int("margin", -1, command.as.dev_status_ans.margin);
	t_int("unknown", LW_MAC_READ_UNKNOWN_CID, lw_mac_read(&reader, &command));
	t_int("and again", LW_MAC_READ_UNKNOWN_CID, lw_mac_read(&reader, &command));
	t_uint("cid", 0x99, reader.cid);
	t_uint("offset", 4, reader.offset);
	t_int("the last one is left", LW_CID_DEV_STATUS, command.cid);
}

static void writers_without_room_are_left_alone(void **state)
{
	(void)state;
	uint8_t bytes[9]; /* one byte less than two LinkADRReq need */
	struct wr wr = wr_init(bytes, sizeof bytes);
	struct lw_mac_command adr = {.direction = LW_DOWN, .cid = LW_CID_LINK_ADR};
	struct lw_mac_command status = {.direction = LW_DOWN, .cid = LW_CID_DEV_STATUS};
	t_int("first", LW_MAC_WRITE_OK, lw_mac_write(&wr, &adr, STEP_HZ));
	t_int("second", LW_MAC_WRITE_NO_ROOM, lw_mac_write(&wr, &adr, STEP_HZ));
	t_true("still good", wr_ok(&wr));
	t_int("a shorter one fits", LW_MAC_WRITE_OK, lw_mac_write(&wr, &status, STEP_HZ));
	t_uint("length", 6, wr_length(&wr));
	struct lw_mac_command none = {.direction = LW_DOWN, .cid = 0x46};
	t_int("no such downlink", LW_MAC_WRITE_UNKNOWN_COMMAND, lw_mac_write(&wr, &none, STEP_HZ));
}

static void steps_come_from_the_region(void **state)
{
	(void)state;
	struct lw_mac_command command = {.direction = LW_DOWN, .cid = LW_CID_BEACON_FREQ}, got;
	uint8_t bytes[LW_MAC_COMMAND_MAX];
	struct wr wr = wr_init(bytes, sizeof bytes);
	command.as.beacon_freq_req.frequency_hz = 2424000000;
	t_int("2.4 GHz does not fit 100 Hz", LW_MAC_WRITE_OUT_OF_RANGE, lw_mac_write(&wr, &command, 100));
	t_int("but 200 Hz", LW_MAC_WRITE_OK, lw_mac_write(&wr, &command, 200));
	struct lw_mac_reader reader;
	lw_mac_reader_init(&reader, LW_DOWN, bytes, wr_length(&wr), 200);
	t_int("read", LW_MAC_READ_COMMAND, lw_mac_read(&reader, &got));
	t_uint("frequency", 2424000000, got.as.beacon_freq_req.frequency_hz);
	command.as.beacon_freq_req.frequency_hz = 2424000100;
	t_int("no multiple", LW_MAC_WRITE_FREQUENCY_STEP, lw_mac_write(&wr, &command, 200));
}

static void versions_and_repeats(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_direction direction;
		uint8_t cid;
		enum lw_mac_repeat repeat;
		bool in_1_0_1, in_1_0_3, in_1_1;
	} rows[] = {
		{"RXParamSetupAns", LW_UP, LW_CID_RX_PARAM_SETUP, LW_MAC_UNTIL_DOWNLINK, true, true, true},
		{"RXTimingSetupAns", LW_UP, LW_CID_RX_TIMING_SETUP, LW_MAC_UNTIL_DOWNLINK, true, true, true},
		{"DlChannelAns", LW_UP, LW_CID_DL_CHANNEL, LW_MAC_UNTIL_DOWNLINK, false, true, true},
		{"DeviceTimeReq", LW_UP, LW_CID_DEVICE_TIME, LW_MAC_ONCE, false, true, true},
		{"BeaconTimingReq", LW_UP, LW_CID_BEACON_TIMING, LW_MAC_ONCE, true, false, false},
		{"RekeyInd", LW_UP, LW_CID_REKEY, LW_MAC_UNTIL_CONF, false, false, true},
		{"LinkADRReq", LW_DOWN, LW_CID_LINK_ADR, LW_MAC_ONCE, true, true, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct lw_mac_row *row = lw_mac_row_find(rows[i].direction, rows[i].cid);
		t_row(rows[i].name);
		assert_non_null(row);
		t_str("name", rows[i].name, row->name);
		t_int("repeat", rows[i].repeat, row->repeat);
		t_int("1.0.1", rows[i].in_1_0_1, lw_mac_row_in_version(row, LW_MAC_1_0_1));
		t_int("1.0.3", rows[i].in_1_0_3, lw_mac_row_in_version(row, LW_MAC_1_0_3));
		t_int("1.1", rows[i].in_1_1, lw_mac_row_in_version(row, LW_MAC_1_1_0));
	}
	t_int("MaxEIRP index 5", 16, lw_max_eirp_dbm(5));
	t_int("MaxEIRP index 15", 36, lw_max_eirp_dbm(15));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(rows_are_whole),
		t_test(every_bit_of_every_field_survives),
		t_test(fields_out_of_range_are_refused),
		t_test(margins_of_six_bits),
		t_test(filter_lists_of_every_length),
		t_test(what_came_before_an_unknown_cid_stands),
		t_test(writers_without_room_are_left_alone),
		t_test(steps_come_from_the_region),
		t_test(versions_and_repeats),
	};
	return t_run(tests);
}
