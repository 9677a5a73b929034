/* The stored form of a session: keys sealed under the master key, bound to the device and the session's tag.
 *
 *	format u8 | dev_eui 8 | dev_addr u32 | tag u32 | keys sealed | id 16 | counters 4 × u32 | zeros 16 | seen 2 × u64
 *	last_hash u64 | last_mic 4 | repeats, flags, region, mac_version | windows | plan | MAC state | ADR history | tail
 *
 * The MAC state says how many kinds of requests it speaks of, so that kinds can be added; the tail (session_tail.h) is where
 * further state goes. Format 2 had `answered` in one byte, eight kinds, and no tail. Format 1 had the windows with
 * `rx_delay_asked` and `mac_tries` among them, all 16 channels, and nothing after the plan. */
#include "network-server/session_tail.h"

#include "common/base/check.h"
#include "common/lorawan/mac_command.h"

#define FORMAT         3
#define KEYS           (3 * sizeof(struct lw_key))
#define KINDS_MAX      16
#define FORMER_ITEM    16  /* zeros: items keep their own state now (item_rows.h) */
#define V1_TIMING_SENT 128 /* flag of format 1: RXTimingSetupReq is in flight */

static void context_of(const struct ns_session *session, uint8_t context[20])
{
	struct wr wr = wr_init(context, 20);
	wr_copy(&wr, (const uint8_t *)"session/", 8);
	wr_copy(&wr, session->dev_eui.bytes, 8);
	wr_u32le(&wr, session->tag);
}

static void write_keys(struct wr *wr, const struct ns_session *session, const struct secret_master *master)
{
	uint8_t plain[KEYS], sealed[KEYS + SECRET_SEAL_OVERHEAD], context[20];
	memcpy(plain, session->f_nwk_s_int_key.bytes, 16);
	memcpy(plain + 16, session->s_nwk_s_int_key.bytes, 16);
	memcpy(plain + 32, session->nwk_s_enc_key.bytes, 16);
	context_of(session, context);
	secret_seal(master, context, sizeof context, plain, sizeof plain, sealed);
	secret_wipe(plain, sizeof plain);
	wr_copy(wr, sealed, sizeof sealed);
}

static bool open_keys(struct ns_session *session, const struct secret_master *master, const uint8_t *sealed)
{
	uint8_t plain[KEYS], context[20];
	context_of(session, context);
	if (secret_open(master, context, sizeof context, sealed, KEYS + SECRET_SEAL_OVERHEAD, plain) != ST_OK)
		return false;
	memcpy(session->f_nwk_s_int_key.bytes, plain, 16);
	memcpy(session->s_nwk_s_int_key.bytes, plain + 16, 16);
	memcpy(session->nwk_s_enc_key.bytes, plain + 32, 16);
	secret_wipe(plain, sizeof plain);
	return true;
}

/* Only channels that are defined. */
static void write_plan(struct wr *wr, const struct lw_channel_plan *plan)
{
	unsigned defined = 0;
	for (size_t i = 0; i < LW_MASK_WORDS; i++)
		wr_u16le(wr, plan->enabled.words[i]);
	for (unsigned i = 0; i < LW_PLAN_DYNAMIC_MAX; i++)
		defined |= (unsigned)(plan->freq_hz[i] != 0 || plan->rx1_freq_hz[i] != 0) << i;
	wr_u16le(wr, (uint16_t)defined);
	for (unsigned i = 0; i < LW_PLAN_DYNAMIC_MAX; i++)
		if (defined >> i & 1) {
			wr_u32le(wr, plan->freq_hz[i]);
			wr_u32le(wr, plan->rx1_freq_hz[i]);
			wr_u8(wr, plan->dr_range[i]);
		}
}

static void read_plan(struct rd *rd, uint8_t format, struct lw_channel_plan *plan)
{
	for (size_t i = 0; i < LW_MASK_WORDS; i++)
		plan->enabled.words[i] = rd_u16le(rd);
	unsigned defined = format == 1 ? UINT16_MAX : rd_u16le(rd);
	for (unsigned i = 0; i < LW_PLAN_DYNAMIC_MAX; i++)
		if (defined >> i & 1) {
			plan->freq_hz[i] = rd_u32le(rd);
			plan->rx1_freq_hz[i] = rd_u32le(rd);
			plan->dr_range[i] = rd_u8(rd);
		}
}

