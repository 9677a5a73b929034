#include "tests/harness/join_world.h"

#include "common/base/check.h"
#include "common/lorawan/mic.h"

#include <string.h>

const struct js_peer t_join_here = {.local = true, .rights = JS_RIGHT_ALL, .any_join_eui = true};
const struct lw_key t_app_key = {{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}};
const struct lw_key t_nwk_key = {{8, 7, 6, 5, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1}};

static void add_kek(struct js_options *options, const char *label, uint8_t first)
{
	struct lw_kek *kek = &options->keks[options->kek_count++];
	memset(kek, 0, sizeof *kek);
	memcpy(kek->label, label, strlen(label));
	kek->length = 16;
	kek->bytes[0] = first;
}

void t_join_world_open(struct t_join_world *world)
{
	memset(world, 0, sizeof *world);
	ASSERT(secret_init() == ST_OK);
	world->master = secret_master_generate();
	world->box = secret_box_generate();
	world->rng = rng_seeded(1);
	world->now = (struct now){{1000 * US_PER_S}, {1700000000 * US_PER_S}, true};
	struct js_options *options = &world->options;
	options->net_id.value = 0x010203;
	options->store = t_join_store_init(&world->store);
	options->vault = (struct js_key_vault){.master = world->master, .box = world->box};
	options->aes = aes_new();
	options->rng = &world->rng;
	options->retry_entries = 8;
	add_kek(options, JS_KEK_NETWORK, 1);
	add_kek(options, JS_KEK_APPLICATION, 2);
	add_kek(options, "60000d", 3);
	ASSERT(js_join_init(&world->join, options, world->now) == ST_OK);
}

void t_join_world_close(struct t_join_world *world)
{
	js_join_release(&world->join);
	aes_free(world->options.aes);
	secret_master_free(world->master);
	secret_box_free(world->box);
}

void t_join_world_crash(struct t_join_world *world)
{
	js_join_release(&world->join);
	t_join_store_crash(&world->store);
	ASSERT(js_join_init(&world->join, &world->options, world->now) == ST_OK);
}

struct js_record t_join_record(const struct t_join_world *world, uint64_t version,
			       enum lw_mac_version mac_version)
{
	struct js_record record = {
		.version = version,
		.dev_eui = lw_eui64_from_number(T_DEV_EUI),
		.enabled = true,
		.join_eui = lw_eui64_from_number(T_JOIN_EUI),
		.mac_version = mac_version,
		.app_key_length = SEALED_KEY_LENGTH,
		.nwk_key_length = SEALED_KEY_LENGTH,
		.app_kek_label = JS_KEK_APPLICATION,
	};
	const uint8_t *box = secret_box_public(world->box);
	ASSERT(sealed_key_seal(record.app_key, box, SEALED_APP_KEY, record.dev_eui.bytes, t_app_key.bytes) ==
	       ST_OK);
	ASSERT(sealed_key_seal(record.nwk_key, box, SEALED_NWK_KEY, record.dev_eui.bytes, t_nwk_key.bytes) ==
	       ST_OK);
	return record;
}

void t_join_provision(struct t_join_world *world, const struct js_record *record)
{
	struct js_records *records = &world->records;
	records->full = records->end = world->join.state.city[0] == '\0';
	memcpy(records->city, T_CITY, sizeof records->city);
	records->count = 1;
	records->records[0] = *record;
	ASSERT(js_provisioning_apply(&world->join, world->now, records, &world->applied) == JS_PROVISIONED);
	t_join_store_commit(&world->store);
}

struct bi_message t_join_request(struct t_join_world *world, const struct lw_key *key,
				 enum lw_mac_version version, uint16_t dev_nonce, uint32_t transaction_id)
{
	struct bi_message message = {
		.envelope = {.type = BI_JOIN_REQ,
			     .sender_id = "010203",
			     .receiver_id = "0807060504030201",
			     .transaction_id = transaction_id},
		.join_req = {.mac_version = version,
			     .phy_length = LW_JOIN_REQUEST_LENGTH,
			     .dev_eui = lw_eui64_from_number(T_DEV_EUI),
			     .dev_addr = {0x26000001},
			     .dl_settings = 0x12,
			     .rx_delay = 5},
	};
	struct lw_join_request frame = {
		.join_eui = lw_eui64_from_number(T_JOIN_EUI),
		.dev_eui = lw_eui64_from_number(T_DEV_EUI),
		.dev_nonce = dev_nonce,
	};
	uint8_t *phy = message.join_req.phy_payload;
	ASSERT(lw_join_request_encode(&frame, phy) == LW_JOIN_REQUEST_LENGTH);
	uint8_t mac[AES_BLOCK];
	aes_cmac(world->options.aes, key->bytes, phy, LW_JOIN_REQUEST_LENGTH - 4, mac);
	memcpy(phy + LW_JOIN_REQUEST_LENGTH - 4, mac, 4);
	return message;
}

enum js_verdict t_join_ask_as(struct t_join_world *world, const struct js_peer *peer,
			      const struct bi_message *request, struct bi_message *answer)
{
	char text[BI_WRITTEN_MAX], out[BI_WRITTEN_MAX];
	size_t length = bi_write(request, text, sizeof text);
	struct js_outcome outcome;
	length = js_join_on_message(&world->join, world->now, (const uint8_t *)text, length, peer, out,
				    &outcome);
	struct bi_error error;
	memset(answer, 0, sizeof *answer);
	ASSERT(length == 0 || bi_read(out, length, answer, &error));
	return outcome.verdict;
}

enum js_verdict t_join_ask(struct t_join_world *world, const struct bi_message *request,
			   struct bi_message *answer)
{
	return t_join_ask_as(world, &t_join_here, request, answer);
}
