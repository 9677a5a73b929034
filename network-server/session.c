#include "network-server/session.h"

#include "common/base/check.h"

#define FORMAT 1

void ns_sessions_init(struct ns_sessions *sessions, uint32_t devices, struct rng *rng)
{
	*sessions = (struct ns_sessions){.seed = rng_u64(rng)};
	ns_slab_init(&sessions->devices, devices, sizeof(struct ns_device));
	ns_index_init(&sessions->by_eui, devices);
	ns_slab_init(&sessions->slab, devices * 2, sizeof(struct ns_session));
	ns_index_init(&sessions->by_addr, devices * 2);
	sessions->dirty = calloc((size_t)devices * 2 / 64 + 1, sizeof *sessions->dirty);
	ASSERT(sessions->dirty);
}

void ns_sessions_release(struct ns_sessions *sessions)
{
	ns_slab_release(&sessions->slab);
	ns_index_release(&sessions->by_addr);
	ns_slab_release(&sessions->devices);
	ns_index_release(&sessions->by_eui);
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
	ns_session_mark(sessions, slot);
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

uint32_t ns_session_next_app_fcnt_down(const struct ns_session *session)
{
	return session->flags & NS_SESSION_1_1 ? session->a_fcnt_down : session->n_fcnt_down;
}

/* The sealed part: three keys, bound to the device and the session. */
#define KEYS (3 * sizeof(struct lw_key))

static void context_of(const struct ns_session *session, uint8_t context[20])
{
	struct wr wr = wr_init(context, 20);
	wr_copy(&wr, (const uint8_t *)"session/", 8);
	wr_copy(&wr, session->dev_eui.bytes, 8);
	wr_u32le(&wr, session->tag);
}

size_t ns_session_encode(const struct ns_session *session, const struct secret_master *master,
			 uint8_t bytes[NS_SESSION_BYTES])
{
	struct wr wr = wr_init(bytes, NS_SESSION_BYTES);
	wr_u8(&wr, FORMAT);
	wr_copy(&wr, session->dev_eui.bytes, 8);
	wr_u32le(&wr, session->dev_addr.value);
	wr_u32le(&wr, session->tag);
	uint8_t plain[KEYS], sealed[KEYS + SECRET_SEAL_OVERHEAD], context[20];
	memcpy(plain, session->f_nwk_s_int_key.bytes, 16);
	memcpy(plain + 16, session->s_nwk_s_int_key.bytes, 16);
	memcpy(plain + 32, session->nwk_s_enc_key.bytes, 16);
	context_of(session, context);
	secret_seal(master, context, sizeof context, plain, sizeof plain, sealed);
	secret_wipe(plain, sizeof plain);
	wr_copy(&wr, sealed, sizeof sealed);
	wr_copy(&wr, session->id.bytes, sizeof session->id.bytes);
	wr_u32le(&wr, session->fcnt_up);
	wr_u32le(&wr, session->n_fcnt_down);
	wr_u32le(&wr, session->a_fcnt_down);
	wr_u32le(&wr, session->conf_fcnt_down);
	wr_copy(&wr, session->conf_item.bytes, sizeof session->conf_item.bytes);
	wr_u64le(&wr, session->seen[0]);
	wr_u64le(&wr, session->seen[1]);
	wr_u64le(&wr, session->last_hash);
	wr_copy(&wr, session->last_mic, 4);
	wr_u8(&wr, session->repeats);
	wr_u8(&wr, session->flags);
	wr_u8(&wr, session->region);
	wr_u8(&wr, session->mac_version);
	wr_u8(&wr, session->rx_delay_s);
	wr_u8(&wr, session->rx_delay_asked);
	wr_u8(&wr, session->rx1_dr_offset);
	wr_u8(&wr, session->rx2_dr);
	wr_u8(&wr, session->nb_trans);
	wr_u8(&wr, session->mac_tries);
	wr_u8(&wr, session->last_dr);
	wr_u32le(&wr, session->rx2_freq_hz);
	for (size_t i = 0; i < LW_MASK_WORDS; i++)
		wr_u16le(&wr, session->plan.enabled.words[i]);
	for (size_t i = 0; i < LW_PLAN_DYNAMIC_MAX; i++) {
		wr_u32le(&wr, session->plan.freq_hz[i]);
		wr_u32le(&wr, session->plan.rx1_freq_hz[i]);
		wr_u8(&wr, session->plan.dr_range[i]);
	}
	ASSERT(wr_ok(&wr));
	return wr_length(&wr);
}

bool ns_session_decode(struct ns_session *session, const struct secret_master *master, const uint8_t *bytes,
		       size_t length)
{
	struct ns_session read = {0};
	struct rd rd = rd_init(bytes, length);
	if (rd_u8(&rd) != FORMAT)
		return false;
	rd_copy(&rd, read.dev_eui.bytes, 8);
	read.dev_addr.value = rd_u32le(&rd);
	read.tag = rd_u32le(&rd);
	uint8_t sealed[KEYS + SECRET_SEAL_OVERHEAD];
	rd_copy(&rd, sealed, sizeof sealed);
	rd_copy(&rd, read.id.bytes, sizeof read.id.bytes);
	read.fcnt_up = rd_u32le(&rd);
	read.n_fcnt_down = rd_u32le(&rd);
	read.a_fcnt_down = rd_u32le(&rd);
	read.conf_fcnt_down = rd_u32le(&rd);
	rd_copy(&rd, read.conf_item.bytes, sizeof read.conf_item.bytes);
	read.seen[0] = rd_u64le(&rd);
	read.seen[1] = rd_u64le(&rd);
	read.last_hash = rd_u64le(&rd);
	rd_copy(&rd, read.last_mic, 4);
	read.repeats = rd_u8(&rd);
	read.flags = rd_u8(&rd);
	read.region = rd_u8(&rd);
	read.mac_version = rd_u8(&rd);
	read.rx_delay_s = rd_u8(&rd);
	read.rx_delay_asked = rd_u8(&rd);
	read.rx1_dr_offset = rd_u8(&rd);
	read.rx2_dr = rd_u8(&rd);
	read.nb_trans = rd_u8(&rd);
	read.mac_tries = rd_u8(&rd);
	read.last_dr = rd_u8(&rd);
	read.rx2_freq_hz = rd_u32le(&rd);
	for (size_t i = 0; i < LW_MASK_WORDS; i++)
		read.plan.enabled.words[i] = rd_u16le(&rd);
	for (size_t i = 0; i < LW_PLAN_DYNAMIC_MAX; i++) {
		read.plan.freq_hz[i] = rd_u32le(&rd);
		read.plan.rx1_freq_hz[i] = rd_u32le(&rd);
		read.plan.dr_range[i] = rd_u8(&rd);
	}
	uint8_t plain[KEYS], context[20];
	if (!rd_ok(&rd) || rd_left(&rd) != 0 || read.tag == 0)
		return false;
	context_of(&read, context);
	if (secret_open(master, context, sizeof context, sealed, sizeof sealed, plain) != ST_OK)
		return false;
	memcpy(read.f_nwk_s_int_key.bytes, plain, 16);
	memcpy(read.s_nwk_s_int_key.bytes, plain + 16, 16);
	memcpy(read.nwk_s_enc_key.bytes, plain + 32, 16);
	secret_wipe(plain, sizeof plain);
	*session = read;
	secret_wipe(&read, sizeof read);
	return true;
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
	}
	copy->n_fcnt_down = greater(copy->n_fcnt_down, present->n_fcnt_down);
	copy->a_fcnt_down = greater(copy->a_fcnt_down, present->a_fcnt_down);
}

bool ns_session_restore(struct ns_sessions *sessions, uint32_t slot, const struct ns_session *session)
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
