/* Interprets the rows of mac_command_table.c. Members of the structs are read and written by their size
 * (bit_field.h), so that the rows may describe any unsigned width, a signed byte or a bool. */
#include "common/lorawan/mac_command.h"

#include "common/base/check.h"
#include "common/lorawan/bit_field.h"

#include <string.h>

#define PAYLOAD_MAX (LW_MAC_COMMAND_MAX - 1)

const char *lw_mac_read_name(enum lw_mac_read read)
{
	static const char *const names[LW_MAC_READ_COUNT] = {
		[LW_MAC_READ_COMMAND] = "command",
		[LW_MAC_READ_END] = "end",
		[LW_MAC_READ_UNKNOWN_CID] = "unknown_cid",
		[LW_MAC_READ_TRUNCATED] = "truncated",
	};
	return (unsigned)read < LW_MAC_READ_COUNT ? names[read] : "unknown";
}

const char *lw_mac_write_name(enum lw_mac_write write)
{
	static const char *const names[LW_MAC_WRITE_COUNT] = {
		[LW_MAC_WRITE_OK] = "ok",
		[LW_MAC_WRITE_UNKNOWN_COMMAND] = "unknown_command",
		[LW_MAC_WRITE_OUT_OF_RANGE] = "field_out_of_range",
		[LW_MAC_WRITE_FREQUENCY_STEP] = "frequency_step",
		[LW_MAC_WRITE_NO_ROOM] = "no_room",
	};
	return (unsigned)write < LW_MAC_WRITE_COUNT ? names[write] : "unknown";
}

int64_t lw_mac_field_get(const struct lw_mac_command *command, const struct lw_mac_field *field)
{
	ASSERT(field->kind != LW_MAC_BYTES);
	uint32_t value = lw_member_get((const uint8_t *)&command->as + field->offset, field->size);
	return field->kind == LW_MAC_SINT ? lw_bits_signed(value, 8u * field->size) : (int64_t)value;
}

bool lw_mac_field_set(struct lw_mac_command *command, const struct lw_mac_field *field, int64_t value)
{
	bool is_signed = field->kind == LW_MAC_SINT;
	int64_t most = field->kind == LW_MAC_BOOL ? 1 : (INT64_C(1) << (8 * field->size - is_signed)) - 1;
	ASSERT(field->kind != LW_MAC_BYTES);
	if (value > most || value < (is_signed ? -most - 1 : 0))
		return false;
	lw_member_put((uint8_t *)&command->as + field->offset, field->size, (uint32_t)value);
	return true;
}

/* FilterListReq is the one command whose length stands inside it. */
static bool is_filter_list_req(const struct lw_mac_row *row)
{
	return row->direction == LW_DOWN && row->cid == LW_CID_FILTER_LIST;
}

const uint8_t *lw_mac_field_bytes(const struct lw_mac_command *command, const struct lw_mac_field *field,
				  size_t *length)
{
	ASSERT(field->kind == LW_MAC_BYTES);
	*length = field->bits / 8u;
	if (command->direction == LW_DOWN && command->cid == LW_CID_FILTER_LIST &&
	    command->as.filter_list_req.filter_list_len < *length)
		*length = command->as.filter_list_req.filter_list_len;
	return (const uint8_t *)&command->as + field->offset;
}

void lw_mac_reader_init(struct lw_mac_reader *reader, enum lw_direction direction, const uint8_t *bytes,
			size_t length, uint32_t frequency_step_hz)
{
	*reader = (struct lw_mac_reader){
		.rd = rd_init(bytes, length), .direction = direction, .frequency_step_hz = frequency_step_hz};
	reader->total = length;
}

static void decode_field(struct lw_mac_command *command, const struct lw_mac_field *field,
			 const uint8_t payload[PAYLOAD_MAX], uint32_t frequency_step_hz)
{
	if (field->kind == LW_MAC_BYTES) {
		memcpy((uint8_t *)&command->as + field->offset, payload + field->first_bit / 8,
		       field->bits / 8u);
		return;
	}
	ASSERT(field->bits > 0);
	uint32_t bits = lw_bits_get(payload, field->first_bit, field->bits);
	int64_t value = field->kind == LW_MAC_SINT ? lw_bits_signed(bits, field->bits) : (int64_t)bits;
	if (field->kind == LW_MAC_FREQUENCY)
		value *= frequency_step_hz;
	ASSERT(lw_mac_field_set(command, field, value));
}

