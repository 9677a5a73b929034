#include "common/lorawan/join_answer.h"

#include "common/base/check.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/version.h"

#include <string.h>

#define MIC 4

static const struct result_row {
	const char *name;
	const char *code; /* TS002 1.0 */
} results[LW_JOIN_RESULT_COUNT] = {
	[LW_JOIN_SUCCESS] = {"success", "Success"},
	[LW_JOIN_UNKNOWN_DEV_EUI] = {"unknown_dev_eui", "UnknownDevEUI"},
	[LW_JOIN_MALFORMED] = {"malformed", "MalformedRequest"},
	[LW_JOIN_MIC_FAILED] = {"mic_failed", "MICFailed"},
	[LW_JOIN_BAD_PARAMETERS] = {"bad_parameters", "MalformedRequest"},
	[LW_JOIN_NONCE_EXHAUSTED] = {"join_nonce_exhausted", "JoinReqFailed"},
};

const char *lw_join_result_name(enum lw_join_result result)
{
	return (unsigned)result < LW_JOIN_RESULT_COUNT ? results[result].name : "unknown";
}

const char *lw_join_result_code(enum lw_join_result result)
{
	return (unsigned)result < LW_JOIN_RESULT_COUNT ? results[result].code : "Other";
}

static const struct lw_key *root_key(const struct lw_join_device *device)
{
	return lw_behaves(device->mac_version, LW_TWO_ROOT_KEYS) ? &device->nwk_key : &device->app_key;
}

static enum lw_join_result read_join(struct aes *aes, const struct lw_join_device *device, const uint8_t *phy,
				     size_t length, struct lw_join_attempt *attempt)
{
	struct lw_join_request request;
	if (lw_join_request_parse(&request, phy, length) != LW_OK)
		return LW_JOIN_MALFORMED;
	if (!lw_eui64_equal(&request.dev_eui, &device->dev_eui) ||
	    !lw_eui64_equal(&request.join_eui, &device->join_eui))
		return LW_JOIN_UNKNOWN_DEV_EUI;
	if (!lw_mic_equal(request.mic, lw_mic_join(aes, root_key(device), phy, length - MIC)))
		return LW_JOIN_MIC_FAILED;
	*attempt = (struct lw_join_attempt){.join_req_type = LW_JOIN_REQ_TYPE_JOIN,
					    .join_eui = request.join_eui,
					    .dev_eui = request.dev_eui,
					    .nonce = request.dev_nonce};
	return LW_JOIN_SUCCESS;
}

static enum lw_join_result read_rejoin(struct aes *aes, const struct lw_join_device *device,
				       const uint8_t *phy, size_t length, struct lw_join_attempt *attempt)
{
	struct lw_rejoin_request request;
	if (lw_rejoin_request_parse(&request, phy, length) != LW_OK ||
	    !lw_behaves(device->mac_version, LW_REJOINS))
		return LW_JOIN_MALFORMED;
	if (!lw_eui64_equal(&request.dev_eui, &device->dev_eui) ||
	    (request.type == 1 && !lw_eui64_equal(&request.join_eui, &device->join_eui)))
		return LW_JOIN_UNKNOWN_DEV_EUI;
	if (request.type == 1) {
		struct lw_key js_int_key = lw_key_js_int(aes, &device->nwk_key, &device->dev_eui);
		struct lw_mic mic = lw_mic_join(aes, &js_int_key, phy, length - MIC);
		lw_key_wipe(&js_int_key);
		if (!lw_mic_equal(request.mic, mic))
			return LW_JOIN_MIC_FAILED;
	}
	*attempt = (struct lw_join_attempt){.join_req_type = request.type,
					    .join_eui = device->join_eui,
					    .dev_eui = request.dev_eui,
					    .nonce = request.rj_count};
	return LW_JOIN_SUCCESS;
}

enum lw_join_result lw_join_read(struct aes *aes, const struct lw_join_device *device, const uint8_t *phy,
				 size_t length, struct lw_join_attempt *attempt)
{
	enum lw_ftype ftype;
	if (!device)
		return LW_JOIN_UNKNOWN_DEV_EUI;
	if (lw_classify(phy, length, LW_UP, &ftype) != LW_OK)
		return LW_JOIN_MALFORMED;
	switch (ftype) {
	case LW_JOIN_REQUEST: return read_join(aes, device, phy, length, attempt);
	case LW_REJOIN_REQUEST: return read_rejoin(aes, device, phy, length, attempt);
	default: return LW_JOIN_MALFORMED;
	}
}

