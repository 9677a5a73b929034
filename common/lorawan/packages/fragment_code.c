/* Gaussian elimination, one fragment at a time.
 *
 * A coded fragment is an equation over the uncoded ones: a row of bits, and the XOR of the fragments those bits name. What
 * is kept is in echelon form: an equation is stored under its lowest unknown fragment, its pivot, and no two have the same.
 * A new equation walks from its lowest bit up: a known fragment is taken out of it, under another's pivot that equation is
 * XORed in (which touches only bits at or above it), and the first unknown bit that has no equation becomes its pivot.
 * Nothing left means that it said nothing new.
 *
 *	slot   pivot(2) | bits(ceil(M/8)) | data(size)
 *
 * An uncoded fragment that comes after an equation was stored under it turns that equation into one without it, which
 * starts its walk again. When known fragments and equations are M together, every unknown has its equation, and
 * substituting from the highest pivot down gives the block. */
#include "common/lorawan/packages/fragment_code.h"

#include "common/base/check.h"

#include <string.h>

#define SEED_STEP UINT32_C(1001)
#define PIVOT     2 /* bytes */

const char *lw_fragment_verdict_name(enum lw_fragment_verdict verdict)
{
	static const char *const names[LW_FRAGMENT_VERDICT_COUNT] = {
		[LW_FRAGMENT_NEW] = "new",
		[LW_FRAGMENT_REDUNDANT] = "redundant",
		[LW_FRAGMENT_BAD_SHAPE] = "bad_shape",
		[LW_FRAGMENT_LENGTH_NOT_MULTIPLE] = "length_not_multiple",
		[LW_FRAGMENT_BAD_NUMBER] = "bad_number",
		[LW_FRAGMENT_BAD_LENGTH] = "bad_length",
		[LW_FRAGMENT_NO_MEMORY] = "no_memory",
		[LW_FRAGMENT_CONTRADICTS] = "contradicts",
	};
	return (unsigned)verdict < LW_FRAGMENT_VERDICT_COUNT ? names[verdict] : "unknown";
}

static bool bit_get(const uint8_t *bits, size_t index)
{
	return bits[index / 8] >> index % 8 & 1;
}

static void bit_set(uint8_t *bits, size_t index)
{
	bits[index / 8] |= (uint8_t)(1 << index % 8);
}

static void bit_clear(uint8_t *bits, size_t index)
{
	bits[index / 8] &= (uint8_t) ~(1 << index % 8);
}

static void xor_into(uint8_t *into, const uint8_t *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		into[i] ^= from[i];
}

/* The next state: bits 0 and 5 come in at the top. Added, not set, since a seed may be wider than 23 bits. */
static uint32_t prbs23(uint32_t state)
{
	return (state >> 1) + (((state ^ state >> 5) & 1) << 22);
}

void lw_parity_row(uint8_t version, uint16_t n, uint16_t nb_frag, struct lw_parity_row *row)
{
	ASSERT(n > 0 && nb_frag > 0 && nb_frag <= LW_FRAGMENTS_MAX);
	/* A power of two would give the generator's low bits as they are. */
	uint32_t modulus = nb_frag + ((nb_frag & (nb_frag - 1)) == 0 ? 1u : 0u);
	uint32_t state = 1 + SEED_STEP * n;
	memset(row, 0, sizeof *row);
	for (uint16_t drawn = 0; drawn < nb_frag / 2;) {
		uint32_t index;
		do {
			state = prbs23(state);
			index = state % modulus;
		} while (index >= nb_frag);
		if (version == 1 || !bit_get(row->bits, index))
			drawn++;
		bit_set(row->bits, index);
	}
}

bool lw_parity_row_has(const struct lw_parity_row *row, uint16_t index)
{
	return index < LW_FRAGMENTS_MAX && bit_get(row->bits, index);
}

static bool shape_ok(const struct lw_fragment_shape *shape)
{
	return (shape->version == 1 || shape->version == 2) && shape->nb_frag > 0 &&
	       shape->nb_frag <= LW_FRAGMENTS_MAX && shape->frag_size > 0;
}

enum lw_fragment_verdict lw_fragment_shape_of(uint8_t version, size_t length, uint8_t frag_size,
					      struct lw_fragment_shape *shape)
{
	if (frag_size == 0)
		return LW_FRAGMENT_BAD_SHAPE;
	if (length % frag_size != 0)
		return LW_FRAGMENT_LENGTH_NOT_MULTIPLE;
	if (length / frag_size > LW_FRAGMENTS_MAX)
		return LW_FRAGMENT_BAD_SHAPE;
	struct lw_fragment_shape of = {version, (uint16_t)(length / frag_size), frag_size};
	if (!shape_ok(&of))
		return LW_FRAGMENT_BAD_SHAPE;
	*shape = of;
	return LW_FRAGMENT_NEW;
}