static void write_mac(struct wr *wr, const struct ns_mac_state *mac)
{
	wr_u8(wr, mac->tx_power);
	wr_u8(wr, mac->tx_param);
	wr_u8(wr, mac->max_duty_cycle);
	wr_u8(wr, mac->question_length);
	wr_copy(wr, mac->question, mac->question_length);
	wr_u16le(wr, mac->answered);
	wr_u8(wr, NS_MAC_KINDS);
	struct ns_mac_state copy = *mac;
	for (size_t i = 0; i < NS_MAC_KINDS; i++) {
		wr_u8(wr, mac->tries[i]);
		wr_u8(wr, mac->wait[i]);
		const uint16_t *refused = ns_mac_refused(&copy, (enum ns_mac_kind)i);
		wr_u16le(wr, refused ? *refused : 0);
	}
	wr_u16le(wr, mac->refused_drs);
	wr_u16le(wr, mac->refused_powers);
	wr_u16le(wr, mac->refused_channels);
	wr_u16le(wr, mac->refused_dl_channels);
	wr_u16le(wr, mac->refused_mask);
	wr_u16le(wr, mac->refused_rx2_freq);
	wr_u8(wr, mac->refused_offset);
	wr_u8(wr, mac->refused_rx2_dr);
	wr_u16le(wr, mac->channels_wish);
	wr_u8(wr, mac->deaf);
	wr_u32le(wr, mac->status_hour);
}

/* What each kind has: a row of a release with fewer of them says nothing of the others, one with more is read without those. */
static bool read_kinds(struct rd *rd, uint8_t format, struct ns_mac_state *mac)
{
	mac->answered = format == 2 ? rd_u8(rd) : rd_u16le(rd);
	uint8_t kinds = rd_u8(rd);
	if (kinds > KINDS_MAX)
		return false;
	for (size_t i = 0; i < kinds; i++) {
		uint8_t tries = rd_u8(rd), wait = rd_u8(rd);
		uint16_t refused = rd_u16le(rd);
		if (i >= NS_MAC_KINDS)
			continue;
		mac->tries[i] = tries;
		mac->wait[i] = wait;
		if (ns_mac_refused(mac, (enum ns_mac_kind)i))
			*ns_mac_refused(mac, (enum ns_mac_kind)i) = refused;
	}
	return true;
}

static bool read_mac(struct rd *rd, uint8_t format, struct ns_mac_state *mac)
{
	mac->tx_power = rd_u8(rd);
	mac->tx_param = rd_u8(rd);
	mac->max_duty_cycle = rd_u8(rd);
	mac->question_length = rd_u8(rd);
	if (mac->question_length > NS_QUESTION_MAX)
		return false;
	if (mac->question_length > 0)
		rd_copy(rd, mac->question, mac->question_length);
	if (!read_kinds(rd, format, mac))
		return false;
	mac->refused_drs = rd_u16le(rd);
	mac->refused_powers = rd_u16le(rd);
	mac->refused_channels = rd_u16le(rd);
	mac->refused_dl_channels = rd_u16le(rd);
	mac->refused_mask = rd_u16le(rd);
	mac->refused_rx2_freq = rd_u16le(rd);
	mac->refused_offset = rd_u8(rd);
	mac->refused_rx2_dr = rd_u8(rd);
	mac->channels_wish = rd_u16le(rd);
	mac->deaf = rd_u8(rd);
	mac->status_hour = rd_u32le(rd);
	return rd_ok(rd);
}

static void write_adr(struct wr *wr, const struct ns_adr_history *adr)
{
	wr_u8(wr, adr->count);
	wr_u8(wr, adr->dr);
	for (uint8_t i = 0; i < adr->count; i++)
		wr_u8(wr, (uint8_t)adr->snr_qdb[i]);
}

static bool read_adr(struct rd *rd, struct ns_adr_history *adr)
{
	adr->count = rd_u8(rd);
	adr->dr = rd_u8(rd);
	if (adr->count > NS_ADR_HISTORY)
		return false;
	for (uint8_t i = 0; i < adr->count; i++)
		adr->snr_qdb[i] = (int8_t)rd_u8(rd);
	return rd_ok(rd);
}

/* What format 1 said of a request in flight: the one whose answer changes when the windows open. A LinkADRReq of then is
 * asked again. */
static void take_v1_question(struct ns_session *session, uint8_t rx_delay_asked)
{
	struct wr wr = wr_init(session->mac.question, NS_QUESTION_MAX);
	if (session->flags & V1_TIMING_SENT) {
		wr_u8(&wr, LW_CID_RX_TIMING_SETUP);
		wr_u8(&wr, rx_delay_asked);
		session->mac.tries[NS_MAC_RX_TIMING_SETUP] = 1;
	}
	session->mac.question_length = (uint8_t)wr_length(&wr);
	session->flags = (uint8_t)(session->flags & ~(NS_SESSION_TRUSTED | NS_SESSION_ADR));
}

