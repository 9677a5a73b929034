/* join.json: what a join server answers. */
#include "tests/vectors/vectors.h"

#include "common/lorawan/join_answer.h"

#include <string.h>

#define NETWORK_LABEL_TEXT 8

struct scene {
	struct lw_join_device device;
	struct bytes phy;
	struct lw_join_parameters parameters;
	uint32_t join_nonce;
};

/* With "1.0" `nwk_key` holds the AppKey. Requests that carry a JoinEUI say what the device's is. */
static struct scene read_scene(struct vector *vector)
{
	struct scene scene = {.phy = v_bytes(vector, "request_phy")};
	const char *version = v_text(vector, "mac_version");
	struct lw_join_request request;
	if (!lw_mac_version_parse(version, &scene.device.mac_version))
		v_fail(vector, "input.mac_version", "a version", version);
	if (scene.device.mac_version >= LW_MAC_1_1_0) {
		scene.device.nwk_key = v_key(vector, "nwk_key");
		scene.device.app_key = v_key(vector, "app_key");
	} else {
		scene.device.app_key = v_key(vector, "nwk_key");
	}
	if (lw_join_request_parse(&request, scene.phy.at, scene.phy.length) == LW_OK) {
		scene.device.join_eui = request.join_eui;
		scene.device.dev_eui = request.dev_eui;
	}
	if (v_has(vector, "join_eui"))
		scene.device.join_eui = v_eui(vector, "join_eui");
	if (v_has(vector, "dev_eui"))
		scene.device.dev_eui = v_eui(vector, "dev_eui");
	scene.parameters.net_id = v_net_id(vector, "net_id");
	scene.parameters.dev_addr = v_dev_addr(vector, "dev_addr");
	scene.parameters.dl_settings = lw_dl_settings_decode((uint8_t)v_hex_number(vector, "dl_settings"));
	scene.parameters.rx_delay = (uint8_t)v_uint(vector, "rx_delay");
	struct bytes cflist = v_bytes(vector, "cflist");
	scene.parameters.has_cflist = cflist.length > 0;
	if (cflist.length != 0 && cflist.length != LW_CFLIST_LENGTH)
		v_fail(vector, "input.cflist", "0 or 16 bytes", "another length");
	else
		memcpy(scene.parameters.cflist, cflist.at, cflist.length);
	scene.join_nonce = (uint32_t)v_hex_number(vector, "join_nonce");
	return scene;
}

static enum lw_join_result answer_scene(struct vector *vector, const struct scene *scene,
					struct lw_join_answer *answer)
{
	struct lw_join_attempt attempt;
	enum lw_join_result result = lw_join_read(vector->aes, &scene->device, scene->phy.at,
						  scene->phy.length, &attempt);
	if (result == LW_JOIN_SUCCESS)
		result = lw_join_answer(vector->aes, &scene->device, &attempt, &scene->parameters,
					scene->join_nonce, answer);
	return result;
}

struct named_key {
	const char *name;
	const struct lw_key *key;
};

/* Lists the keys of an answer; returns how many. */
static size_t named_keys(const struct lw_join_answer *answer, struct named_key keys[4])
{
	const struct lw_session_keys *session = &answer->keys;
	size_t count = 0;
	if (answer->is_1_1) {
		keys[count++] = (struct named_key){"f_nwk_s_int_key", &session->f_nwk_s_int_key};
		keys[count++] = (struct named_key){"s_nwk_s_int_key", &session->s_nwk_s_int_key};
		keys[count++] = (struct named_key){"nwk_s_enc_key", &session->nwk_s_enc_key};
	} else {
		keys[count++] = (struct named_key){"nwk_skey", &session->f_nwk_s_int_key};
	}
	keys[count++] = (struct named_key){"app_skey", &session->app_s_key};
	return count;
}

