/* Interprets the rows of the packages' tables. */
#include "common/lorawan/packages/package.h"

#include "common/base/check.h"
#include "common/lorawan/bit_field.h"

#include <string.h>

#define PAYLOAD_MAX   32 /* fixed part and conditional part of the longest command: McGroupSetupReq, 29 */
#define GROUP_ID_BITS 2

const char *lw_package_read_name(enum lw_package_read read)
{
	static const char *const names[LW_PACKAGE_READ_COUNT] = {
		[LW_PACKAGE_COMMAND] = "command",         [LW_PACKAGE_END] = "end",
		[LW_PACKAGE_UNKNOWN_CID] = "unknown_cid", [LW_PACKAGE_TRUNCATED] = "truncated",
		[LW_PACKAGE_TRAILING] = "trailing_bytes",
	};
	return (unsigned)read < LW_PACKAGE_READ_COUNT ? names[read] : "unknown";
}

const char *lw_package_write_name(enum lw_package_write write)
{
	static const char *const names[LW_PACKAGE_WRITE_COUNT] = {
		[LW_PACKAGE_WRITTEN] = "ok",
		[LW_PACKAGE_UNKNOWN_COMMAND] = "unknown_command",
		[LW_PACKAGE_OUT_OF_RANGE] = "field_out_of_range",
		[LW_PACKAGE_FREQUENCY_STEP] = "frequency_step",
		[LW_PACKAGE_NO_ROOM] = "no_room",
	};
	return (unsigned)write < LW_PACKAGE_WRITE_COUNT ? names[write] : "unknown";
}

const struct lw_package_row *lw_package_row_find(const struct lw_package *package, uint8_t version,
						 enum lw_direction direction, uint8_t cid)
{
	for (size_t i = 0; i < package->row_count; i++) {
		const struct lw_package_row *row = &package->rows[i];
		if (row->direction == direction && row->cid == cid && row->since <= version &&
		    version <= row->until)
			return row;
	}
	return NULL;
}

static const uint8_t *member_of(const struct lw_package_command *command,
				const struct lw_package_field *field)
{
	return (const uint8_t *)&command->as + field->offset;
}

int64_t lw_package_field_get(const struct lw_package_command *command, const struct lw_package_field *field)
{
	ASSERT(field->kind != LW_PACKAGE_BYTES);
	uint32_t value = lw_member_get(member_of(command, field), field->size);
	return field->kind == LW_PACKAGE_SINT ? lw_bits_signed(value, 8u * field->size) : (int64_t)value;
}

bool lw_package_field_set(struct lw_package_command *command, const struct lw_package_field *field,
			  int64_t value)
{
	ASSERT(field->kind != LW_PACKAGE_BYTES);
	bool is_signed = field->kind == LW_PACKAGE_SINT;
	int64_t most = field->kind == LW_PACKAGE_BOOL ? 1 : (INT64_C(1) << (8 * field->size - is_signed)) - 1;
	if (value > most || value < (is_signed ? -most - 1 : 0))
		return false;
	lw_member_put((uint8_t *)&command->as + field->offset, field->size, (uint32_t)value);
	return true;
}

static bool in_fixed_part(const struct lw_package_row *row, const struct lw_package_field *field)
{
	return field->first_bit < 8u * row->length;
}

static void decode_field(struct lw_package_command *command, const struct lw_package_field *field,
			 const uint8_t *payload, uint32_t freq_step_hz)
{
	if (field->kind == LW_PACKAGE_BYTES) {
		memcpy((uint8_t *)&command->as + field->offset, payload + field->first_bit / 8,
		       field->bits / 8u);
		return;
	}
	uint32_t raw = lw_bits_get(payload, field->first_bit, field->bits);
	int64_t value = field->kind == LW_PACKAGE_SINT ? lw_bits_signed(raw, field->bits) : (int64_t)raw;
	if (field->kind == LW_PACKAGE_FREQUENCY)
		value *= freq_step_hz;
	ASSERT(lw_package_field_set(command, field, value));
}

