/* The code of fragmented data blocks (TS004, fragmentation algorithm 0): a block of M fragments of equal size is sent as
 * they are (N = 1 .. M), then as sums (XOR) of about M/2 of them (N = M + 1 ...), drawn by a generator that both sides have
 * (a PRBS of 23 bits, seeded by the number of the coded fragment). Whoever got any M independent fragments has the block.
 *
 * The two versions draw differently and do not understand each other: version 1 draws floor(M/2) times and lets repeats
 * collapse, version 2 draws until it has floor(M/2) distinct fragments.
 *
 * Encoding needs no memory. Decoding works in memory that the caller gives: `block` (M x size, which becomes the block) and
 * a work area of lw_fragment_work_size() bytes, which depends on how many equations it shall be able to keep, that is on how
 * many lost fragments it can make good. Fragments come in any order, coded before uncoded too.
 *
 *	struct lw_fragment_decoder decoder;
 *	if (lw_fragment_decoder_init(&decoder, &shape, equations, block, work, work_size) != LW_FRAGMENT_NEW)
 *		...
 *	while (lw_fragment_missing(&decoder) > 0)
 *		lw_fragment_add(&decoder, n, data, length);
 *	lw_fragment_finish(&decoder);     the block is whole
 */
#ifndef LAMPPOST_LORAWAN_PACKAGES_FRAGMENT_CODE_H
#define LAMPPOST_LORAWAN_PACKAGES_FRAGMENT_CODE_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LW_FRAGMENTS_MAX 16383                        /* N has 14 bits */
#define LW_PARITY_ROW    ((LW_FRAGMENTS_MAX + 7) / 8) /* bytes */

/* What both sides agree on in FragSessionSetupReq. */
struct lw_fragment_shape {
	uint8_t version;   /* 1 or 2, of TS004 */
	uint16_t nb_frag;  /* M: 1..16383 */
	uint8_t frag_size; /* 1..255 */
};

/* Which uncoded fragments a coded one is the sum of: bit i % 8 of byte i / 8 is fragment i + 1. */
struct lw_parity_row {
	uint8_t bits[LW_PARITY_ROW];
};

enum lw_fragment_verdict {
	LW_FRAGMENT_NEW = 0,             /* taken: it brought something */
	LW_FRAGMENT_REDUNDANT,           /* said nothing that was not known */
	LW_FRAGMENT_BAD_SHAPE,           /* no such version, number or size */
	LW_FRAGMENT_LENGTH_NOT_MULTIPLE, /* the block is no whole number of fragments: pad it first */
	LW_FRAGMENT_BAD_NUMBER,          /* N is 0 or above 16383 */
	LW_FRAGMENT_BAD_LENGTH,          /* not of the session's size */
	LW_FRAGMENT_NO_MEMORY,           /* the work area is too small, or full: this equation was not kept */
	LW_FRAGMENT_CONTRADICTS, /* cannot be true together with what came before: one of them was damaged */
	LW_FRAGMENT_VERDICT_COUNT
};

/* "new", "redundant", "bad_shape", "length_not_multiple", "bad_number", "bad_length", "no_memory", "contradicts". */
const char *lw_fragment_verdict_name(enum lw_fragment_verdict verdict);

/* Fills the row of the n-th coded fragment (n from 1) of a block of `nb_frag`. */
void lw_parity_row(uint8_t version, uint16_t n, uint16_t nb_frag, struct lw_parity_row *row);
/* Whether fragment `index` (from 0) is in it. */
bool lw_parity_row_has(const struct lw_parity_row *row, uint16_t index);

/* Fills the shape of a block: `length` bytes in fragments of `frag_size`. */
MUST_USE enum lw_fragment_verdict lw_fragment_shape_of(uint8_t version, size_t length, uint8_t frag_size,
						       struct lw_fragment_shape *shape);
/* Writes fragment `n` (from 1; above nb_frag coded) of the block into `out`, `frag_size` bytes. `block` has nb_frag x
 * frag_size bytes. */
MUST_USE enum lw_fragment_verdict lw_fragment_encode(const struct lw_fragment_shape *shape,
						     const uint8_t *block, uint16_t n, uint8_t *out);

/* Members are the decoder's own. It keeps borrows of `block` and `work` until it is used no more. */
struct lw_fragment_decoder {
	struct lw_fragment_shape shape;
	uint16_t equations_max;
	uint16_t equations; /* kept: each makes one lost fragment good */
	uint16_t known;     /* uncoded fragments that are in the block */
	uint16_t received;  /* fragments given, repeats not counted apart; stops at 16383 */
	bool memory_was_full;
	bool finished;
	uint8_t *block;
	uint8_t *known_bits; /* nb_frag bits */
	uint8_t *slot_of;    /* two bytes a fragment: 1 + slot of the equation that begins with it, 0: none */
	uint8_t *slots;      /* equations_max x (pivot, bits, data) */
};

/* Bytes of work area for keeping `equations` equations; more than nb_frag are of no use. 0 for a bad shape. */
size_t lw_fragment_work_size(const struct lw_fragment_shape *shape, uint16_t equations);
/* Starts a session. Gives LW_FRAGMENT_NEW, or a refusal: bad shape, or a work area smaller than lw_fragment_work_size(). */
MUST_USE enum lw_fragment_verdict lw_fragment_decoder_init(struct lw_fragment_decoder *decoder,
							   const struct lw_fragment_shape *shape,
							   uint16_t equations, uint8_t *block, uint8_t *work,
							   size_t work_size);
/* Takes fragment `n`. Whatever it says, the decoder goes on: a fragment for which there was no memory is lost, no more. */
enum lw_fragment_verdict lw_fragment_add(struct lw_fragment_decoder *decoder, uint16_t n, const uint8_t *data,
					 size_t length);
/* Returns how many independent fragments are needed yet (MissingFrag of FragSessionStatusAns); 0: the block can be had. */
uint16_t lw_fragment_missing(const struct lw_fragment_decoder *decoder);
/* Solves what is missing: the block is whole when this says true; false while lw_fragment_missing() is above 0. */
bool lw_fragment_finish(struct lw_fragment_decoder *decoder);

#endif
