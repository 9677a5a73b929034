#include "network-server/foreign.h"

#include "common/base/check.h"

struct join_eui_row {
	struct lw_eui64 join_eui;
	uint32_t devices;
};

struct net_id_row {
	uint32_t id; /* type << 24 | NwkID */
	uint32_t padding;
	uint64_t count;
};

struct released_row {
	uint32_t dev_addr;
	uint16_t day;
};

void ns_foreign_set_prefixes(struct ns_foreign *foreign, const struct lw_dev_addr_prefix *prefixes,
			     uint8_t count)
{
	ASSERT_CMP(count, <=, NS_PREFIXES_MAX);
	memcpy(foreign->prefixes, prefixes, count * sizeof *prefixes);
	foreign->prefix_count = count;
}

void ns_foreign_init(struct ns_foreign *foreign, const struct lw_dev_addr_prefix *prefixes, uint8_t count,
		     uint32_t released, struct rng *rng)
{
	*foreign = (struct ns_foreign){0};
	ns_foreign_set_prefixes(foreign, prefixes, count);
	table_init(&foreign->join_euis, NS_JOIN_EUIS_MAX, sizeof(struct join_eui_row),
		   sizeof(struct lw_eui64), rng);
	table_init(&foreign->net_ids, NS_NET_IDS_MAX, sizeof(struct net_id_row), sizeof(uint32_t), rng);
	table_init(&foreign->released, released, sizeof(struct released_row), sizeof(uint32_t), rng);
}

void ns_foreign_release(struct ns_foreign *foreign)
{
	table_release(&foreign->join_euis);
	table_release(&foreign->net_ids);
	table_release(&foreign->released);
	*foreign = (struct ns_foreign){0};
}

void ns_foreign_allow_join_euis(struct ns_foreign *foreign, const struct lw_eui_prefix *prefixes,
				uint8_t count)
{
	ASSERT_CMP(count, <=, NS_PREFIXES_MAX);
	memcpy(foreign->eui_prefixes, prefixes, count * sizeof *prefixes);
	foreign->eui_prefix_count = count;
}

bool ns_foreign_is_our_addr(const struct ns_foreign *foreign, struct lw_dev_addr dev_addr)
{
	for (uint8_t i = 0; i < foreign->prefix_count; i++)
		if (lw_dev_addr_in(dev_addr, foreign->prefixes[i]))
			return true;
	return false;
}

bool ns_foreign_is_our_join_eui(const struct ns_foreign *foreign, const struct lw_eui64 *join_eui)
{
	for (uint8_t i = 0; i < foreign->eui_prefix_count; i++)
		if (lw_eui_prefix_has(&foreign->eui_prefixes[i], join_eui))
			return true;
	return table_get(&foreign->join_euis, join_eui) != NULL;
}

void ns_foreign_count(struct ns_foreign *foreign, struct lw_dev_addr dev_addr)
{
	unsigned type;
	uint32_t nwk_id, nwk_addr;
	bool made;
	if (lw_dev_addr_split(dev_addr, &type, &nwk_id, &nwk_addr)) {
		uint32_t id = (uint32_t)type << 24 | nwk_id;
		struct net_id_row *row = table_put(&foreign->net_ids, &id, &made);
		if (row) {
			row->count++;
			return;
		}
	}
	foreign->other++;
}

bool ns_foreign_add_join_eui(struct ns_foreign *foreign, const struct lw_eui64 *join_eui)
{
	bool made;
	struct join_eui_row *row = table_put(&foreign->join_euis, join_eui, &made);
	if (!row)
		return false;
	row->devices++;
	return true;
}

void ns_foreign_remove_join_eui(struct ns_foreign *foreign, const struct lw_eui64 *join_eui)
{
	struct join_eui_row *row = table_get(&foreign->join_euis, join_eui);
	if (row && --row->devices == 0)
		table_remove(&foreign->join_euis, join_eui);
}

uint16_t ns_day(struct wall time)
{
	return (uint16_t)(time.us / (INT64_C(86400) * US_PER_S));
}

static void make_room(struct ns_foreign *foreign)
{
	const struct released_row *oldest = NULL, *row;
	size_t at = 0;
	for (unsigned i = 0; i < 64 && (row = table_next(&foreign->released, &at)); i++)
		if (!oldest || row->day < oldest->day)
			oldest = row;
	if (oldest) {
		uint32_t dev_addr = oldest->dev_addr;
		table_remove(&foreign->released, &dev_addr);
	}
}

void ns_foreign_released(struct ns_foreign *foreign, struct lw_dev_addr dev_addr, uint16_t day)
{
	bool made;
	if (foreign->released.count == foreign->released.limit)
		make_room(foreign);
	struct released_row *row = table_put(&foreign->released, &dev_addr.value, &made);
	if (row)
		row->day = day;
}

bool ns_foreign_draw(const struct ns_foreign *foreign, struct rng *rng, uint16_t today,
		     bool (*taken)(const void *ctx, struct lw_dev_addr dev_addr), const void *ctx,
		     struct lw_dev_addr *dev_addr)
{
	for (unsigned tries = 0; tries < 64 && foreign->prefix_count > 0; tries++) {
		struct lw_dev_addr_prefix prefix = foreign->prefixes[rng_below(rng, foreign->prefix_count)];
		uint32_t mask = prefix.bits == 0 ? 0 : UINT32_MAX << (32 - prefix.bits);
		struct lw_dev_addr drawn = {prefix.value | (rng_u32(rng) & ~mask)};
		const struct released_row *row = table_get(&foreign->released, &drawn.value);
		if ((row && (uint16_t)(today - row->day) < NS_REUSE_DAYS) || taken(ctx, drawn))
			continue;
		*dev_addr = drawn;
		return true;
	}
	return false;
}
