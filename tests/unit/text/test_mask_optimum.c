/* A LinkADRReq block for a mask is the shortest there is, in every region of banks, and 500 kHz channels are in it.
 *
 * The optimum is found without the server's code: a search over all orders of commands. What counts of a bank is only where
 * its bits come from (the device's, all on, all off, the wanted ones), so that the states are few: 4^banks. The tables are
 * RP002-1.0.4 (ChMaskCntl: 2.5.5 us915, 2.8.5 au915, 2.9.5 cn470), written here by hand. ChMaskCntl 5 of the 72 channel
 * plans is not among the moves: the server never sends it, since devices disagree about it. */
#include "common/base/rng.h"
#include "common/lorawan/channel_plan.h"
#include "common/text/region_yaml.h"
#include "tests/harness/harness.h"

#include <string.h>

#define BANKS_MAX  6
#define STATES     4096 /* 4^6 */
#define MASKS_EACH 4000
#define NO_CNTL    255

struct plan_row {
	const char *name; /* of the region */
	uint8_t banks;
	uint8_t last_bits; /* channels of the last bank */
	uint8_t all_on, all_off;
	bool last_in_mask; /* all on and all off are of the other banks; the mask is the last bank's */
};

static const struct plan_row plans[] = {
	{"us915", 5, 8, 6, 7, true},
	{"au915", 5, 8, 6, 7, true},
	{"cn470-rp001", 6, 16, 6, NO_CNTL, false},
	{"cn470-20a", 4, 16, 6, 7, false},
	{"cn470-20b", 4, 16, 6, 7, false},
	{"cn470-26a", 3, 16, 3, 4, false},
	{"cn470-26b", 3, 16, 3, 4, false},
};

struct banks {
	uint16_t bits[BANKS_MAX];
};

enum source { OF_DEVICE, ALL_ON, ALL_OFF, WANTED };

static uint16_t full(const struct plan_row *plan, unsigned bank)
{
	return bank + 1u == plan->banks && plan->last_bits == 8 ? 0x00ff : 0xffff;
}

static unsigned source_of(unsigned state, unsigned bank)
{
	return state >> (2 * bank) & 3;
}

static unsigned put(unsigned state, unsigned bank, enum source source)
{
	return (state & ~(3u << (2 * bank))) | (unsigned)source << (2 * bank);
}

static bool arrived(const struct plan_row *plan, unsigned state, const struct banks *device,
		    const struct banks *wanted)
{
	for (unsigned bank = 0; bank < plan->banks; bank++) {
		uint16_t bits = 0;
		switch ((enum source)source_of(state, bank)) {
		case OF_DEVICE:
			if (!device)
				return false;
			bits = device->bits[bank];
			break;
		case ALL_ON: bits = full(plan, bank); break;
		case ALL_OFF: bits = 0; break;
		case WANTED: bits = wanted->bits[bank]; break;
		}
		if (bits != wanted->bits[bank])
			return false;
	}
	return true;
}

static unsigned all_to(const struct plan_row *plan, enum source source)
{
	unsigned state = 0;
	for (unsigned bank = 0; bank < plan->banks; bank++)
		state = put(state, bank, plan->last_in_mask && bank + 1u == plan->banks ? WANTED : source);
	return state;
}

/* Fewest commands by breadth: at least one, since a LinkADRReq always carries a mask. */
static unsigned optimum(const struct plan_row *plan, const struct banks *device, const struct banks *wanted)
{
	static uint8_t steps[STATES];
	static uint16_t queue[STATES];
	unsigned first = 0, last = 0;
	memset(steps, 255, sizeof steps);
	steps[0] = 0;
	queue[last++] = 0;
	while (first < last) {
		unsigned state = queue[first++];
		if (steps[state] > 0 && arrived(plan, state, device, wanted))
			return steps[state];
		for (unsigned move = 0; move < plan->banks + 2u; move++) {
			unsigned next;
			if (move < plan->banks)
				next = put(state, move, WANTED);
			else if ((move == plan->banks ? plan->all_on : plan->all_off) == NO_CNTL)
				continue;
			else
				next = all_to(plan, move == plan->banks ? ALL_ON : ALL_OFF);
			if (steps[next] == 255) {
				steps[next] = (uint8_t)(steps[state] + 1);
				queue[last++] = (uint16_t)next;
			}
		}
	}
	return 0;
}