size_t ns_session_encode(const struct ns_sessions *sessions, const struct ns_session *session,
			 const struct secret_master *master, uint8_t bytes[NS_SESSION_BYTES])
{
	struct wr wr = wr_init(bytes, NS_SESSION_BYTES);
	wr_u8(&wr, FORMAT);
	wr_copy(&wr, session->dev_eui.bytes, 8);
	wr_u32le(&wr, session->dev_addr.value);
	wr_u32le(&wr, session->tag);
	write_keys(&wr, session, master);
	wr_copy(&wr, session->id.bytes, sizeof session->id.bytes);
	wr_u32le(&wr, session->fcnt_up);
	wr_u32le(&wr, session->n_fcnt_down);
	wr_u32le(&wr, session->a_fcnt_down);
	wr_u32le(&wr, session->conf_fcnt_down);
	wr_zeros(&wr, FORMER_ITEM);
	wr_u64le(&wr, session->seen[0]);
	wr_u64le(&wr, session->seen[1]);
	wr_u64le(&wr, session->last_hash);
	wr_copy(&wr, session->last_mic, 4);
	wr_u8(&wr, session->repeats);
	wr_u8(&wr, session->flags);
	wr_u8(&wr, session->region);
	wr_u8(&wr, session->mac_version);
	wr_u8(&wr, session->rx_delay_s);
	wr_u8(&wr, session->rx1_dr_offset);
	wr_u8(&wr, session->rx2_dr);
	wr_u8(&wr, session->nb_trans);
	wr_u8(&wr, session->last_dr);
	wr_u32le(&wr, session->rx2_freq_hz);
	write_plan(&wr, ns_session_plan(sessions, session));
	write_mac(&wr, &session->mac);
	write_adr(&wr, &session->adr);
	ns_session_tail_write(&wr, sessions, session);
	ASSERT(wr_ok(&wr));
	return wr_length(&wr);
}

static bool read_row(struct rd *rd, struct ns_sessions *sessions, struct ns_session *read,
		     struct lw_channel_plan *plan, uint8_t *sealed)
{
	uint8_t format = rd_u8(rd);
	rd_copy(rd, read->dev_eui.bytes, 8);
	read->dev_addr.value = rd_u32le(rd);
	read->tag = rd_u32le(rd);
	rd_copy(rd, sealed, KEYS + SECRET_SEAL_OVERHEAD);
	rd_copy(rd, read->id.bytes, sizeof read->id.bytes);
	read->fcnt_up = rd_u32le(rd);
	read->n_fcnt_down = rd_u32le(rd);
	read->a_fcnt_down = rd_u32le(rd);
	read->conf_fcnt_down = rd_u32le(rd);
	(void)rd_take(rd, FORMER_ITEM);
	read->seen[0] = rd_u64le(rd);
	read->seen[1] = rd_u64le(rd);
	read->last_hash = rd_u64le(rd);
	rd_copy(rd, read->last_mic, 4);
	read->repeats = rd_u8(rd);
	read->flags = rd_u8(rd);
	read->region = rd_u8(rd);
	read->mac_version = rd_u8(rd);
	read->rx_delay_s = rd_u8(rd);
	uint8_t rx_delay_asked = format == 1 ? rd_u8(rd) : 0;
	read->rx1_dr_offset = rd_u8(rd);
	read->rx2_dr = rd_u8(rd);
	read->nb_trans = rd_u8(rd);
	if (format == 1)
		(void)rd_u8(rd); /* mac_tries */
	read->last_dr = rd_u8(rd);
	read->rx2_freq_hz = rd_u32le(rd);
	read_plan(rd, format, plan);
	if (format == 1)
		take_v1_question(read, rx_delay_asked);
	else if (format > FORMAT || !read_mac(rd, format, &read->mac) || !read_adr(rd, &read->adr))
		return false;
	if (format >= 3 && !ns_session_tail_read(rd, sessions, read))
		return false;
	return rd_ok(rd) && rd_left(rd) == 0 && read->tag != 0;
}

void ns_session_row_whose(const uint8_t *bytes, size_t length, struct lw_eui64 *dev_eui,
			  struct lw_dev_addr *dev_addr)
{
	struct rd rd = rd_init(bytes, length);
	(void)rd_u8(&rd);
	rd_copy(&rd, dev_eui->bytes, sizeof dev_eui->bytes);
	dev_addr->value = rd_u32le(&rd);
}

bool ns_session_row_is_old(const uint8_t *bytes, size_t length)
{
	struct rd rd = rd_init(bytes, length);
	return rd_u8(&rd) < FORMAT;
}

bool ns_session_decode(struct ns_sessions *sessions, struct ns_session *session,
		       const struct secret_master *master, const uint8_t *bytes, size_t length)
{
	struct ns_session read = {0};
	struct lw_channel_plan plan = {0};
	uint8_t sealed[KEYS + SECRET_SEAL_OVERHEAD];
	struct rd rd = rd_init(bytes, length);
	bool good = read_row(&rd, sessions, &read, &plan, sealed) && open_keys(&read, master, sealed) &&
		    ns_session_set_plan(sessions, &read, &plan);
	if (good)
		*session = read;
	secret_wipe(&read, sizeof read);
	return good;
}
