/* What is kept of one gateway beside its row: the way down to it, and its counter. */
#include "gateway-bridge/gateways.h"

#include <string.h>

bool gb_eui_is_shared(const struct lw_eui64 *eui)
{
	uint64_t number = lw_eui64_number(eui);
	return number == 0 || number == UINT64_MAX || number == UINT64_C(0xaa555a0000000000);
}

bool gb_gateway_moved(struct gb_gateway *gateway, struct mono now)
{
	gateway->moved[gateway->moves++ % GB_FLAP_MOVES] = now;
	struct mono oldest = gateway->moved[gateway->moves % GB_FLAP_MOVES];
	return gateway->moves >= GB_FLAP_MOVES && mono_since(now, oldest) <= GB_FLAP_US;
}

struct gb_pull gb_gateway_pulled(struct gb_gateway *gateway, struct mono now, const struct gb_peer *from)
{
	struct gb_pull pull = {.first = gb_gateway_path(gateway, now) == NULL};
	/* A path that has run out still tells where the gateway was. */
	pull.moved = gateway->path.address.family != 0 &&
		     !gb_address_same_host(&gateway->path.address, &from->address);
	if (pull.moved) {
		pull.was = gateway->path.address;
		bool flaps = gb_gateway_moved(gateway, now);
		pull.began_to_flap = flaps && !gateway->flapping;
		pull.settled = !flaps && gateway->flapping;
		gateway->flapping = flaps;
	} else if (gateway->flapping &&
		   mono_since(now, gateway->moved[(gateway->moves - 1) % GB_FLAP_MOVES]) > GB_FLAP_US) {
		gateway->flapping = false;
		pull.settled = true;
	}
	gateway->has_path = true;
	gateway->path = *from;
	gateway->pulled = now;
	return pull;
}

const struct gb_peer *gb_gateway_path(const struct gb_gateway *gateway, struct mono now)
{
	if (!gateway->known || !gateway->has_path || mono_since(now, gateway->pulled) >= GB_PATH_US)
		return NULL;
	return &gateway->path;
}

enum gb_ticks_verdict gb_gateway_ticks(struct gb_gateway *gateway, struct mono now, struct gw_ticks ticks)
{
	enum gb_ticks_verdict verdict = GB_TICKS_FIRST;
	if (gateway->has_ticks) {
		span_us passed = mono_since(now, gateway->ticks_at);
		span_us off = gw_ticks_since(ticks, gw_ticks_add(gateway->ticks, passed));
		/* A counter that began again has run since the last frame at most. A few seconds behind it may as well be
		 * a frame that was long on its way, but that one comes from the port that frames came from before. */
		bool began_again = ticks.us <= passed + 2 * US_PER_S;
		bool moved = memcmp(&gateway->ticks_from, &gateway->from, sizeof gateway->from) != 0;
		gateway->ticks_off = off;
		verdict = GB_TICKS_STEADY;
		if (off > GB_TICKS_ODD_US || off < -GB_TICKS_ODD_US ||
		    (off < -GB_TICKS_BEHIND_US && began_again && moved)) {
			verdict = began_again ? GB_TICKS_RESTARTED : GB_TICKS_ODD;
			gateway->restarts += began_again;
		}
	}
	gateway->has_ticks = true;
	gateway->ticks = ticks;
	gateway->ticks_at = now;
	gateway->ticks_from = gateway->from;
	return verdict;
}

struct mono gb_gateway_time(const struct gb_gateway *gateway, struct mono now, struct gw_ticks ticks)
{
	if (!gateway->has_ticks)
		return now;
	return mono_add(gateway->ticks_at, gw_ticks_since(ticks, gateway->ticks));
}
