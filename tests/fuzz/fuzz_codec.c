/* Declarative codecs: the input up to a line of '%' is the codec, what follows the payload. */
#include "common/base/check.h"
#include "common/text/codec.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct codec codec;
	const uint8_t *border = size ? memchr(data, '%', size) : NULL;
	size_t text_length = border ? (size_t)(border - data) : size;
	char error[CODEC_ERROR_MAX] = "";
	if (!codec_load(&codec, "fuzz.yaml", (const char *)data, text_length, error)) {
		ASSERT(strncmp(error, "fuzz.yaml:", 10) == 0);
		return 0;
	}
	const uint8_t *payload = border ? border + 1 : data;
	size_t length = border ? size - text_length - 1 : 0;
	for (unsigned fport = 0; fport < 256; fport += 5) {
		struct codec_readings readings;
		size_t short_field = 0;
		enum codec_verdict verdict = codec_decode(&codec, (uint8_t)fport, payload, length, &readings,
							  &short_field);
		ASSERT((verdict == CODEC_DECODED) == (readings.count > 0));
		ASSERT_CMP(short_field, <, codec.field_count);
		json_t *json = codec_readings_json(&readings);
		ASSERT(json != NULL);
		json_decref(json);
	}
	return 0;
}
