/* Channel masks, and the LinkADRReq blocks that carry them.
 *
 * The shortest block is found by trying: every way of starting (state each bank; one ChMaskCntl that sets all channels at
 * once; trust what the device has) is completed by the banks that then still differ, and the shortest one wins, the
 * earlier in that order at equal length. */
#include "common/lorawan/channel_plan.h"

#include "common/base/check.h"

#define FIRST_500KHZ 64
#define BANKS_OF_8   8

const char *lw_mask_verdict_name(enum lw_mask_verdict verdict)
{
	static const char *const names[] = {"applied", "ch_mask_cntl_rfu", "undefined_channel",
					    "nothing_enabled"};
	return (size_t)verdict < ARRAY_SIZE(names) ? names[verdict] : "unknown";
}

bool lw_mask_get(const struct lw_channel_mask *mask, uint8_t channel)
{
	ASSERT_CMP(channel, <, LW_UPLINK_CHANNELS_MAX);
	return mask->words[channel / 16] >> (channel % 16) & 1;
}

void lw_mask_set(struct lw_channel_mask *mask, uint8_t channel, bool on)
{
	ASSERT_CMP(channel, <, LW_UPLINK_CHANNELS_MAX);
	uint16_t bit = (uint16_t)(1U << (channel % 16));
	if (on)
		mask->words[channel / 16] |= bit;
	else
		mask->words[channel / 16] &= (uint16_t)~bit;
}

static void set_range(struct lw_channel_mask *mask, unsigned first, unsigned count, bool on)
{
	for (unsigned i = first; i < first + count; i++)
		lw_mask_set(mask, (uint8_t)i, on);
}

unsigned lw_mask_count(const struct lw_channel_mask *mask)
{
	unsigned count = 0;
	for (uint8_t i = 0; i < LW_UPLINK_CHANNELS_MAX; i++)
		count += lw_mask_get(mask, i);
	return count;
}

bool lw_mask_equal(const struct lw_channel_mask *a, const struct lw_channel_mask *b)
{
	for (size_t i = 0; i < LW_MASK_WORDS; i++)
		if (a->words[i] != b->words[i])
			return false;
	return true;
}

/* Reads one or two digits. */
static bool parse_index(const char **text, unsigned *index)
{
	unsigned value = 0, digits = 0;
	for (; **text >= '0' && **text <= '9'; (*text)++, digits++)
		value = value > 999 ? value : value * 10 + (unsigned)(**text - '0');
	*index = value;
	return digits > 0 && value < LW_UPLINK_CHANNELS_MAX;
}

bool lw_mask_parse(const char *text, struct lw_channel_mask *mask)
{
	struct lw_channel_mask parsed = {0};
	for (;;) {
		unsigned first, last;
		if (!parse_index(&text, &first))
			return false;
		last = first;
		if (*text == '-') {
			text++;
			if (!parse_index(&text, &last) || last < first)
				return false;
		}
		set_range(&parsed, first, last - first + 1, true);
		if (*text == '\0')
			break;
		if (*text++ != ',')
			return false;
	}
	*mask = parsed;
	return true;
}

/* --- applying --- */

static bool is_defined(const struct lw_channel_plan *plan, const struct lw_region *region, uint8_t index)
{
	struct lw_channel channel;
	return lw_plan_channel(plan, region, index, &channel);
}

static void apply_bits(struct lw_channel_mask *mask, unsigned first, unsigned count, uint16_t bits)
{
	for (unsigned i = 0; i < count; i++)
		lw_mask_set(mask, (uint8_t)(first + i), bits >> i & 1);
}

/* Makes the change of one command to `mask`. False when its ChMaskCntl is RFU, or bits without a channel are set. */
static bool apply_command(struct lw_channel_mask *mask, const struct lw_channel_plan *plan,
			  const struct lw_region *region, const struct lw_mask_command *command)
{
	if (command->cntl >= LW_CH_MASK_CNTLS)
		return false;
	const struct lw_mask_cntl *cntl = &region->mask_cntls[command->cntl];
	unsigned first = cntl->first_channel, count = cntl->channel_count;
	switch (cntl->action) {
	case LW_MASK_RFU: return false;
	case LW_MASK_16:
		if (count < 16 && command->mask >> count != 0)
			return false;
		apply_bits(mask, first, count, command->mask);
		return true;
	case LW_MASK_ALL_DEFINED_ON:
		for (unsigned i = 0; i < count; i++)
			lw_mask_set(mask, (uint8_t)i, is_defined(plan, region, (uint8_t)i));
		return true;
	case LW_MASK_ALL_ON:
	case LW_MASK_ALL_OFF: set_range(mask, first, count, cntl->action == LW_MASK_ALL_ON); return true;
	case LW_MASK_125_ON_MASK_500:
	case LW_MASK_125_OFF_MASK_500:
		if (command->mask >> BANKS_OF_8 != 0)
			return false;
		set_range(mask, 0, FIRST_500KHZ, cntl->action == LW_MASK_125_ON_MASK_500);
		apply_bits(mask, FIRST_500KHZ, BANKS_OF_8, command->mask);
		return true;
	case LW_MASK_BANKS:
		if (command->mask >> BANKS_OF_8 != 0)
			return false;
		for (unsigned bank = 0; bank < BANKS_OF_8; bank++)
			set_range(mask, 8 * bank, 8, command->mask >> bank & 1);
		apply_bits(mask, FIRST_500KHZ, BANKS_OF_8, command->mask);
		return true;
	}
	return false;
}

