/* An agency's CSV file: any bytes are records with cells, or records with a problem, and reading ends. */
#include "cli/csv.h"
#include "common/base/check.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct csv csv;
	size_t records = 0;
	csv_init(&csv, (const char *)bytes, length);
	while (csv_next(&csv)) {
		ASSERT_CMP(csv.count, <=, CSV_CELLS_MAX);
		ASSERT((csv.count == 0) == (csv.problem != NULL));
		for (size_t i = 0; i < csv.count; i++)
			ASSERT_CMP(strlen(csv.cells[i]), <, CSV_RECORD_MAX);
		ASSERT_CMP(++records, <=, length);
	}
	return 0;
}