/* The KEK of a label among the input's `keks`, or one with an empty label. */
static struct lw_kek find_kek(struct vector *vector, json_t *keks, const char *label)
{
	struct lw_kek kek = {.length = 0};
	const char *hex = json_string_value(json_object_get(keks, label));
	if (!hex)
		return kek;
	struct vector lookup = *vector;
	lookup.input = json_pack("{s:s}", "kek", hex);
	struct bytes bytes = v_bytes(&lookup, "kek");
	vector->failures = lookup.failures;
	json_decref(lookup.input);
	if (bytes.length <= sizeof kek.bytes && strlen(label) <= LW_KEK_LABEL_MAX) {
		memcpy(kek.label, label, strlen(label));
		memcpy(kek.bytes, bytes.at, bytes.length);
		kek.length = (uint8_t)bytes.length;
	}
	return kek;
}

static void check_envelope(struct vector *vector, json_t *expect, const struct named_key *named,
			   const struct lw_kek *kek)
{
	struct lw_key_envelope envelope = {.length = 0};
	struct lw_key opened;
	json_t *part = x_part(vector, expect, named->name);
	if (lw_key_wrap(kek, named->key, &envelope) != AES_WRAP_OK)
		v_fail(vector, named->name, "an envelope", "a refusal");
	if (envelope.kek_label[0] == '\0')
		x_null(vector, part, "kek_label", true);
	else
		x_text(vector, part, "kek_label", envelope.kek_label);
	x_bytes(vector, part, "aes_key", envelope.bytes, envelope.length);
	if (lw_key_unwrap(kek, &envelope, &opened) != AES_WRAP_OK ||
	    memcmp(opened.bytes, named->key->bytes, sizeof opened.bytes) != 0)
		v_fail(vector, named->name, "the key again", "another from opening the envelope");
}

static void join_server(struct vector *vector)
{
	json_t *keks = json_deep_copy(json_object_get(vector->input, "keks"));
	v_ignore(vector, "keks");
	struct scene scene = read_scene(vector);
	struct lw_join_answer answer = {.phy_length = 0};
	enum lw_join_result result = answer_scene(vector, &scene, &answer);
	x_text(vector, vector->expect, "result", lw_join_result_code(result));
	x_bytes(vector, vector->expect, "phy", answer.phy, answer.phy_length);
	char network_label[NETWORK_LABEL_TEXT];
	lw_net_id_format(network_label, scene.parameters.net_id);
	json_t *expect = x_part(vector, vector->expect, "keys");
	struct named_key keys[4];
	size_t count = named_keys(&answer, keys);
	for (size_t i = 0; i < count; i++) {
		bool app = strcmp(keys[i].name, "app_skey") == 0;
		struct lw_kek kek = find_kek(vector, keks, app ? "lora-app-server" : network_label);
		check_envelope(vector, expect, &keys[i], &kek);
	}
	json_decref(keks);
}

static void otaa_flow(struct vector *vector)
{
	struct scene scene = read_scene(vector);
	struct lw_join_answer answer = {.phy_length = 0};
	enum lw_join_result result = answer_scene(vector, &scene, &answer);
	if (result != LW_JOIN_SUCCESS)
		v_fail(vector, "result", "success", lw_join_result_name(result));
	x_bytes(vector, vector->expect, "phy", answer.phy, answer.phy_length);
	json_t *expect = x_part(vector, vector->expect, "keys");
	struct named_key keys[4];
	size_t count = named_keys(&answer, keys);
	for (size_t i = 0; i < count; i++)
		x_key(vector, expect, keys[i].name, *keys[i].key);
}

static void join_server_error(struct vector *vector)
{
	struct bytes phy = v_bytes(vector, "request_phy");
	json_t *known = json_object_get(vector->input, "known_devices");
	struct lw_join_attempt attempt;
	if (!json_is_array(known) || json_array_size(known) != 0)
		v_fail(vector, "input.known_devices", "[]", "a runner that cannot use another list");
	v_ignore(vector, "known_devices");
	v_ignore(vector, "mac_version"); /* of a device that is not known */
	v_ignore(vector, "dev_eui");
	v_ignore(vector, "net_id");
	x_text(vector, vector->expect, "result",
	       lw_join_result_code(lw_join_read(vector->aes, NULL, phy.at, phy.length, &attempt)));
}

const struct vector_kind vectors_join_server[] = {
	{"join_server", join_server},
	{"otaa_flow", otaa_flow},
	{"join_server_error", join_server_error},
	{NULL, NULL},
};
