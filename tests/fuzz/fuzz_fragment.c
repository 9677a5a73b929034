/* Input: version, number of fragments, their size and room for equations, a byte each; then fragments, {number (2), data}.
 * Memory is given at its exact size. Whatever comes, true or contradicting: missing never grows, and a block is had exactly
 * when nothing is missing. */
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/lorawan/packages/fragment_code.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct lw_fragment_decoder *decoder, struct rd *rd)
{
	while (rd_left(rd) > 0) {
		uint16_t n = rd_u16le(rd), before = lw_fragment_missing(decoder);
		const uint8_t *fragment = rd_take(rd, decoder->shape.frag_size);
		if (!rd_ok(rd))
			break;
		enum lw_fragment_verdict verdict = lw_fragment_add(decoder, n, fragment,
								   decoder->shape.frag_size);
		uint16_t missing = lw_fragment_missing(decoder);
		ASSERT_CMP(missing, ==, before - (verdict == LW_FRAGMENT_NEW && before > 0 ? 1 : 0));
		ASSERT_CMP(decoder->equations, <=, decoder->equations_max);
	}
	bool could = lw_fragment_missing(decoder) == 0;
	ASSERT(lw_fragment_finish(decoder) == could);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd rd = rd_init(data, size);
	struct lw_fragment_shape shape = {
		.version = rd_u8(&rd), .nb_frag = rd_u8(&rd), .frag_size = rd_u8(&rd)};
	uint16_t equations = rd_u8(&rd);
	size_t work_size = lw_fragment_work_size(&shape, equations);
	struct lw_fragment_decoder decoder;
	uint8_t *block = calloc(shape.nb_frag + 1u, shape.frag_size + 1u);
	uint8_t *work = malloc(work_size ? work_size : 1);
	ASSERT(block && work);
	if (lw_fragment_decoder_init(&decoder, &shape, equations, block, work, work_size) == LW_FRAGMENT_NEW)
		feed(&decoder, &rd);
	free(block);
	free(work);
	return 0;
}