enum lw_fragment_verdict lw_fragment_encode(const struct lw_fragment_shape *shape, const uint8_t *block,
					    uint16_t n, uint8_t *out)
{
	struct lw_parity_row row;
	size_t size = shape->frag_size;
	if (!shape_ok(shape))
		return LW_FRAGMENT_BAD_SHAPE;
	if (n == 0 || n > LW_FRAGMENTS_MAX)
		return LW_FRAGMENT_BAD_NUMBER;
	if (n <= shape->nb_frag) {
		memcpy(out, block + (n - 1) * size, size);
		return LW_FRAGMENT_NEW;
	}
	lw_parity_row(shape->version, (uint16_t)(n - shape->nb_frag), shape->nb_frag, &row);
	memset(out, 0, size);
	for (size_t i = 0; i < shape->nb_frag; i++) {
		if (bit_get(row.bits, i))
			xor_into(out, block + i * size, size);
	}
	return LW_FRAGMENT_NEW;
}

/* --- decoding --- */

static size_t row_bytes(const struct lw_fragment_shape *shape)
{
	return (shape->nb_frag + 7u) / 8u;
}

static size_t slot_bytes(const struct lw_fragment_shape *shape)
{
	return PIVOT + row_bytes(shape) + shape->frag_size;
}

size_t lw_fragment_work_size(const struct lw_fragment_shape *shape, uint16_t equations)
{
	if (!shape_ok(shape))
		return 0;
	return row_bytes(shape) + 2u * shape->nb_frag + equations * slot_bytes(shape);
}