enum lw_mask_verdict lw_plan_apply_masks(struct lw_channel_plan *plan, const struct lw_region *region,
					 const struct lw_mask_command *commands, size_t count)
{
	struct lw_channel_mask mask = plan->enabled;
	for (size_t i = 0; i < count; i++)
		if (!apply_command(&mask, plan, region, &commands[i]))
			return LW_MASK_CNTL_RFU;
	for (uint8_t i = 0; i < LW_UPLINK_CHANNELS_MAX; i++)
		if (lw_mask_get(&mask, i) && !is_defined(plan, region, i))
			return LW_MASK_UNDEFINED_CHANNEL;
	if (lw_mask_count(&mask) == 0)
		return LW_MASK_NOTHING_ENABLED;
	plan->enabled = mask;
	return LW_MASK_APPLIED;
}

/* --- finding the shortest block --- */

struct block {
	struct lw_mask_command commands[LW_MASK_COMMANDS_MAX];
	size_t count;
};

static uint16_t bits_of(const struct lw_channel_mask *mask, unsigned first, unsigned count)
{
	unsigned bits = 0;
	for (unsigned i = 0; i < count; i++)
		bits |= (unsigned)lw_mask_get(mask, (uint8_t)(first + i)) << i;
	return (uint16_t)bits;
}

static void add(struct block *block, uint8_t cntl, uint16_t mask)
{
	ASSERT_CMP(block->count, <, LW_MASK_COMMANDS_MAX);
	block->commands[block->count++] = (struct lw_mask_command){cntl, mask};
}

/* Adds the banks of 16 where `from` differs from `target`; all of them when `from` is NULL. */
static void add_banks(struct block *block, const struct lw_region *region, const struct lw_channel_mask *from,
		      const struct lw_channel_mask *target)
{
	for (uint8_t cntl = 0; cntl < LW_CH_MASK_CNTLS; cntl++) {
		const struct lw_mask_cntl *row = &region->mask_cntls[cntl];
		if (row->action != LW_MASK_16)
			continue;
		uint16_t bits = bits_of(target, row->first_channel, row->channel_count);
		if (!from || bits != bits_of(from, row->first_channel, row->channel_count))
			add(block, cntl, bits);
	}
}

/* One command that sets all channels without looking at what was, then the banks that are still wrong. */
static bool start_with(struct block *block, const struct lw_channel_plan *device,
		       const struct lw_region *region, uint8_t cntl, const struct lw_channel_mask *target)
{
	uint16_t bits = 0;
	switch (region->mask_cntls[cntl].action) {
	case LW_MASK_125_ON_MASK_500:
	case LW_MASK_125_OFF_MASK_500: bits = bits_of(target, FIRST_500KHZ, BANKS_OF_8); break;
	case LW_MASK_ALL_DEFINED_ON:
	case LW_MASK_ALL_ON:
	case LW_MASK_ALL_OFF: break;
	case LW_MASK_RFU:
	case LW_MASK_16:
	case LW_MASK_BANKS: return false;
	}
	struct lw_channel_mask after = {0};
	add(block, cntl, bits);
	if (!apply_command(&after, device, region, &block->commands[0]))
		return false;
	add_banks(block, region, &after, target);
	return true;
}

static void keep_shorter(struct block *best, const struct block *block)
{
	if (best->count == 0 || block->count < best->count)
		*best = *block;
}

size_t lw_plan_mask_commands(const struct lw_channel_plan *device, const struct lw_channel_plan *wanted,
			     const struct lw_region *region,
			     struct lw_mask_command commands[LW_MASK_COMMANDS_MAX])
{
	const struct lw_channel_plan *known = device ? device : wanted;
	struct lw_channel_mask target = {0};
	for (uint8_t i = 0; i < region->max_uplink_channels; i++)
		lw_mask_set(&target, i, lw_mask_get(&wanted->enabled, i) && is_defined(known, region, i));
	struct block best = {0};
	add_banks(&best, region, NULL, &target);
	for (uint8_t cntl = 0; cntl < LW_CH_MASK_CNTLS; cntl++) {
		struct block block = {0};
		if (start_with(&block, known, region, cntl, &target))
			keep_shorter(&best, &block);
	}
	if (device) {
		struct block block = {0};
		add_banks(&block, region, &device->enabled, &target);
		/* Nothing to change: one bank is said again, since a LinkADRReq always carries a mask. */
		for (uint8_t cntl = 0; cntl < LW_CH_MASK_CNTLS && block.count == 0; cntl++) {
			const struct lw_mask_cntl *row = &region->mask_cntls[cntl];
			uint16_t bits = bits_of(&target, row->first_channel,
						row->channel_count < 16 ? row->channel_count : 16);
			if (row->action == LW_MASK_16 && bits != 0)
				add(&block, cntl, bits);
		}
		if (block.count > 0)
			keep_shorter(&best, &block);
	}
	for (size_t i = 0; i < best.count; i++)
		commands[i] = best.commands[i];
	return best.count;
}