/* MIC over the accept in clear, then encryption of all but the MHDR: the table in the header. */
static void protect(struct aes *aes, const struct lw_join_device *device,
		    const struct lw_join_attempt *attempt, bool form_1_1, uint8_t *phy, size_t length)
{
	struct lw_key encryption_key = *root_key(device);
	struct lw_mic mic;
	if (form_1_1) {
		struct lw_key js_int_key = lw_key_js_int(aes, &device->nwk_key, &device->dev_eui);
		mic = lw_mic_join_accept_1_1(aes, &js_int_key, attempt->join_req_type, &attempt->join_eui,
					     attempt->nonce, phy, length - MIC);
		lw_key_wipe(&js_int_key);
		if (attempt->join_req_type != LW_JOIN_REQ_TYPE_JOIN)
			encryption_key = lw_key_js_enc(aes, &device->nwk_key, &device->dev_eui);
	} else {
		mic = lw_mic_join(aes, root_key(device), phy, length - MIC);
	}
	lw_frame_set_mic(phy, length, mic);
	ASSERT(lw_join_accept_encrypt(aes, &encryption_key, phy, length) == LW_OK);
	lw_key_wipe(&encryption_key);
}

enum lw_join_result lw_join_answer(struct aes *aes, const struct lw_join_device *device,
				   const struct lw_join_attempt *attempt,
				   const struct lw_join_parameters *parameters, uint32_t join_nonce,
				   struct lw_join_answer *answer)
{
	bool form_1_1 = parameters->dl_settings.opt_neg;
	bool is_rejoin = attempt->join_req_type != LW_JOIN_REQ_TYPE_JOIN;
	if ((form_1_1 && !lw_behaves(device->mac_version, LW_OPT_NEG)) || (is_rejoin && !form_1_1))
		return LW_JOIN_BAD_PARAMETERS;
	if (join_nonce > 0xffffff)
		return LW_JOIN_NONCE_EXHAUSTED;
	struct lw_join_accept accept = {.join_nonce = join_nonce,
					.net_id = parameters->net_id,
					.dev_addr = parameters->dev_addr,
					.dl_settings = parameters->dl_settings,
					.rx_delay = parameters->rx_delay,
					.has_cflist = parameters->has_cflist};
	memcpy(accept.cflist, parameters->cflist, sizeof accept.cflist);
	struct lw_join_answer built = {.is_1_1 = form_1_1};
	built.phy_length = (uint8_t)lw_join_accept_encode(&accept, built.phy);
	if (built.phy_length == 0)
		return LW_JOIN_BAD_PARAMETERS;
	protect(aes, device, attempt, form_1_1, built.phy, built.phy_length);
	if (form_1_1)
		lw_session_keys_1_1(aes, &device->nwk_key, &device->app_key, join_nonce, &attempt->join_eui,
				    attempt->nonce, &built.keys);
	else
		lw_session_keys_1_0(aes, root_key(device), join_nonce, parameters->net_id, attempt->nonce,
				    &built.keys);
	*answer = built;
	lw_join_answer_wipe(&built);
	return LW_JOIN_SUCCESS;
}

void lw_join_answer_wipe(struct lw_join_answer *answer)
{
	explicit_bzero(answer, sizeof *answer);
}

enum aes_wrap_verdict lw_key_wrap(const struct lw_kek *kek, const struct lw_key *key,
				  struct lw_key_envelope *envelope)
{
	struct lw_key_envelope built = {0};
	if (kek && kek->label[0] != '\0') {
		enum aes_wrap_verdict verdict = aes_wrap(kek->bytes, kek->length, key->bytes,
							 sizeof key->bytes, built.bytes);
		if (verdict != AES_WRAP_OK)
			return verdict;
		memcpy(built.kek_label, kek->label, sizeof built.kek_label);
		built.length = sizeof key->bytes + AES_WRAP_OVERHEAD;
	} else {
		memcpy(built.bytes, key->bytes, sizeof key->bytes);
		built.length = sizeof key->bytes;
	}
	*envelope = built;
	explicit_bzero(&built, sizeof built);
	return AES_WRAP_OK;
}

enum aes_wrap_verdict lw_key_unwrap(const struct lw_kek *kek, const struct lw_key_envelope *envelope,
				    struct lw_key *key)
{
	struct lw_key opened;
	if (envelope->kek_label[0] == '\0') {
		if (envelope->length != sizeof key->bytes)
			return AES_WRAP_DATA_TOO_SHORT;
		memcpy(key->bytes, envelope->bytes, sizeof key->bytes);
		return AES_WRAP_OK;
	}
	if (envelope->length != sizeof key->bytes + AES_WRAP_OVERHEAD)
		return AES_WRAP_DATA_TOO_SHORT;
	if (!kek || strcmp(kek->label, envelope->kek_label) != 0)
		return AES_WRAP_INTEGRITY;
	enum aes_wrap_verdict verdict = aes_unwrap(kek->bytes, kek->length, envelope->bytes, envelope->length,
						   opened.bytes);
	if (verdict == AES_WRAP_OK)
		*key = opened;
	lw_key_wipe(&opened);
	return verdict;
}
