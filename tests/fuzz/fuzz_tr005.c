/* What a scanner types: any text is a code or is refused, and a code that was read is one that can be written and read again. */
#include "common/base/check.h"
#include "common/lorawan/tr005.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct lw_tr005 code, again;
	char text[LW_TR005_TEXT];
	enum lw_tr005_verdict verdict = lw_tr005_parse((const char *)bytes, length, &code);
	ASSERT(*lw_tr005_reason(verdict));
	if (verdict != LW_TR005_OK)
		return 0;
	ASSERT(lw_tr005_build(&code, text));
	ASSERT(lw_tr005_parse(text, strlen(text), &again) == LW_TR005_OK);
	ASSERT(again.checked && strcmp(again.owner_token, code.owner_token) == 0);
	ASSERT(lw_eui64_equal(&again.dev_eui, &code.dev_eui) && again.vendor == code.vendor);
	return 0;
}
