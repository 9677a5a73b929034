/* Key derivations: one AES block each (TS001-1.0.4 §6.2.5, TS001-1.1 §6.1.1, §6.2.5; multicast TS005 §4,
 * relay TS011 §4, data blocks TS004-2.0.0). All numbers are little-endian inside the blocks.
 *
 *	1.0 session   type | JoinNonce(3) | NetID(3) | DevNonce(2) | 0 x 7     type 01 NwkSKey, 02 AppSKey
 *	1.1 session   type | JoinNonce(3) | JoinEUI(8) | DevNonce(2) | 0 x 2   01 FNwkSIntKey, 02 AppSKey,
 *	                                                                       03 SNwkSIntKey, 04 NwkSEncKey
 *	join server   type | DevEUI(8) | 0 x 7                                 05 JSEncKey, 06 JSIntKey
 *
 * The caller wipes what it is given: lw_key_wipe(), lw_session_keys_wipe(). */
#ifndef LAMPPOST_LORAWAN_KEYS_H
#define LAMPPOST_LORAWAN_KEYS_H

#include "common/crypto/aes.h"
#include "common/lorawan/types.h"

/* Under 1.0 rules the three network keys are one: NwkSKey. */
struct lw_session_keys {
	struct lw_key f_nwk_s_int_key;
	struct lw_key s_nwk_s_int_key;
	struct lw_key nwk_s_enc_key;
	struct lw_key app_s_key;
};

void lw_session_keys_wipe(struct lw_session_keys *keys);

/* Fills a session under 1.0 rules. `root_key` is AppKey, or the NwkKey of a 1.1 device whose accept said
 * OptNeg 0. `join_nonce` has 24 bits. */
void lw_session_keys_1_0(struct aes *aes, const struct lw_key *root_key, uint32_t join_nonce,
			 struct lw_net_id net_id, uint16_t dev_nonce, struct lw_session_keys *keys);
/* Fills a session under 1.1 rules. For a rejoin `dev_nonce` is RJcount. */
void lw_session_keys_1_1(struct aes *aes, const struct lw_key *nwk_key, const struct lw_key *app_key,
			 uint32_t join_nonce, const struct lw_eui64 *join_eui, uint16_t dev_nonce,
			 struct lw_session_keys *keys);
/* One key of the 1.0 block with any type byte. */
struct lw_key lw_key_1_0(struct aes *aes, const struct lw_key *root_key, uint8_t type, uint32_t join_nonce,
			 struct lw_net_id net_id, uint16_t dev_nonce);

/* JSIntKey: MIC of 1.1 join-accepts and of rejoin type 1. JSEncKey: encrypts accepts to rejoins. */
struct lw_key lw_key_js_int(struct aes *aes, const struct lw_key *nwk_key, const struct lw_eui64 *dev_eui);
struct lw_key lw_key_js_enc(struct aes *aes, const struct lw_key *nwk_key, const struct lw_eui64 *dev_eui);

/* Multicast (TS005): McRootKey from GenAppKey (1.0.x) or AppKey (1.1), McKEKey, McKey_encrypted (an AES
 * decryption, so that the device needs the forward cipher alone), and the group's session keys. */
struct lw_key lw_key_mc_root_1_0(struct aes *aes, const struct lw_key *gen_app_key);
struct lw_key lw_key_mc_root_1_1(struct aes *aes, const struct lw_key *app_key);
struct lw_key lw_key_mc_ke(struct aes *aes, const struct lw_key *mc_root_key);
struct lw_key lw_key_mc_encrypted(struct aes *aes, const struct lw_key *mc_ke_key,
				  const struct lw_key *mc_key);
struct lw_key lw_key_mc_app_s(struct aes *aes, const struct lw_key *mc_key, struct lw_dev_addr mc_addr);
struct lw_key lw_key_mc_nwk_s(struct aes *aes, const struct lw_key *mc_key, struct lw_dev_addr mc_addr);

/* Fragmentation (TS004-2.0.0): DataBlockIntKey from GenAppKey (1.0.x) or AppKey (1.1); signs a data block. */
struct lw_key lw_key_data_block_int(struct aes *aes, const struct lw_key *gen_app_key_or_app_key);

/* Relay (TS011): RootWorSKey from NwkSKey (1.0.x) or NwkSEncKey (1.1), and the keys of the wake-on-radio
 * session. */
struct lw_key lw_key_root_wor_s(struct aes *aes, const struct lw_key *network_key);
struct lw_key lw_key_wor_s_int(struct aes *aes, const struct lw_key *root_wor_s_key,
			       struct lw_dev_addr dev_addr);
struct lw_key lw_key_wor_s_enc(struct aes *aes, const struct lw_key *root_wor_s_key,
			       struct lw_dev_addr dev_addr);

#endif
