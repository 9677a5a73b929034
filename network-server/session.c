#include "network-server/session.h"

#include "common/base/check.h"

void ns_sessions_init(struct ns_sessions *sessions, uint32_t devices, struct rng *rng)
{
	*sessions = (struct ns_sessions){.seed = rng_u64(rng)};
	ns_slab_init(&sessions->devices, devices, sizeof(struct ns_device));
	ns_index_init(&sessions->by_eui, devices);
	ns_slab_init(&sessions->slab, devices * 2, sizeof(struct ns_session));
	ns_index_init(&sessions->by_addr, devices * 2);
	ns_plans_init(&sessions->plans);
	ns_rares_init(&sessions->rares);
	sessions->dirty = calloc((size_t)devices * 2 / 64 + 1, sizeof *sessions->dirty);
	ASSERT(sessions->dirty);
}

void ns_sessions_release(struct ns_sessions *sessions)
{
	ns_slab_release(&sessions->slab);
	ns_index_release(&sessions->by_addr);
	ns_slab_release(&sessions->devices);
	ns_index_release(&sessions->by_eui);
	ns_plans_release(&sessions->plans);
	ns_rares_release(&sessions->rares);
	free(sessions->dirty);
	*sessions = (struct ns_sessions){0};
}

static uint32_t eui_hash(const struct ns_sessions *sessions, const struct lw_eui64 *eui)
{
	return ns_hash64(lw_eui64_number(eui), sessions->seed);
}

static uint32_t addr_hash(const struct ns_sessions *sessions, struct lw_dev_addr dev_addr)
{
	return ns_hash64(dev_addr.value, sessions->seed + 1);
}

uint32_t ns_device_find(const struct ns_sessions *sessions, const struct lw_eui64 *dev_eui)
{
	uint32_t at = 0, slot;
	while ((slot = ns_index_next(&sessions->by_eui, eui_hash(sessions, dev_eui), &at)) != NS_NO_SLOT)
		if (lw_eui64_equal(&ns_device_at(sessions, slot)->dev_eui, dev_eui))
			return slot;
	return NS_NO_SLOT;
}

void ns_sessions_expect(struct ns_sessions *sessions, uint32_t count)
{
	ns_index_expect(&sessions->by_eui, count); /* in the order of need */
	ns_slab_expect(&sessions->devices, count);
	ns_index_expect(&sessions->by_addr, count);
	ns_slab_expect(&sessions->slab, count);
}

void ns_device_foresee(const struct ns_sessions *sessions, const struct lw_eui64 *dev_eui)
{
	ns_index_foresee(&sessions->by_eui, eui_hash(sessions, dev_eui));
}

void ns_sessions_foresee(const struct ns_sessions *sessions, struct lw_dev_addr dev_addr)
{
	ns_index_foresee(&sessions->by_addr, addr_hash(sessions, dev_addr));
}

struct ns_device *ns_device_at(const struct ns_sessions *sessions, uint32_t slot)
{
	return ns_slab_at(&sessions->devices, slot);
}

uint32_t ns_device_put(struct ns_sessions *sessions, const struct lw_eui64 *dev_eui)
{
	uint32_t slot = ns_device_find(sessions, dev_eui);
	if (slot != NS_NO_SLOT)
		return slot;
	slot = ns_slab_take(&sessions->devices);
	if (slot == NS_NO_SLOT)
		return NS_NO_SLOT;
	struct ns_device *device = ns_device_at(sessions, slot);
	device->dev_eui = *dev_eui;
	device->session = device->pending = device->elder = device->queue = device->opportunity = NS_NO_SLOT;
	ns_index_add(&sessions->by_eui, eui_hash(sessions, dev_eui), slot);
	return slot;
}

void ns_device_remove(struct ns_sessions *sessions, uint32_t slot)
{
	struct ns_device *device = ns_device_at(sessions, slot);
	ASSERT(device->queue == NS_NO_SLOT && device->opportunity == NS_NO_SLOT);
	if (device->session != NS_NO_SLOT)
		ns_session_remove(sessions, device->session);
	if (device->pending != NS_NO_SLOT)
		ns_session_remove(sessions, device->pending);
	if (device->elder != NS_NO_SLOT)
		ns_session_remove(sessions, device->elder);
	ns_index_remove(&sessions->by_eui, eui_hash(sessions, &device->dev_eui), slot);
	ns_slab_give(&sessions->devices, slot);
}

struct ns_session *ns_session_at(const struct ns_sessions *sessions, uint32_t slot)
{
	return ns_slab_at(&sessions->slab, slot);
}

struct ns_session *ns_session_get(const struct ns_sessions *sessions, uint32_t slot, uint32_t tag)
{
	if (!ns_slab_holds(&sessions->slab, slot))
		return NULL;
	struct ns_session *session = ns_session_at(sessions, slot);
	return session->tag == tag ? session : NULL;
}