static uint16_t u16_get(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static void u16_put(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static uint8_t *slot_at(const struct lw_fragment_decoder *decoder, size_t slot)
{
	return decoder->slots + slot * slot_bytes(&decoder->shape);
}

static uint8_t *slot_row(const struct lw_fragment_decoder *decoder, size_t slot)
{
	return slot_at(decoder, slot) + PIVOT;
}

static uint8_t *slot_data(const struct lw_fragment_decoder *decoder, size_t slot)
{
	return slot_row(decoder, slot) + row_bytes(&decoder->shape);
}

/* The slot of the equation under a pivot, −1 if there is none. */
static int slot_find(const struct lw_fragment_decoder *decoder, size_t pivot)
{
	return u16_get(decoder->slot_of + 2 * pivot) - 1;
}

static uint8_t *fragment_at(const struct lw_fragment_decoder *decoder, size_t index)
{
	return decoder->block + index * decoder->shape.frag_size;
}

enum lw_fragment_verdict lw_fragment_decoder_init(struct lw_fragment_decoder *decoder,
						  const struct lw_fragment_shape *shape, uint16_t equations,
						  uint8_t *block, uint8_t *work, size_t work_size)
{
	if (!shape_ok(shape))
		return LW_FRAGMENT_BAD_SHAPE;
	if (work_size < lw_fragment_work_size(shape, equations))
		return LW_FRAGMENT_NO_MEMORY;
	*decoder = (struct lw_fragment_decoder){
		.shape = *shape,
		.equations_max = equations,
		.block = block,
		.known_bits = work,
		.slot_of = work + row_bytes(shape),
		.slots = work + row_bytes(shape) + 2u * shape->nb_frag,
	};
	memset(decoder->known_bits, 0, row_bytes(shape));
	memset(decoder->slot_of, 0, 2u * shape->nb_frag);
	return LW_FRAGMENT_NEW;
}

static bool all_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/* Walks an equation up from `from`; `bits` and `data` are changed. Gives its pivot, or nb_frag when nothing is left. */
static size_t reduce(const struct lw_fragment_decoder *decoder, uint8_t *bits, uint8_t *data, size_t from)
{
	size_t size = decoder->shape.frag_size;
	for (size_t i = from; i < decoder->shape.nb_frag; i++) {
		if (!bit_get(bits, i))
			continue;
		int slot = slot_find(decoder, i);
		if (bit_get(decoder->known_bits, i)) {
			xor_into(data, fragment_at(decoder, i), size);
			bit_clear(bits, i);
		} else if (slot >= 0) {
			xor_into(data, slot_data(decoder, (size_t)slot), size);
			xor_into(bits, slot_row(decoder, (size_t)slot), row_bytes(&decoder->shape));
		} else {
			return i;
		}
	}
	return decoder->shape.nb_frag;
}

static void store(struct lw_fragment_decoder *decoder, size_t slot, size_t pivot, const uint8_t *bits,
		  const uint8_t *data)
{
	u16_put(slot_at(decoder, slot), (uint16_t)pivot);
	memcpy(slot_row(decoder, slot), bits, row_bytes(&decoder->shape));
	memcpy(slot_data(decoder, slot), data, decoder->shape.frag_size);
	u16_put(decoder->slot_of + 2 * pivot, (uint16_t)(slot + 1));
}

/* Takes the equation of a slot away; the last one moves into its place. */
static void drop(struct lw_fragment_decoder *decoder, size_t slot)
{
	size_t last = --decoder->equations;
	u16_put(decoder->slot_of + 2u * u16_get(slot_at(decoder, slot)), 0);
	if (slot == last)
		return;
	memcpy(slot_at(decoder, slot), slot_at(decoder, last), slot_bytes(&decoder->shape));
	u16_put(decoder->slot_of + 2u * u16_get(slot_at(decoder, slot)), (uint16_t)(slot + 1));
}

static enum lw_fragment_verdict add_equation(struct lw_fragment_decoder *decoder, uint8_t *bits,
					     uint8_t *data, size_t from)
{
	size_t pivot = reduce(decoder, bits, data, from);
	if (pivot == decoder->shape.nb_frag)
		return all_zero(data, decoder->shape.frag_size) ? LW_FRAGMENT_REDUNDANT
								: LW_FRAGMENT_CONTRADICTS;
	if (decoder->equations == decoder->equations_max) {
		decoder->memory_was_full = true;
		return LW_FRAGMENT_NO_MEMORY;
	}
	store(decoder, decoder->equations++, pivot, bits, data);
	return LW_FRAGMENT_NEW;
}

static enum lw_fragment_verdict add_uncoded(struct lw_fragment_decoder *decoder, size_t index,
					    const uint8_t *data)
{
	uint8_t *fragment = fragment_at(decoder, index);
	uint8_t rest[UINT8_MAX];
	struct lw_parity_row bits;
	size_t size = decoder->shape.frag_size;
	if (bit_get(decoder->known_bits, index))
		return memcmp(fragment, data, size) == 0 ? LW_FRAGMENT_REDUNDANT : LW_FRAGMENT_CONTRADICTS;
	int slot = slot_find(decoder, index);
	memcpy(fragment, data, size);
	bit_set(decoder->known_bits, index);
	decoder->known++;
	if (slot < 0)
		return LW_FRAGMENT_NEW;
	memcpy(bits.bits, slot_row(decoder, (size_t)slot), row_bytes(&decoder->shape));
	memcpy(rest, slot_data(decoder, (size_t)slot), size);
	drop(decoder, (size_t)slot);
	/* Its slot is free for it: the equation without this fragment may be about others, or about none. */
	enum lw_fragment_verdict verdict = add_equation(decoder, bits.bits, rest, index);
	return verdict == LW_FRAGMENT_REDUNDANT || verdict == LW_FRAGMENT_CONTRADICTS ? verdict
										      : LW_FRAGMENT_NEW;
}

enum lw_fragment_verdict lw_fragment_add(struct lw_fragment_decoder *decoder, uint16_t n, const uint8_t *data,
					 size_t length)
{
	struct lw_parity_row row;
	uint8_t sum[UINT8_MAX];
	if (n == 0 || n > LW_FRAGMENTS_MAX)
		return LW_FRAGMENT_BAD_NUMBER;
	if (length != decoder->shape.frag_size)
		return LW_FRAGMENT_BAD_LENGTH;
	if (decoder->received < LW_FRAGMENTS_MAX)
		decoder->received++;
	if (decoder->finished)
		return LW_FRAGMENT_REDUNDANT;
	if (n <= decoder->shape.nb_frag)
		return add_uncoded(decoder, n - 1u, data);
	lw_parity_row(decoder->shape.version, (uint16_t)(n - decoder->shape.nb_frag), decoder->shape.nb_frag,
		      &row);
	memcpy(sum, data, length);
	return add_equation(decoder, row.bits, sum, 0);
}

uint16_t lw_fragment_missing(const struct lw_fragment_decoder *decoder)
{
	return (uint16_t)(decoder->shape.nb_frag - decoder->known - decoder->equations);
}

bool lw_fragment_finish(struct lw_fragment_decoder *decoder)
{
	if (lw_fragment_missing(decoder) > 0)
		return false;
	for (size_t pivot = decoder->shape.nb_frag; pivot-- > 0;) {
		int slot = slot_find(decoder, pivot);
		if (slot < 0)
			continue;
		uint8_t *bits = slot_row(decoder, (size_t)slot), *data = slot_data(decoder, (size_t)slot);
		bit_clear(bits, pivot);
		/* Everything above the pivot is known or was solved before. */
		ASSERT_CMP(reduce(decoder, bits, data, pivot + 1), ==, decoder->shape.nb_frag);
		memcpy(fragment_at(decoder, pivot), data, decoder->shape.frag_size);
		bit_set(decoder->known_bits, pivot);
		decoder->known++;
		drop(decoder, (size_t)slot);
	}
	decoder->finished = true;
	return true;
}