enum lw_mac_read lw_mac_read(struct lw_mac_reader *reader, struct lw_mac_command *command)
{
	if (reader->stopped != LW_MAC_READ_COMMAND)
		return reader->stopped;
	if (rd_left(&reader->rd) == 0)
		return reader->stopped = LW_MAC_READ_END;
	reader->offset = reader->total - rd_left(&reader->rd);
	reader->cid = rd_u8(&reader->rd);
	const struct lw_mac_row *row = lw_mac_row_find(reader->direction, reader->cid);
	if (!row)
		return reader->stopped = LW_MAC_READ_UNKNOWN_CID;

	uint8_t payload[PAYLOAD_MAX] = {0};
	rd_copy(&reader->rd, payload, row->length);
	if (is_filter_list_req(row)) {
		uint64_t more = lw_bits_get(payload, row->fields[0].first_bit, row->fields[0].bits);
		if (more > sizeof command->as.filter_list_req.filter_list_eui_wire)
			rd_fail(&reader->rd);
		else
			rd_copy(&reader->rd, payload + row->length, more);
	}
	if (!rd_ok(&reader->rd))
		return reader->stopped = LW_MAC_READ_TRUNCATED;
	memset(command, 0, sizeof *command);
	command->direction = reader->direction;
	command->cid = reader->cid;
	for (size_t i = 0; i < row->field_count; i++)
		decode_field(command, &row->fields[i], payload, reader->frequency_step_hz);
	return LW_MAC_READ_COMMAND;
}

static enum lw_mac_write encode_field(const struct lw_mac_command *command, const struct lw_mac_field *field,
				      uint8_t payload[PAYLOAD_MAX], uint32_t frequency_step_hz)
{
	if (field->kind == LW_MAC_BYTES) {
		size_t length;
		const uint8_t *bytes = lw_mac_field_bytes(command, field, &length);
		memcpy(payload + field->first_bit / 8, bytes, length);
		return LW_MAC_WRITE_OK;
	}
	int64_t value = lw_mac_field_get(command, field);
	int64_t least = 0, most = (INT64_C(1) << field->bits) - 1;
	if (field->kind == LW_MAC_SINT) {
		most >>= 1;
		least = -most - 1;
	}
	if (field->kind == LW_MAC_FREQUENCY) {
		if (value % frequency_step_hz != 0)
			return LW_MAC_WRITE_FREQUENCY_STEP;
		value /= frequency_step_hz;
	}
	if (value < least || value > most)
		return LW_MAC_WRITE_OUT_OF_RANGE;
	lw_bits_put(payload, field->first_bit, field->bits, (uint32_t)value);
	return LW_MAC_WRITE_OK;
}

enum lw_mac_write lw_mac_write(struct wr *wr, const struct lw_mac_command *command,
			       uint32_t frequency_step_hz)
{
	const struct lw_mac_row *row = lw_mac_row_find(command->direction, command->cid);
	if (!row)
		return LW_MAC_WRITE_UNKNOWN_COMMAND;
	size_t length = row->length;
	if (is_filter_list_req(row)) {
		length += command->as.filter_list_req.filter_list_len;
		if (length > row->length + sizeof command->as.filter_list_req.filter_list_eui_wire)
			return LW_MAC_WRITE_OUT_OF_RANGE;
	}
	uint8_t payload[PAYLOAD_MAX] = {0};
	for (size_t i = 0; i < row->field_count; i++) {
		enum lw_mac_write verdict = encode_field(command, &row->fields[i], payload,
							 frequency_step_hz);
		if (verdict != LW_MAC_WRITE_OK)
			return verdict;
	}
	if (!wr_ok(wr) || wr_room(wr) < 1 + length)
		return LW_MAC_WRITE_NO_ROOM;
	wr_u8(wr, command->cid);
	wr_copy(wr, payload, length);
	return LW_MAC_WRITE_OK;
}

void lw_mac_force_rejoin_turn(uint8_t command[3])
{
	ASSERT_CMP(command[0], ==, LW_CID_FORCE_REJOIN);
	uint8_t low = command[1];
	command[1] = command[2];
	command[2] = low;
}
