/* Input: a byte that picks package, version and direction, then a payload of commands. What was read can be written, and
 * reads the same. */
#include "common/base/check.h"
#include "common/lorawan/packages/clock_sync.h"
#include "common/lorawan/packages/firmware.h"
#include "common/lorawan/packages/fragmentation.h"
#include "common/lorawan/packages/multicast_setup.h"

#include <string.h>

#define STEP_HZ   100
#define BUILT_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct lw_package *package, uint8_t version, const struct lw_package_command *command)
{
	const struct lw_package_row *row = lw_package_row_find(package, version, command->direction,
							       command->cid);
	uint8_t built[BUILT_MAX], once_more[BUILT_MAX];
	struct wr wr = wr_init(built, sizeof built);
	struct lw_package_command second;
	ASSERT(row);
	ASSERT_CMP(lw_package_write(&wr, package, version, command, STEP_HZ), ==, LW_PACKAGE_WRITTEN);
	ASSERT_CMP(lw_package_read_one(package, version, command->direction, built, wr_length(&wr), STEP_HZ,
				       &second),
		   ==, LW_PACKAGE_COMMAND);
	struct wr twice = wr_init(once_more, sizeof once_more);
	ASSERT_CMP(lw_package_write(&twice, package, version, &second, STEP_HZ), ==, LW_PACKAGE_WRITTEN);
	ASSERT(wr_length(&twice) == wr_length(&wr) && memcmp(built, once_more, wr_length(&wr)) == 0);
	for (size_t i = 0; i < row->field_count; i++)
		ASSERT(row->fields[i].kind == LW_PACKAGE_BYTES ||
		       lw_package_field_get(command, &row->fields[i]) ==
			       lw_package_field_get(&second, &row->fields[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct lw_package *const packages[] = {&lw_clock_sync, &lw_multicast_setup,
							    &lw_fragmentation, &lw_firmware};
	struct lw_package_reader reader;
	struct lw_package_command command;
	enum lw_package_read read;
	size_t before = 0, count = 0;
	if (size == 0)
		return 0;
	const struct lw_package *package = packages[data[0] & 3];
	uint8_t version = (uint8_t)(1 + (data[0] >> 2 & 1) % package->versions);
	enum lw_direction direction = data[0] & 8 ? LW_DOWN : LW_UP;
	lw_package_reader_init(&reader, package, version, direction, data + 1, size - 1, STEP_HZ);
	while ((read = lw_package_read(&reader, &command)) == LW_PACKAGE_COMMAND) {
		ASSERT(count == 0 || reader.offset > before);
		before = reader.offset;
		count++;
		again(package, version, &command);
	}
	ASSERT(read == LW_PACKAGE_END || reader.offset < size - 1);
	ASSERT_CMP(lw_package_read(&reader, &command), ==, read);
	return 0;
}
