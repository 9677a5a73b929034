/* Desired state of ABP devices: the session that a record describes. Its keys come sealed to our box key. */
#include "network-server/state_rows.h"

#include "common/crypto/sealed_key.h"
#include "common/lorawan/version.h"
#include "network-server/item_flow.h"
#include "network-server/mac/mac.h"
#include "network-server/why/record.h"

static bool open_key(const struct ns *ns, const struct net_device *record, bool present,
		     const uint8_t *sealed, enum sealed_key_kind kind, struct lw_key *key)
{
	return present && sealed_key_open(ns->config.box, sealed, NET_SEALED_KEY_SIZE, kind,
					  record->dev_eui.bytes, key->bytes) == SEALED_KEY_OK;
}

static bool open_abp_keys(const struct ns *ns, const struct net_device *record, bool v1_1,
			  struct ns_session *session)
{
	if (v1_1)
		return open_key(ns, record, record->has_nwk_s_key, record->nwk_s_key, SEALED_F_NWK_S_INT_KEY,
				&session->f_nwk_s_int_key) &&
		       open_key(ns, record, record->has_s_nwk_s_int_key, record->s_nwk_s_int_key,
				SEALED_S_NWK_S_INT_KEY, &session->s_nwk_s_int_key) &&
		       open_key(ns, record, record->has_nwk_s_enc_key, record->nwk_s_enc_key,
				SEALED_NWK_S_ENC_KEY, &session->nwk_s_enc_key);
	if (!open_key(ns, record, record->has_nwk_s_key, record->nwk_s_key, SEALED_NWK_S_KEY,
		      &session->f_nwk_s_int_key))
		return false;
	session->s_nwk_s_int_key = session->nwk_s_enc_key = session->f_nwk_s_int_key;
	return true;
}

static void start_abp(struct ns *ns, struct now now, uint32_t device, uint32_t session)
{
	const struct ns_session *started = ns_session_at(&ns->sessions, session);
	ns_journal_session(ns, NS_JOURNAL_SESSION, session);
	ns_record_note(ns, now, NS_NOTE_SESSION_ABP, ns_of_device(ns, device),
		       (struct ns_numbers){.a = started->dev_addr.value, .b = started->fcnt_up});
}

/* The session of an ABP device: what it boots with. One with the same address and keys goes on as it is. */
enum ns_drop ns_state_apply_abp(struct ns *ns, struct now now, const struct net_device *record, uint32_t slot)
{
	const struct ns_device *device = ns_device_at(&ns->sessions, slot);
	const struct ns_profile *profile = ns_profile_of(ns, device);
	const struct lw_region *region = ns_region(ns, profile->region);
	bool v1_1 = lw_behaves(profile->record.mac_version, LW_NETWORK_KEYS);
	struct ns_session session = {
		.dev_eui = record->dev_eui,
		.dev_addr = record->dev_addr,
		.device = slot,
		.fcnt_up = record->fcnt_up,
		.n_fcnt_down = record->fcnt_down,
		.a_fcnt_down = v1_1 ? record->fcnt_down : 0,
		.flags = (uint8_t)(NS_SESSION_ABP | (v1_1 ? NS_SESSION_1_1 : 0)),
		.region = profile->region,
		.mac_version = (uint8_t)profile->record.mac_version,
	};
	enum ns_drop drop = NS_ACCEPTED;
	ns_session_set_width(&session, profile->record.fcnt_16_bit);
	ns_mac_boot(ns, &profile->record, region, true, &session);
	session.tag = ns_new_tag(ns);
	if (!ns_foreign_is_our_addr(&ns->foreign, record->dev_addr)) {
		drop = NS_DROP_FOREIGN_DEV_ADDR;
	} else if (!open_abp_keys(ns, record, v1_1, &session)) {
		drop = NS_DROP_STATE_KEY;
	} else {
		uint32_t present = device->session;
		const struct ns_session *old = present == NS_NO_SLOT ? NULL
								     : ns_session_at(&ns->sessions, present);
		if (!old || old->dev_addr.value != session.dev_addr.value ||
		    !secret_equal(&old->f_nwk_s_int_key, &session.f_nwk_s_int_key,
				  3 * sizeof(struct lw_key))) {
			if (old)
				ns_drop_session(ns, now, present);
			uint32_t added = ns_session_add(&ns->sessions, &session);
			if (added == NS_NO_SLOT)
				drop = NS_DROP_SESSIONS_FULL;
			else
				start_abp(ns, now, slot, added);
			if (old)
				ns_items_session_ended(ns, now, slot);
		}
	}
	secret_wipe(&session, sizeof session);
	return drop;
}
