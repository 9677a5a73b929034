/* applayer.json and keys.json, fragmented data blocks: the code, and the block's signature. */
#include "tests/vectors/vectors.h"

#include "common/lorawan/keys.h"
#include "common/lorawan/packages/fragment_code.h"
#include "common/lorawan/packages/fragmentation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORK_MAX 65536

static void parity_row(struct vector *vector)
{
	uint8_t version = (uint8_t)v_uint(vector, "version");
	uint16_t n = (uint16_t)v_uint(vector, "n"), m = (uint16_t)v_uint(vector, "m");
	char text[LW_FRAGMENTS_MAX + 1];
	struct lw_parity_row row;
	uint64_t ones = 0;
	if (n == 0 || m == 0 || m > LW_FRAGMENTS_MAX) {
		v_fail(vector, "input", "a row", "none");
		return;
	}
	lw_parity_row(version, n, m, &row);
	for (uint16_t i = 0; i < m; i++) {
		bool one = lw_parity_row_has(&row, i);
		text[i] = one ? '1' : '0';
		ones += one;
	}
	text[m] = '\0';
	x_text(vector, vector->expect, "row_bits", text);
	x_uint(vector, vector->expect, "ones", ones);
}

static enum lw_fragment_verdict shape_of(struct vector *vector, const struct bytes *data,
					 struct lw_fragment_shape *shape)
{
	uint8_t version = (uint8_t)v_uint(vector, "version");
	return lw_fragment_shape_of(version, data->length, (uint8_t)v_uint(vector, "fragment_size"), shape);
}

static void fec_encode(struct vector *vector)
{
	struct bytes data = v_bytes(vector, "data");
	uint64_t redundancy = v_uint(vector, "redundancy");
	json_t *fragments = x_part(vector, vector->expect, "fragments");
	struct lw_fragment_shape shape;
	if (shape_of(vector, &data, &shape) != LW_FRAGMENT_NEW) {
		v_fail(vector, "input", "a block", "no such shape");
		return;
	}
	for (uint64_t n = 1; n <= shape.nb_frag + redundancy; n++) {
		uint8_t fragment[UINT8_MAX];
		char hex[2 * UINT8_MAX + 1] = "", *at = hex;
		enum lw_fragment_verdict verdict = lw_fragment_encode(&shape, data.at, (uint16_t)n, fragment);
		for (size_t i = 0; i < shape.frag_size; i++)
			at += snprintf(at, 3, "%02x", (unsigned)fragment[i]);
		const char *expected = json_string_value(json_array_get(fragments, 0));
		if (verdict != LW_FRAGMENT_NEW || !expected || strcmp(expected, hex) != 0)
			v_fail(vector, "fragments", expected ? expected : "no further one", hex);
		json_array_remove(fragments, 0);
	}
}

static void fec_reject(struct vector *vector)
{
	struct bytes data = v_bytes(vector, "data");
	struct lw_fragment_shape shape;
	v_uint(vector, "redundancy");
	x_reject(vector, lw_fragment_verdict_name(shape_of(vector, &data, &shape)));
}

static void add_received(struct vector *vector, struct lw_fragment_decoder *decoder)
{
	json_t *received = x_part(vector, vector->input, "received"), *value;
	const char *number;
	void *next;
	json_object_foreach_safe(received, next, number, value)
	{
		struct bytes fragment = v_hex(vector, number, value);
		lw_fragment_add(decoder, (uint16_t)strtoul(number, NULL, 10), fragment.at, fragment.length);
		json_object_del(received, number);
	}
}

static void fec_decode(struct vector *vector)
{
	static uint8_t block[WORK_MAX], work[WORK_MAX];
	struct lw_fragment_shape shape = {.version = (uint8_t)v_uint(vector, "version"),
					  .nb_frag = (uint16_t)v_uint(vector, "nb_frag"),
					  .frag_size = (uint8_t)v_uint(vector, "fragment_size")};
	struct lw_fragment_decoder decoder;
	enum lw_fragment_verdict verdict = lw_fragment_decoder_init(&decoder, &shape, shape.nb_frag, block,
								    work, sizeof work);
	if (verdict != LW_FRAGMENT_NEW) {
		v_fail(vector, "input", "a session", lw_fragment_verdict_name(verdict));
		return;
	}
	add_received(vector, &decoder);
	if (json_is_null(json_object_get(vector->expect, "data")))
		x_null(vector, vector->expect, "data", !lw_fragment_finish(&decoder));
	else
		x_bytes(vector, vector->expect, "data", block,
			lw_fragment_finish(&decoder) ? (size_t)shape.nb_frag * shape.frag_size : 0);
}

static struct lw_key check_key(struct vector *vector)
{
	struct lw_key key = v_key(vector, "app_key_or_gen_app_key");
	return x_key(vector, vector->expect, "data_block_int_key", lw_key_data_block_int(vector->aes, &key));
}

static void data_block_int_key(struct vector *vector)
{
	check_key(vector);
}

static void data_block_mic(struct vector *vector)
{
	struct lw_key key = check_key(vector);
	struct bytes descriptor = v_bytes(vector, "descriptor"), data = v_bytes(vector, "data");
	uint16_t session_cnt = (uint16_t)v_uint(vector, "session_cnt");
	struct lw_mic mic = lw_data_block_mic(vector->aes, &key, session_cnt,
					      (uint8_t)v_uint(vector, "frag_index"), descriptor.at, data.at,
					      (uint32_t)data.length);
	x_bytes(vector, vector->expect, "mic", mic.bytes, sizeof mic.bytes);
}

const struct vector_kind vectors_fragments[] = {
	{"parity_row", parity_row},
	{"fragmentation_fec_encode", fec_encode},
	{"fragmentation_fec_reject", fec_reject},
	{"fragmentation_fec_decode", fec_decode},
	{"data_block_int_key", data_block_int_key},
	{"data_block_mic", data_block_mic},
	{NULL, NULL},
};
