/* JSON readers: every reader at every kind of value, the error sticks and is text. */
#include "common/base/check.h"
#include "common/text/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_value(const struct jr *at, unsigned which)
{
	uint8_t bytes[16];
	switch (which % 8) {
	case 0: (void)jr_int(at, -1000, 1000); return;
	case 1: (void)jr_number(at, -1e6, 1e6); return;
	case 2: (void)jr_bool(at); return;
	case 3: (void)jr_string(at, 32); return;
	case 4: jr_hex(at, bytes, 8); return;
	case 5: ASSERT(jr_hex_any(at, bytes, sizeof bytes) <= sizeof bytes); return;
	case 6: ASSERT(jr_base64(at, bytes, sizeof bytes) <= sizeof bytes); return;
	default: (void)jr_choice(at, (const char *const[]){"up", "down", NULL});
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"i",   "n",      "b",      "s",    "hex",
					    "any", "base64", "choice", "list", NULL};
	for (unsigned skipped = 0; skipped < 9; skipped++) {
		struct jr_doc doc;
		if (jr_parse(&doc, (const char *)data, size, JR_DEPTH_DEFAULT)) {
			struct jr root = jr_root(&doc);
			for (unsigned i = 0; names[i]; i++) {
				/* Another beginning each time, or the first error would hide what follows. */
				unsigned which = (i + skipped) % 9;
				struct jr member = jr_optional(&root, names[which]);
				if (which < 8) {
					read_value(&member, which);
					continue;
				}
				size_t count = jr_count(&member, 16);
				for (size_t j = 0; j < count; j++) {
					struct jr element = jr_element(&member, j);
					read_value(&element, (unsigned)j);
				}
			}
			jr_only(&root, names);
		}
		ASSERT(doc.failed == (doc.error[0] != '\0'));
		ASSERT(strlen(doc.error) < sizeof doc.error);
		jr_release(&doc);
	}
	return 0;
}
