#include "gateway-bridge/contexts.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

void gb_contexts_clear(struct gb_contexts *contexts)
{
	free(contexts->slots);
	*contexts = (struct gb_contexts){.slots = NULL};
}

struct gw_ticks gb_contexts_make_ticks(struct gb_contexts *contexts, struct mono now)
{
	uint32_t ticks = (uint32_t)now.us;
	int32_t ahead = (int32_t)(contexts->made - ticks);
	if (contexts->count > 0 && ahead >= 0 && ahead < GB_CONTEXTS_MAX)
		ticks = contexts->made + 1;
	contexts->made = ticks;
	return (struct gw_ticks){ticks};
}

/* Slots stand in order of their age behind `newest`: another place takes the newest `kept` of them, the oldest first. */
static void move_to(struct gb_contexts *contexts, size_t room, size_t kept)
{
	ASSERT_CMP(kept, <=, room);
	struct gb_context_slot *slots = calloc(room, sizeof *slots);
	ASSERT(slots != NULL);
	ASSERT(contexts->count == 0 || contexts->slots != NULL);
	for (size_t i = 0; i < kept; i++)
		slots[i] =
			contexts->slots[(contexts->newest + 1 + contexts->room - kept + i) % contexts->room];
	free(contexts->slots);
	contexts->slots = slots;
	contexts->room = room;
	contexts->count = kept;
	contexts->newest = kept ? kept - 1 : room - 1;
}

/* Whether all that may still be answered are among the newest quarter. */
static bool is_roomy(const struct gb_contexts *contexts, struct mono now)
{
	size_t quarter = contexts->room / 4;
	return contexts->room > GB_CONTEXTS_FIRST && contexts->count > quarter &&
	       mono_since(
		       now,
		       contexts->slots[(contexts->newest + contexts->room - quarter) % contexts->room].at) >=
		       GB_CONTEXT_LIFE_US;
}

void gb_contexts_put(struct gb_contexts *contexts, struct mono now, struct gw_ticks ticks,
		     const struct gb_chirpstack_context *context)
{
	if (contexts->count == contexts->room && contexts->room < GB_CONTEXTS_MAX) {
		const struct gb_context_slot *oldest =
			contexts->room ? &contexts->slots[(contexts->newest + 1) % contexts->room] : NULL;
		if (!oldest || mono_since(now, oldest->at) < GB_CONTEXT_LIFE_US)
			move_to(contexts, contexts->room ? 2 * contexts->room : GB_CONTEXTS_FIRST,
				contexts->count);
	} else if (contexts->count > 0 && is_roomy(contexts, now)) {
		move_to(contexts, contexts->room / 2, contexts->room / 4);
	}
	ASSERT(contexts->slots != NULL && contexts->room > 0);
	contexts->newest = (contexts->newest + 1) % contexts->room;
	contexts->slots[contexts->newest] = (struct gb_context_slot){now, ticks, *context};
	contexts->count += contexts->count < contexts->room;
}

const struct gb_chirpstack_context *gb_contexts_find(const struct gb_contexts *contexts, struct mono now,
						     struct gw_ticks ticks, span_us *delay_us)
{
	for (size_t i = 0; i < contexts->count; i++) {
		const struct gb_context_slot *slot =
			&contexts->slots[(contexts->newest + contexts->room - i) % contexts->room];
		span_us behind = gw_ticks_since(ticks, slot->ticks);
		if (mono_since(now, slot->at) >= GB_CONTEXT_LIFE_US)
			return NULL;
		if (behind < US_PER_S || behind > GB_CONTEXT_SECONDS * US_PER_S || behind % US_PER_S != 0)
			continue;
		*delay_us = behind;
		return &slot->context;
	}
	return NULL;
}
