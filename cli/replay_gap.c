#include "cli/replay_gap.h"

#include "cli/capture_body.h"

#include <string.h>

struct device {
	uint64_t name;  /* the key: DevAddr, or a join-request's DevEUI */
	uint64_t frame; /* a hash of the last */
	struct mono sent;
};

/* FNV-1a: it only has to tell one frame of a device from the next. */
static uint64_t hash_of(const uint8_t *bytes, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* False: a frame that names no device. */
static bool name_of(const uint8_t *phy, size_t length, uint64_t *name)
{
	enum { JOIN_REQUEST = 0, FIRST_DATA = 2, LAST_DATA = 5 };
	struct rd rd = rd_init(phy, length);
	unsigned type = rd_u8(&rd) >> 5;
	if (type == JOIN_REQUEST) {
		rd_take(&rd, 8);
		*name = rd_u64le(&rd);
	} else {
		*name = rd_u32le(&rd);
	}
	return rd_ok(&rd) && (type == JOIN_REQUEST || (type >= FIRST_DATA && type <= LAST_DATA));
}

void replay_gap_init(struct replay_gap *gap, span_us length)
{
	struct rng rng = rng_seeded((uint64_t)length);
	*gap = (struct replay_gap){.gap = length};
	table_init(&gap->devices, REPLAY_DEVICES_MAX, sizeof(struct device), sizeof(uint64_t), &rng);
}

void replay_gap_release(struct replay_gap *gap)
{
	table_release(&gap->devices);
}

static void ask(void *ctx, const uint8_t *phy, size_t length)
{
	struct replay_gap *gap = ctx;
	uint64_t name;
	const struct device *device = name_of(phy, length, &name) ? table_get(&gap->devices, &name) : NULL;
	if (!device || device->frame == hash_of(phy, length))
		return;
	struct mono allowed = mono_add(device->sent, gap->gap);
	if (allowed.us > gap->allowed.us)
		gap->allowed = allowed;
}

struct mono replay_gap_allows(struct replay_gap *gap, const struct capture_item *item)
{
	gap->allowed = (struct mono){0};
	if (gap->gap > 0)
		(void)capture_each_frame(item, ask, gap);
	return gap->allowed;
}

static void remember(void *ctx, const uint8_t *phy, size_t length)
{
	struct replay_gap *gap = ctx;
	uint64_t name;
	bool made;
	if (!name_of(phy, length, &name))
		return;
	struct device *device = table_put(&gap->devices, &name, &made);
	if (!device) { /* full: whoever was last seen long ago may as well be forgotten with the others */
		table_clear(&gap->devices);
		device = table_put(&gap->devices, &name, &made);
	}
	device->frame = hash_of(phy, length);
	device->sent = gap->now;
}

void replay_gap_sent(struct replay_gap *gap, const struct capture_item *item, struct mono now)
{
	gap->now = now;
	if (gap->gap > 0)
		(void)capture_each_frame(item, remember, gap);
}