uint32_t ns_sessions_next(const struct ns_sessions *sessions, struct lw_dev_addr dev_addr, uint32_t *at)
{
	uint32_t slot;
	while ((slot = ns_index_next(&sessions->by_addr, addr_hash(sessions, dev_addr), at)) != NS_NO_SLOT)
		if (ns_session_at(sessions, slot)->dev_addr.value == dev_addr.value)
			return slot;
	return NS_NO_SLOT;
}

bool ns_sessions_has_addr(const struct ns_sessions *sessions, struct lw_dev_addr dev_addr)
{
	uint32_t at = 0;
	return ns_sessions_next(sessions, dev_addr, &at) != NS_NO_SLOT;
}

/* Makes room for a session at its device and returns the device's reference to it, by its flags. */
static uint32_t *make_place(struct ns_sessions *sessions, const struct ns_session *session)
{
	struct ns_device *device = ns_device_at(sessions, session->device);
	if (!(session->flags & NS_SESSION_PENDING)) {
		if (device->session != NS_NO_SLOT)
			ns_session_remove(sessions, device->session);
		return &device->session;
	}
	if (device->pending != NS_NO_SLOT) {
		if (device->elder != NS_NO_SLOT)
			ns_session_remove(sessions, device->elder);
		device->elder = device->pending;
		device->pending = NS_NO_SLOT;
	}
	return &device->pending;
}

/* Into the index and its device's place. */
static void attach(struct ns_sessions *sessions, uint32_t slot)
{
	const struct ns_session *session = ns_session_at(sessions, slot);
	*make_place(sessions, session) = slot;
	ns_index_add(&sessions->by_addr, addr_hash(sessions, session->dev_addr), slot);
}

static void detach(struct ns_sessions *sessions, uint32_t slot)
{
	const struct ns_session *session = ns_session_at(sessions, slot);
	struct ns_device *device = ns_device_at(sessions, session->device);
	uint32_t *const places[] = {&device->session, &device->pending, &device->elder};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (*places[i] == slot)
			*places[i] = NS_NO_SLOT;
	ns_index_remove(&sessions->by_addr, addr_hash(sessions, session->dev_addr), slot);
	ns_session_mark(sessions, slot);
}

uint32_t ns_session_add(struct ns_sessions *sessions, const struct ns_session *session)
{
	make_place(sessions, session);
	uint32_t slot = ns_slab_take(&sessions->slab);
	if (slot == NS_NO_SLOT)
		return NS_NO_SLOT;
	*ns_session_at(sessions, slot) = *session;
	attach(sessions, slot);
	ns_session_mark(sessions, slot);
	return slot;
}

void ns_session_promote(struct ns_sessions *sessions, uint32_t slot)
{
	struct ns_session *session = ns_session_at(sessions, slot);
	struct ns_device *device = ns_device_at(sessions, session->device);
	ASSERT(session->flags & NS_SESSION_PENDING && (device->pending == slot || device->elder == slot));
	if (device->session != NS_NO_SLOT)
		ns_session_remove(sessions, device->session);
	if (device->elder != NS_NO_SLOT && device->elder != slot)
		ns_session_remove(sessions, device->elder);
	session->flags = (uint8_t)(session->flags & ~NS_SESSION_PENDING);
	if (device->pending == slot)
		device->pending = NS_NO_SLOT;
	device->elder = NS_NO_SLOT;
	device->session = slot;
	ns_session_mark(sessions, slot);
}

void ns_session_remove(struct ns_sessions *sessions, uint32_t slot)
{
	detach(sessions, slot);
	ns_slab_give(&sessions->slab, slot);
}

void ns_session_mark(struct ns_sessions *sessions, uint32_t slot)
{
	uint64_t bit = UINT64_C(1) << (slot & 63);
	if (!(sessions->dirty[slot >> 6] & bit)) {
		sessions->dirty[slot >> 6] |= bit;
		sessions->dirty_count++;
	}
}

const struct lw_channel_plan *ns_session_plan(const struct ns_sessions *sessions,
					      const struct ns_session *session)
{
	return ns_plans_at(&sessions->plans, session->plan);
}

static void sweep_plans(struct ns_sessions *sessions, uint16_t also)
{
	uint8_t named[NS_PLANS_MAX] = {0};
	named[also] = 1;
	for (uint32_t slot = 0; slot < sessions->slab.high; slot++)
		if (ns_slab_holds(&sessions->slab, slot))
			named[ns_session_at(sessions, slot)->plan] = 1;
	ns_plans_sweep(&sessions->plans, named);
}

bool ns_session_set_plan(struct ns_sessions *sessions, struct ns_session *session,
			 const struct lw_channel_plan *plan)
{
	struct lw_channel_plan copy = *plan;
	uint16_t number = ns_plans_keep(&sessions->plans, &copy);
	if (number == NS_NO_PLAN) {
		sweep_plans(sessions, session->plan);
		number = ns_plans_keep(&sessions->plans, &copy);
	}
	if (number == NS_NO_PLAN)
		return false;
	session->plan = number;
	return true;
}

const struct ns_rare *ns_session_rare(const struct ns_sessions *sessions, const struct ns_session *session)
{
	return ns_rares_at(&sessions->rares, session->rare);
}

