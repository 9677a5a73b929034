#include "common/base/decision_euis.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct slot {
	uint8_t eui[8];
	uint32_t subject;
};

struct decision_euis_link {
	uint8_t eui[8];
	uint32_t older, newer;
};

void decision_euis_init(struct decision_euis *euis, uint32_t records, uint32_t subjects, struct rng *rng)
{
	*euis = (struct decision_euis){.subjects = subjects, .oldest = NONE, .newest = NONE};
	decision_ring_init(&euis->ring, records, subjects);
	table_init(&euis->by_eui, subjects, sizeof(struct slot), sizeof euis->links->eui, rng);
	euis->links = calloc(subjects, sizeof *euis->links);
	ASSERT(euis->links);
}

void decision_euis_release(struct decision_euis *euis)
{
	if (!euis->links)
		return;
	decision_ring_release(&euis->ring);
	table_release(&euis->by_eui);
	free(euis->links);
	*euis = (struct decision_euis){.subjects = 0};
}

/* --- the order of their last records */

static void unlink_subject(struct decision_euis *euis, uint32_t subject)
{
	const struct decision_euis_link *link = &euis->links[subject];
	if (link->older != NONE)
		euis->links[link->older].newer = link->newer;
	else
		euis->oldest = link->newer;
	if (link->newer != NONE)
		euis->links[link->newer].older = link->older;
	else
		euis->newest = link->older;
}

static void link_newest(struct decision_euis *euis, uint32_t subject)
{
	euis->links[subject].older = euis->newest;
	euis->links[subject].newer = NONE;
	if (euis->newest != NONE)
		euis->links[euis->newest].newer = subject;
	else
		euis->oldest = subject;
	euis->newest = subject;
}

/* A number for a new EUI: one that was never used, or that of the EUI which was silent for the longest. */
static uint32_t make_room(struct decision_euis *euis)
{
	if (euis->used < euis->subjects)
		return euis->used++;
	uint32_t subject = euis->oldest;
	unlink_subject(euis, subject);
	table_remove(&euis->by_eui, euis->links[subject].eui);
	decision_forget(&euis->ring, subject);
	euis->displaced++;
	return subject;
}

static uint32_t subject_of(struct decision_euis *euis, const uint8_t eui[8])
{
	struct slot *slot = table_get(&euis->by_eui, eui);
	if (slot) {
		uint32_t known = slot->subject;
		unlink_subject(euis, known);
		return known;
	}
	uint32_t subject = make_room(euis);
	bool made;
	slot = table_put(&euis->by_eui, eui, &made);
	ASSERT(slot && made);
	slot->subject = subject;
	memcpy(euis->links[subject].eui, eui, sizeof euis->links[subject].eui);
	return subject;
}

void decision_euis_add(struct decision_euis *euis, struct wall now, const uint8_t eui[8],
		       const struct decision *decision)
{
	uint32_t subject = subject_of(euis, eui);
	link_newest(euis, subject);
	decision_add(&euis->ring, now, subject, decision);
}

const struct decision *decision_euis_newest(const struct decision_euis *euis, const uint8_t eui[8])
{
	const struct slot *slot = table_get(&euis->by_eui, eui);
	return slot ? decision_newest(&euis->ring, slot->subject) : NULL;
}

const uint8_t *decision_euis_eui(const struct decision_euis *euis, const struct decision *decision)
{
	ASSERT_CMP(decision->subject, <, euis->subjects);
	return euis->links[decision->subject].eui;
}
