/* Input: a string of MAC commands, read in both directions. What was read can be written, and reads the same. */
#include "common/base/check.h"
#include "common/lorawan/mac_command.h"

#include <string.h>

#define STEP_HZ 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct lw_mac_command *command)
{
	uint8_t built[LW_MAC_COMMAND_MAX];
	struct wr wr = wr_init(built, sizeof built);
	struct lw_mac_reader reader;
	struct lw_mac_command second;
	ASSERT_CMP(lw_mac_write(&wr, command, STEP_HZ), ==, LW_MAC_WRITE_OK);
	lw_mac_reader_init(&reader, command->direction, built, wr_length(&wr), STEP_HZ);
	ASSERT_CMP(lw_mac_read(&reader, &second), ==, LW_MAC_READ_COMMAND);
	ASSERT(memcmp(&second.as, &command->as, sizeof second.as) == 0);
	ASSERT_CMP(lw_mac_read(&reader, &second), ==, LW_MAC_READ_END);
}

static void one_way(const uint8_t *bytes, size_t length, enum lw_direction direction)
{
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	enum lw_mac_read read;
	size_t before = 0, count = 0;
	lw_mac_reader_init(&reader, direction, bytes, length, STEP_HZ);
	while ((read = lw_mac_read(&reader, &command)) == LW_MAC_READ_COMMAND) {
		ASSERT(count == 0 || reader.offset > before);
		before = reader.offset;
		count++;
		again(&command);
	}
	ASSERT_CMP(count, <=, length);
	ASSERT(read == LW_MAC_READ_END || reader.offset < length);
	ASSERT_CMP(lw_mac_read(&reader, &command), ==, read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one_way(data, size, LW_UP);
	one_way(data, size, LW_DOWN);
	return 0;
}