static enum lw_package_write encode_field(const struct lw_package_command *command,
					  const struct lw_package_field *field, uint8_t *payload,
					  uint32_t freq_step_hz)
{
	if (field->kind == LW_PACKAGE_BYTES) {
		memcpy(payload + field->first_bit / 8, member_of(command, field), field->bits / 8u);
		return LW_PACKAGE_WRITTEN;
	}
	int64_t value = lw_package_field_get(command, field);
	int64_t least = 0, most = (INT64_C(1) << field->bits) - 1;
	if (field->kind == LW_PACKAGE_SINT) {
		most >>= 1;
		least = -most - 1;
	}
	if (field->kind == LW_PACKAGE_FREQUENCY) {
		if (value % freq_step_hz != 0)
			return LW_PACKAGE_FREQUENCY_STEP;
		value /= freq_step_hz;
	}
	if (value < least || value > most)
		return LW_PACKAGE_OUT_OF_RANGE;
	lw_bits_put(payload, field->first_bit, field->bits, (uint32_t)value);
	return LW_PACKAGE_WRITTEN;
}

static bool more_follows(const struct lw_package_row *row, uint8_t first_byte)
{
	return row->tail == LW_PACKAGE_MORE_IF && (first_byte & row->more_mask) == row->more_value;
}

bool lw_package_field_there(const struct lw_package_row *row, const struct lw_package_command *command,
			    const struct lw_package_field *field)
{
	uint8_t payload[PAYLOAD_MAX] = {0};
	if (in_fixed_part(row, field))
		return true;
	for (size_t i = 0; i < row->field_count; i++) {
		if (row->fields[i].first_bit < 8 &&
		    encode_field(command, &row->fields[i], payload, 1) != LW_PACKAGE_WRITTEN)
			return false;
	}
	return more_follows(row, payload[0]);
}

static size_t bits_set(uint8_t mask)
{
	size_t count = 0;
	for (; mask; mask &= (uint8_t)(mask - 1))
		count++;
	return count;
}

static void read_groups(struct rd *rd, struct lw_package_command *command)
{
	size_t count = bits_set(command->as.mc_status_ans.ans_group_mask);
	for (size_t i = 0; i < count; i++) {
		command->as.mc_status_ans.items[i].mc_group_id = rd_u8(rd) & ((1 << GROUP_ID_BITS) - 1);
		command->as.mc_status_ans.items[i].mc_addr.value = rd_u32le(rd);
	}
}

static void read_rest(struct rd *rd, struct lw_package_command *command)
{
	size_t left = rd_left(rd);
	if (left > UINT8_MAX)
		rd_fail(rd);
	command->as.data_fragment.data_length = (uint8_t)rd_left(rd);
	command->as.data_fragment.data = rd_take(rd, rd_left(rd));
}

/* Reads the row's command after its CID; the cursor says whether it was all there. */
static void read_row(struct rd *rd, const struct lw_package_row *row, struct lw_package_command *command,
		     uint32_t freq_step_hz)
{
	uint8_t payload[PAYLOAD_MAX] = {0};
	rd_copy(rd, payload, row->length);
	bool more = rd_ok(rd) && more_follows(row, payload[0]);
	if (more)
		rd_copy(rd, payload + row->length, row->more_length);
	for (size_t i = 0; i < row->field_count; i++) {
		if (more || in_fixed_part(row, &row->fields[i]))
			decode_field(command, &row->fields[i], payload, freq_step_hz);
	}
	if (row->tail == LW_PACKAGE_MC_GROUPS)
		read_groups(rd, command);
	else if (row->tail == LW_PACKAGE_REST)
		read_rest(rd, command);
}

void lw_package_reader_init(struct lw_package_reader *reader, const struct lw_package *package,
			    uint8_t version, enum lw_direction direction, const uint8_t *payload,
			    size_t length, uint32_t freq_step_hz)
{
	ASSERT(version >= 1 && version <= package->versions);
	*reader = (struct lw_package_reader){
		.package = package,
		.rd = rd_init(payload, length),
		.total = length,
		.version = version,
		.direction = direction,
		.freq_step_hz = freq_step_hz,
	};
}