static void sweep_rares(struct ns_sessions *sessions, uint16_t also)
{
	uint8_t named[NS_RARES_MAX] = {0};
	named[also] = 1;
	for (uint32_t slot = 0; slot < sessions->slab.high; slot++)
		if (ns_slab_holds(&sessions->slab, slot))
			named[ns_session_at(sessions, slot)->rare] = 1;
	ns_rares_sweep(&sessions->rares, named);
}

bool ns_session_set_rare(struct ns_sessions *sessions, struct ns_session *session, const struct ns_rare *rare)
{
	struct ns_rare copy = *rare;
	uint16_t number = ns_rares_keep(&sessions->rares, &copy);
	if (number == NS_NO_RARE) {
		sweep_rares(sessions, session->rare);
		number = ns_rares_keep(&sessions->rares, &copy);
	}
	if (number == NS_NO_RARE)
		return false;
	session->rare = number;
	return true;
}

bool ns_session_seen(const struct ns_session *session, uint32_t fcnt)
{
	if (fcnt >= session->fcnt_up)
		return false;
	uint32_t back = session->fcnt_up - 1 - fcnt;
	return back >= NS_SEEN_BITS || (session->seen[back / 64] >> (back % 64) & 1);
}

void ns_session_note(struct ns_session *session, uint32_t fcnt)
{
	uint64_t *seen = session->seen;
	if (fcnt < session->fcnt_up) {
		uint32_t back = session->fcnt_up - 1 - fcnt;
		if (back < NS_SEEN_BITS)
			seen[back / 64] |= UINT64_C(1) << (back % 64);
		return;
	}
	uint32_t step = fcnt + 1 - session->fcnt_up;
	for (; step >= 64; step = step >= 192 ? 64 : step - 64) {
		seen[1] = seen[0];
		seen[0] = 0;
	}
	if (step > 0) {
		seen[1] = seen[1] << step | seen[0] >> (64 - step);
		seen[0] <<= step;
	}
	seen[0] |= 1;
	session->fcnt_up = fcnt + 1;
}

enum lw_mac_version ns_session_version(const struct ns_session *session)
{
	return lw_version_in_use((enum lw_mac_version)session->mac_version, session->flags & NS_SESSION_1_1);
}

bool ns_session_behaves(const struct ns_session *session, enum lw_behaviour behaviour)
{
	return lw_behaves(ns_session_version(session), behaviour);
}

uint32_t ns_session_fcnt(const struct ns_session *session, uint32_t fcnt)
{
	return session->flags & NS_SESSION_FCNT_16 ? fcnt & UINT16_MAX : fcnt;
}

void ns_session_set_width(struct ns_session *session, bool is_16_bit)
{
	bool narrow = is_16_bit && ns_session_behaves(session, LW_FCNT_16_BITS);
	session->flags = (uint8_t)((session->flags & ~NS_SESSION_FCNT_16) |
				   (narrow ? NS_SESSION_FCNT_16 : 0));
}

uint32_t ns_session_next_app_fcnt_down(const struct ns_session *session)
{
	bool pair = ns_session_behaves(session, LW_FCNT_DOWN_PAIR);
	return ns_session_fcnt(session, pair ? session->a_fcnt_down : session->n_fcnt_down);
}

static uint32_t greater(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void keep_greater(struct ns_session *copy, const struct ns_session *present)
{
	if (present->fcnt_up > copy->fcnt_up) {
		memcpy(copy->seen, present->seen, sizeof copy->seen);
		memcpy(copy->last_mic, present->last_mic, sizeof copy->last_mic);
		copy->last_hash = present->last_hash;
		copy->fcnt_up = present->fcnt_up;
		copy->last_dr = present->last_dr;
		copy->adr = present->adr; /* the row was written after the uplinks that are replayed next */
	}
	copy->n_fcnt_down = greater(copy->n_fcnt_down, present->n_fcnt_down);
	copy->a_fcnt_down = greater(copy->a_fcnt_down, present->a_fcnt_down);
	copy->rj_count0 = (uint16_t)greater(copy->rj_count0, present->rj_count0);
}

bool ns_session_restore(struct ns_sessions *sessions, uint32_t slot, const struct ns_session *session)
{
	bool taken = ns_session_load(sessions, slot, session);
	if (taken)
		ns_session_mark(sessions, slot);
	return taken;
}

bool ns_session_load(struct ns_sessions *sessions, uint32_t slot, const struct ns_session *session)
{
	uint32_t device = ns_device_find(sessions, &session->dev_eui);
	if (device == NS_NO_SLOT || slot >= sessions->slab.capacity)
		return false;
	struct ns_session copy = *session;
	copy.device = device;
	if (ns_slab_holds(&sessions->slab, slot)) {
		const struct ns_session *present = ns_session_at(sessions, slot);
		if (present->tag == copy.tag)
			keep_greater(&copy, present);
		detach(sessions, slot);
	} else if (!ns_slab_take_at(&sessions->slab, slot)) {
		return false;
	}
	*ns_session_at(sessions, slot) = copy;
	attach(sessions, slot);
	secret_wipe(&copy, sizeof copy);
	return true;
}
