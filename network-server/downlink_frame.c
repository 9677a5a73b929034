#include "network-server/downlink_frame.h"

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"
#include "network-server/mac/mac.h"

/* Commands that are longer than FOpts go alone, under FPort 0; with an item only what fits into FOpts and beside the item
 * goes along, whole commands at a time, and the device asks again for the rest. `capacity` is the room beside it. */
static uint8_t collect_commands(struct ns *ns, struct now now, const struct ns_downlink *downlink,
				struct ns_session *session, bool alone, uint8_t *commands, uint8_t capacity)
{
	struct wr wr = wr_init(commands, alone || capacity < LW_FOPTS_MAX ? capacity : LW_FOPTS_MAX);
	const struct lw_region *region = ns_region(ns, session->region);
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	lw_mac_reader_init(&reader, LW_DOWN, downlink->answers, downlink->answers_length,
			   region->freq_step_hz);
	while (lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND)
		if (lw_mac_write(&wr, &command, region->freq_step_hz) != LW_MAC_WRITE_OK)
			break;
	const struct ns_profile *profile = ns_profile_of(ns, ns_device_at(&ns->sessions, session->device));
	if (profile && ns_mac_requests(ns, now, session, profile, &wr))
		ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, downlink->session);
	return (uint8_t)wr_length(&wr);
}

static void set_mic(struct ns *ns, struct ns_downlink *downlink, const struct ns_session *session)
{
	struct lw_mic_input input = {
		.direction = LW_DOWN,
		.dev_addr = session->dev_addr,
		.fcnt = downlink->fcnt_down,
		.ack = downlink->ack,
		.conf_fcnt = (uint16_t)downlink->acked_fcnt_up,
		.msg = downlink->phy,
		.length = (uint8_t)(downlink->phy_length - 4),
	};
#if MUTANT == MUTANT_KEY_OF_OLD_SESSION
	const struct lw_key *key = &session->s_nwk_s_int_key; /* see promote() */
#else
	const struct lw_key *key = &session->f_nwk_s_int_key;
#endif
#if MUTANT == MUTANT_CONF_FCNT_OFF
	input.conf_fcnt++;
#endif
	struct lw_mic mic = ns_session_behaves(session, LW_MIC_HALVES)
				    ? lw_mic_down_1_1(ns->aes, &session->s_nwk_s_int_key, &input)
				    : lw_mic_1_0(ns->aes, key, &input);
	lw_frame_set_mic(downlink->phy, downlink->phy_length, mic);
}

void ns_frame_build(struct ns *ns, struct now now, struct ns_downlink *downlink, struct ns_session *session,
		    const struct net_enqueue *item, const uint8_t *payload)
{
#if MUTANT == MUTANT_ACK_DROPPED
	downlink->ack = false;
#elif MUTANT == MUTANT_ACK_UNASKED
	downlink->ack = true;
#endif
	uint8_t room = ns_windows_max_payload(&downlink->windows, ns_region(ns, session->region));
	uint8_t commands[128];
	unsigned taken = 8u + (item ? item->length : 0);
	unsigned beside = room > taken ? room - taken : 0;
	uint8_t capacity = (uint8_t)(beside > sizeof commands ? sizeof commands : beside);
	uint8_t length = collect_commands(ns, now, downlink, session, item == NULL, commands, capacity);
	const struct ns_profile *profile = ns_profile_of(ns, ns_device_at(&ns->sessions, session->device));
	struct lw_frame frame = {
		.ftype = item && item->confirmed ? LW_CONFIRMED_DOWN : LW_UNCONFIRMED_DOWN,
		.dev_addr = session->dev_addr,
		.fcnt = (uint16_t)downlink->fcnt_down,
		.fctrl = {.adr = profile && profile->record.adr,
			  .ack = downlink->ack,
			  .f_pending = downlink->more},
	};
	bool port_0 = length > LW_FOPTS_MAX;
	unsigned phy_length = LW_FRAME_MIN + length + port_0 + (item ? 1u + item->length : 0);
	ns_mac_beacon_timing_fill(ns, session, downlink, commands, length, (uint8_t)phy_length);
	enum lw_fopts_counter fopts = item ? LW_FOPTS_AFCNT_DOWN : LW_FOPTS_NFCNT_DOWN;
	if (profile && profile->record.quirks & NET_QUIRK_FOPTS_BEFORE_ERRATUM)
		fopts = LW_FOPTS_BEFORE_ERRATUM;
	if (port_0) {
		lw_cipher_frm_payload(ns->aes, &session->nwk_s_enc_key, LW_DOWN, session->dev_addr,
				      downlink->fcnt_down, commands, length, commands);
		frame.has_fport = true;
		frame.frm_payload = commands;
		frame.frm_payload_length = length;
	} else {
		if (ns_session_behaves(session, LW_FOPTS_ENCRYPTED))
			lw_cipher_fopts(ns->aes, &session->nwk_s_enc_key, LW_DOWN, session->dev_addr,
					downlink->fcnt_down, fopts, commands, length, commands);
		memcpy(frame.fopts, commands, length);
		frame.fctrl.fopts_length = length;
	}
	if (item) {
		frame.has_fport = true;
		frame.fport = item->fport;
		frame.frm_payload = payload;
		frame.frm_payload_length = item->length;
	}
	downlink->phy_length = (uint8_t)lw_frame_encode(&frame, downlink->phy, sizeof downlink->phy);
	ASSERT_CMP(downlink->phy_length, >=, LW_FRAME_MIN);
	set_mic(ns, downlink, session);
	session->flags = (uint8_t)(session->flags & ~NS_SESSION_STICKY);
}