/* What a device does with a command; false: it would refuse it. */
static bool obey(const struct plan_row *plan, struct banks *at, const struct lw_mask_command *command)
{
	if (command->cntl < plan->banks) {
		at->bits[command->cntl] = command->mask;
		return (command->mask & ~full(plan, command->cntl)) == 0;
	}
	if (command->cntl != plan->all_on && command->cntl != plan->all_off)
		return false;
	for (unsigned bank = 0; bank < plan->banks; bank++) {
		bool masked = plan->last_in_mask && bank + 1u == plan->banks;
		at->bits[bank] = masked                          ? command->mask
				 : command->cntl == plan->all_on ? full(plan, bank)
								 : 0;
	}
	return !plan->last_in_mask || command->mask <= 0xff;
}

static struct lw_channel_plan plan_of(const struct lw_region *region, const struct banks *banks)
{
	struct lw_channel_plan plan;
	lw_plan_init(&plan, region);
	memset(&plan.enabled, 0, sizeof plan.enabled);
	memcpy(plan.enabled.words, banks->bits, sizeof banks->bits);
	return plan;
}

/* Masks as cities have them rather than noise: banks alike, whole, empty, halves, and some noise. */
static struct banks draw(const struct plan_row *plan, struct rng *rng, const struct banks *like)
{
	struct banks banks = {{0}};
	unsigned any = 0;
	while (any == 0)
		for (unsigned bank = 0; bank < plan->banks; bank++) {
			switch (rng_below(rng, like ? 6 : 5)) {
			case 0: banks.bits[bank] = full(plan, bank); break;
			case 1: banks.bits[bank] = 0; break;
			case 2: banks.bits[bank] = full(plan, bank) & 0xff00; break;
			case 3: banks.bits[bank] = 0x00ff; break;
			case 4:
				banks.bits[bank] = (uint16_t)(rng_below(rng, 0x10000) & full(plan, bank));
				break;
			default: banks.bits[bank] = like->bits[bank]; break;
			}
			any |= banks.bits[bank];
		}
	return banks;
}

static bool check(const struct plan_row *row, const struct lw_region *region, const struct banks *device,
		  const struct banks *wanted)
{
	struct lw_mask_command commands[LW_MASK_COMMANDS_MAX];
	struct lw_channel_plan from, to = plan_of(region, wanted);
	if (device)
		from = plan_of(region, device);
	size_t count = lw_plan_mask_commands(device ? &from : NULL, &to, region, commands);
	bool good = t_uint("as few as any order of commands", optimum(row, device, wanted), count);
	struct banks at = device ? *device : (struct banks){{0x5a5a, 0xa5a5, 0x5a5a, 0xa5a5, 0x5a, 0xa5}};
	for (size_t i = 0; i < count; i++)
		good &= t_true("a command that devices take", obey(row, &at, &commands[i]));
	for (unsigned bank = 0; bank < row->banks; bank++)
		good &= t_uint("arrives", wanted->bits[bank], at.bits[bank]);
	return good;
}

static void random_masks_take_the_fewest_commands(void **state)
{
	(void)state;
	static struct lw_region region;
	for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
		t_row(plans[i].name);
		if (!t_true("loads", region_load(&region, plans[i].name)))
			continue;
		struct rng rng = rng_seeded(i + 1);
		bool good = true;
		for (unsigned n = 0; n < MASKS_EACH && good; n++) {
			struct banks device = draw(&plans[i], &rng, NULL);
			struct banks wanted = draw(&plans[i], &rng, &device);
			good = check(&plans[i], &region, &device, &wanted) &&
			       check(&plans[i], &region, NULL, &wanted);
		}
	}
}

/* Every way to have some of the eight sub-bands, with their 500 kHz channels, without, and with all of them. */
static void every_set_of_sub_bands_takes_the_fewest(void **state)
{
	(void)state;
	static struct lw_region region;
	for (size_t i = 0; i < 2; i++) {
		t_row(plans[i].name);
		if (!t_true("loads", region_load(&region, plans[i].name)))
			continue;
		const struct banks all = {{0xffff, 0xffff, 0xffff, 0xffff, 0x00ff}};
		bool good = true;
		for (unsigned set = 1; set < 256 && good; set++) {
			for (unsigned wide = 0; wide < 3 && good; wide++) {
				struct banks wanted = {{0}};
				for (unsigned bank = 0; bank < 8; bank++)
					if (set >> bank & 1)
						wanted.bits[bank / 2] |= bank % 2 ? 0xff00 : 0x00ff;
				wanted.bits[4] = (uint16_t)(wide == 0 ? set : wide == 1 ? 0 : 0xff);
				good = check(&plans[i], &region, &all, &wanted) &&
				       check(&plans[i], &region, NULL, &wanted);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(random_masks_take_the_fewest_commands),
		t_test(every_set_of_sub_bands_takes_the_fewest),
	};
	return t_run(tests);
}