enum lw_package_read lw_package_read(struct lw_package_reader *reader, struct lw_package_command *command)
{
	if (reader->stopped != LW_PACKAGE_COMMAND)
		return reader->stopped;
	if (rd_left(&reader->rd) == 0)
		return reader->stopped = LW_PACKAGE_END;
	reader->offset = reader->total - rd_left(&reader->rd);
	reader->cid = rd_u8(&reader->rd);
	const struct lw_package_row *row = lw_package_row_find(reader->package, reader->version,
							       reader->direction, reader->cid);
	if (!row)
		return reader->stopped = LW_PACKAGE_UNKNOWN_CID;
	struct lw_package_command read;
	memset(&read, 0, sizeof read);
	read.direction = reader->direction;
	read.cid = reader->cid;
	read_row(&reader->rd, row, &read, reader->freq_step_hz);
	if (!rd_ok(&reader->rd))
		return reader->stopped = LW_PACKAGE_TRUNCATED;
	*command = read;
	return LW_PACKAGE_COMMAND;
}

enum lw_package_read lw_package_read_one(const struct lw_package *package, uint8_t version,
					 enum lw_direction direction, const uint8_t *payload, size_t length,
					 uint32_t freq_step_hz, struct lw_package_command *command)
{
	struct lw_package_reader reader;
	struct lw_package_command read;
	lw_package_reader_init(&reader, package, version, direction, payload, length, freq_step_hz);
	enum lw_package_read verdict = lw_package_read(&reader, &read);
	if (verdict == LW_PACKAGE_END)
		return LW_PACKAGE_TRUNCATED;
	if (verdict != LW_PACKAGE_COMMAND)
		return verdict;
	if (rd_left(&reader.rd) > 0)
		return LW_PACKAGE_TRAILING;
	*command = read;
	return LW_PACKAGE_COMMAND;
}

static enum lw_package_write check_groups(const struct lw_package_command *command)
{
	size_t count = bits_set(command->as.mc_status_ans.ans_group_mask);
	for (size_t i = 0; i < count && i < LW_MC_GROUPS; i++) {
		if (command->as.mc_status_ans.items[i].mc_group_id >> GROUP_ID_BITS != 0)
			return LW_PACKAGE_OUT_OF_RANGE;
	}
	return count <= LW_MC_GROUPS ? LW_PACKAGE_WRITTEN : LW_PACKAGE_OUT_OF_RANGE;
}

static void write_groups(struct wr *wr, const struct lw_package_command *command)
{
	size_t count = bits_set(command->as.mc_status_ans.ans_group_mask);
	for (size_t i = 0; i < count; i++) {
		wr_u8(wr, command->as.mc_status_ans.items[i].mc_group_id);
		wr_u32le(wr, command->as.mc_status_ans.items[i].mc_addr.value);
	}
}

enum lw_package_write lw_package_write(struct wr *wr, const struct lw_package *package, uint8_t version,
				       const struct lw_package_command *command, uint32_t freq_step_hz)
{
	const struct lw_package_row *row = lw_package_row_find(package, version, command->direction,
							       command->cid);
	enum lw_package_write verdict = LW_PACKAGE_WRITTEN;
	uint8_t payload[PAYLOAD_MAX] = {0};
	if (!row)
		return LW_PACKAGE_UNKNOWN_COMMAND;
	for (size_t i = 0; i < row->field_count && verdict == LW_PACKAGE_WRITTEN; i++) {
		if (in_fixed_part(row, &row->fields[i]) || more_follows(row, payload[0]))
			verdict = encode_field(command, &row->fields[i], payload, freq_step_hz);
	}
	if (verdict == LW_PACKAGE_WRITTEN && row->tail == LW_PACKAGE_MC_GROUPS)
		verdict = check_groups(command);
	if (verdict != LW_PACKAGE_WRITTEN)
		return verdict;
	struct wr before = *wr;
	wr_u8(wr, command->cid);
	wr_copy(wr, payload, row->length + (more_follows(row, payload[0]) ? row->more_length : 0u));
	if (row->tail == LW_PACKAGE_MC_GROUPS)
		write_groups(wr, command);
	else if (row->tail == LW_PACKAGE_REST)
		wr_copy(wr, command->as.data_fragment.data, command->as.data_fragment.data_length);
	if (wr_ok(wr))
		return LW_PACKAGE_WRITTEN;
	*wr = before;
	return LW_PACKAGE_NO_ROOM;
}
