#include "tests/harness/network_rig.h"

#include "common/base/check.h"
#include "common/crypto/sealed_key.h"
#include "common/lorawan/cipher.h"
#include "common/text/region_yaml.h"
#include "network-server/downlink.h"

#define START    (1000 * US_PER_S)
#define BACKHAUL (30 * US_PER_MS)

struct net_uuid rig_uuid(uint8_t number)
{
	struct net_uuid id = {{0}};
	id.bytes[15] = (uint8_t)(number + 1);
	return id;
}

struct lw_eui64 rig_eui(uint64_t number)
{
	return lw_eui64_from_number(number);
}

static void connect_all(struct rig *rig)
{
	ns_on_bridge(&rig->ns, rig->now, RIG_LINK);
	ns_on_app(&rig->ns, true);
	for (uint64_t i = 1; i <= 3; i++) {
		struct gw_presence presence = {.gateway = rig_eui(i), .online = true, .known = true};
		ns_on_presence(&rig->ns, rig->now, RIG_LINK, ++rig->seq, &presence);
	}
	rig_turn(rig);
}

void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof *rig);
	ASSERT(secret_init() == ST_OK);
	rig->regions = calloc(3, sizeof *rig->regions);
	rig->events = calloc(RIG_SENT_MAX, sizeof *rig->events);
	rig->aes = aes_new();
	ASSERT(rig->regions && rig->events && rig->aes);
	ASSERT(region_load(&rig->regions[0], "eu868") && region_load(&rig->regions[1], "us915") &&
	       region_load(&rig->regions[2], "as923-1"));
	rig->master = secret_master_generate();
	rig->box = secret_box_generate();
	rig->rng = rng_seeded(42);
	rig->now = (struct now){{START}, {INT64_C(1700000000) * US_PER_S}, true};
	ns_config_defaults(&rig->config);
	rig->config.prefixes[0] = (struct lw_dev_addr_prefix){0x26000000, 7};
	rig->config.prefix_count = 1;
	rig->config.regions = rig->regions;
	rig->config.region_count = 3;
	rig->config.max_devices = 64;
	rig->config.max_gateways = 8;
	rig->config.max_frames = 64;
	rig->config.max_remembered = 64;
	rig->config.max_downlinks = 64;
	rig->config.max_joins = 16;
	rig->config.max_items = 64;
	rig->config.epoch = 1;
	rig->config.master = rig->master;
	rig->config.box = rig->box;
	memset(rig->config.kek, 0x4b, sizeof rig->config.kek);
	rig->config.has_kek = true;
	ns_init(&rig->ns, &rig->config, &rig->rng);
	rig_state_begin(rig, true);
	rig_gateway(rig, 1, "eu868", true);
	rig_gateway(rig, 2, "eu868", false);
	rig_gateway(rig, 3, "us915", false);
	rig_profile(rig, 0, LW_MAC_1_0_3, "eu868", NULL);
	rig_state_end(rig);
	connect_all(rig);
}

void rig_extra_channels(struct rig *rig, const char *mhz)
{
	char problem[160];
	struct option_map map = {.count = mhz ? 1 : 0, .entries = {{.label = "eu868"}}};
	if (mhz)
		snprintf(map.entries[0].value, sizeof map.entries[0].value, "%s", mhz);
	ASSERT(ns_extra_channels_init(&rig->config.extra[0], &map, &rig->regions[0], problem,
				      sizeof problem));
	rig->ns.config.extra[0] = rig->config.extra[0];
	rig->ns.wanted[0].version = 0;
}

void rig_release(struct rig *rig)
{
	ns_release(&rig->ns);
	for (size_t i = 0; i < rig->blob_count; i++)
		free(rig->blobs[i].bytes);
	secret_master_free(rig->master);
	secret_box_free(rig->box);
	aes_free(rig->aes);
	free(rig->regions);
	free(rig->events);
}

/* --- what is durable --- */

static void store_write(struct rig *rig, const struct ns_write *write)
{
	size_t i = 0;
	while (i < rig->write_count && (rig->writes[i].kind != write->kind ||
					memcmp(rig->writes[i].key, write->key, sizeof write->key) != 0))
		i++;
	ASSERT_CMP(i, <, RIG_ROWS_MAX);
	rig->writes[i] = *write;
	if (i == rig->write_count)
		rig->write_count++;
}

static void store_session(struct rig *rig, uint32_t slot)
{
	for (size_t i = 0; i < RIG_ROWS_MAX; i++) {
		if (rig->rows[i].used && rig->rows[i].slot != slot)
			continue;
		rig->rows[i].slot = slot;
		rig->rows[i].used = true;
		rig->rows[i].length = ns_slab_holds(&rig->ns.sessions.slab, slot)
					      ? ns_session_row(&rig->ns, slot, rig->rows[i].bytes)
					      : 0;
		return;
	}
	ASSERT(false); /* more sessions than the rig has rows for */
}

static void take_durable(struct rig *rig)
{
	uint32_t slots[256];
	size_t count = ns_fold_slice(&rig->ns, rig->now, slots, 256);
	for (size_t i = 0; i < count; i++)
		store_session(rig, slots[i]);
	for (size_t i = 0; i < rig->ns.write_count; i++)
		store_write(rig, &rig->ns.writes[i]);
	size_t length;
	const uint8_t *turn = ns_journal_turn(&rig->ns.journal, &length);
	if (length > 0) {
		ASSERT_CMP(rig->blob_count, <, RIG_BLOBS_MAX);
		struct rig_blob *blob = &rig->blobs[rig->blob_count++];
		blob->first = rig->ns.journal.first_row;
		blob->length = length;
		blob->bytes = malloc(length);
		ASSERT(blob->bytes);
		memcpy(blob->bytes, turn, length);
	}
	/* Whole blobs that may go do go, so that a test notices what was deleted too early. */
	size_t gone = 0;
	while (gone + 1 < rig->blob_count &&
	       rig->blobs[gone + 1].first - 1 <= ns_journal_deletable(&rig->ns.journal))
		free(rig->blobs[gone++].bytes);
	rig->blob_count -= gone;
	memmove(rig->blobs, rig->blobs + gone, rig->blob_count * sizeof *rig->blobs);
}

static void note_counter(struct rig *rig, const struct gw_downlink *downlink)
{
	struct lw_frame frame;
	if (lw_frame_parse(&frame, downlink->phy, downlink->phy_length, LW_DOWN) != LW_OK)
		return; /* a join-accept */
	uint32_t at = 0, slot = ns_sessions_next(&rig->ns.sessions, frame.dev_addr, &at);
	bool v1_1 = false; /* then frames with a port of an application have a counter of their own */
	for (; slot != NS_NO_SLOT; slot = ns_sessions_next(&rig->ns.sessions, frame.dev_addr, &at))
		v1_1 |= (ns_session_at(&rig->ns.sessions, slot)->flags & NS_SESSION_1_1) != 0;
	bool application = v1_1 && frame.has_fport && frame.fport > 0;
	for (size_t i = 0; i < rig->counter_count; i++)
		if (rig->counters[i].dev_addr == frame.dev_addr.value &&
		    rig->counters[i].fcnt == frame.fcnt && rig->counters[i].application == application &&
		    (rig->counters[i].length != downlink->phy_length ||
		     memcmp(rig->counters[i].phy, downlink->phy, downlink->phy_length) != 0))
			rig->counters_repeated++;
	ASSERT_CMP(rig->counter_count, <, RIG_SENT_MAX);
	rig->counters[rig->counter_count].dev_addr = frame.dev_addr.value;
	rig->counters[rig->counter_count].fcnt = frame.fcnt;
	rig->counters[rig->counter_count].application = application;
	rig->counters[rig->counter_count].length = downlink->phy_length;
	memcpy(rig->counters[rig->counter_count++].phy, downlink->phy, downlink->phy_length);
}

/* What was on the air stands apart: most tests ask for what was told of the device last. */
static void take_event(struct rig *rig, const struct ns_out *out, struct arena *arena)
{
	struct proto_message *event = &rig->events[rig->event_count % RIG_SENT_MAX];
	ASSERT(proto_unpack(event, rig->ns.journal.turn + out->event.offset, out->event.length, arena) ==
	       ST_OK);
	if (event->kind == PROTO_AIR_EVENT)
		rig->airs[rig->air_count++ % RIG_SENT_MAX] = event->air_event;
	else
		rig->event_count++;
}

static void take_sent(struct rig *rig)
{
	struct arena arena;
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < rig->ns.outbox.count; i++) {
		const struct ns_out *out = &rig->ns.outbox.entries[i];
		switch (out->kind) {
		case NS_OUT_ACK: rig->acked_seq = out->seq; break;
		case NS_OUT_DOWNLINK:
			rig->downlinks[rig->downlink_count++ % RIG_SENT_MAX] = out->downlink;
			note_counter(rig, &out->downlink);
			ns_downlink_left(&rig->ns, rig->now.mono, out);
			break;
		case NS_OUT_EVENT: take_event(rig, out, &arena); break;
		case NS_OUT_SEAL: rig->seals[rig->seal_count++ % RIG_SENT_MAX] = out->seal; break;
		case NS_OUT_STATE_APPLIED: rig->applied_version = out->seq; break;
		case NS_OUT_STATE_WANTED: rig->wanted++; break;
		case NS_OUT_JOIN: rig->joins[rig->join_count++ % RIG_SENT_MAX] = out->join; break;
		}
	}
	ns_outbox_clear(&rig->ns.outbox);
	const struct net_join_report *report;
	while (rig->ns.app_connected && (report = ns_join_reports_first(&rig->ns.join_reports))) {
		rig->reports[rig->report_count++ % RIG_SENT_MAX] = *report;
		ns_join_reports_take(&rig->ns.join_reports);
	}
	arena_release(&arena);
}

void rig_turn(struct rig *rig)
{
	take_durable(rig);
	take_sent(rig);
	ns_turn_done(&rig->ns);
}

void rig_restart(struct rig *rig)
{
	ns_release(&rig->ns);
	ns_init(&rig->ns, &rig->config, &rig->rng);
	for (enum ns_write_kind kind = NS_WRITE_PROFILE; kind <= NS_WRITE_META; kind++)
		for (size_t i = 0; i < rig->write_count; i++)
			if (rig->writes[i].kind == kind && !rig->writes[i].deleted)
				ASSERT(ns_load_write(&rig->ns, kind, rig->writes[i].key,
						     rig->writes[i].key_length, rig->writes[i].bytes,
						     rig->writes[i].length) ||
				       rig->config.region_count < 3); /* of one that was taken out */
	for (size_t i = 0; i < RIG_ROWS_MAX && rig->rows[i].used; i++)
		if (rig->rows[i].length > 0)
			(void)!(ns_load_session(&rig->ns, rig->rows[i].slot, rig->rows[i].bytes,
						rig->rows[i].length));
	ns_slab_loaded(&rig->ns.sessions.slab);
	for (size_t i = 0; i < rig->blob_count; i++) {
		struct ns_journal_reader reader;
		struct ns_journal_entry entry;
		ns_journal_read(&reader, rig->blobs[i].first, rig->blobs[i].bytes, rig->blobs[i].length);
		while (ns_journal_entry(&reader, &entry))
			ASSERT(ns_replay(&rig->ns, rig->now, &entry));
		ASSERT(rd_ok(&reader.rd));
	}
	ns_loaded(&rig->ns, rig->now);
	connect_all(rig);
}

/* --- time --- */

static void at(struct rig *rig, struct mono time)
{
	if (time.us <= rig->now.mono.us)
		return;
	rig->now.wall.us += time.us - rig->now.mono.us;
	rig->now.mono = time;
}

void rig_run(struct rig *rig, span_us span)
{
	struct mono end = mono_add(rig->now.mono, span);
	for (struct mono next; (next = ns_next_deadline(&rig->ns)).us <= end.us;) {
		at(rig, next);
		ns_on_tick(&rig->ns, rig->now);
		rig_turn(rig);
	}
	at(rig, end);
}

void rig_run_to(struct rig *rig, span_us time)
{
	rig_run(rig, START + time - rig->now.mono.us);
}

/* --- records --- */

void rig_state_begin(struct rig *rig, bool full)
{
	struct net_state_begin begin = {.city = rig_uuid(200), .full = full};
	ns_on_state_begin(&rig->ns, rig->now, &begin);
}

void rig_state_end(struct rig *rig)
{
	struct net_state_end end = {rig->version};
	ns_on_state_end(&rig->ns, rig->now, &end);
	rig_turn(rig);
}

void rig_profile(struct rig *rig, uint8_t number, enum lw_mac_version version, const char *region,
		 void (*change)(struct net_profile *profile))
{
	struct net_profile profile = {
		.version = ++rig->version, .id = rig_uuid(number), .mac_version = version, .rx2_dr = 255};
	snprintf(profile.region_id, sizeof profile.region_id, "%s", region);
	net_profile_defaults(&profile);
	profile.dev_status_interval_h = 0; /* tests of it ask for it */
	if (change)
		change(&profile);
	ns_on_profile(&rig->ns, rig->now, &profile);
}

void rig_gateway(struct rig *rig, uint64_t number, const char *region, bool token)
{
	rig->proved = (rig->proved & ~(1u << number)) | (unsigned)token << number;
	struct net_gateway gateway = {
		.version = ++rig->version,
		.gateway = {.eui = rig_eui(number), .accept = token ? GW_ACCEPT_TOKEN : GW_ACCEPT_UDP}};
	snprintf(gateway.gateway.region_id, sizeof gateway.gateway.region_id, "%s", region);
	ns_on_gateway(&rig->ns, rig->now, &gateway);
}

static struct lw_key key_of(uint64_t number, uint8_t kind)
{
	struct lw_key key;
	memset(key.bytes, (int)(number * 16 + kind), sizeof key.bytes);
	return key;
}

static void make(struct rig_device *device, uint64_t number, uint32_t dev_addr, bool v1_1)
{
	*device = (struct rig_device){.dev_eui = rig_eui(0x70b3d50000000000 + number),
				      .join_eui = rig_eui(0x1122334455667700),
				      .dev_addr = {dev_addr},
				      .v1_1 = v1_1,
				      .dr = 5};
	device->keys.f_nwk_s_int_key = key_of(number, 1);
	device->keys.s_nwk_s_int_key = key_of(number, v1_1 ? 2 : 1);
	device->keys.nwk_s_enc_key = key_of(number, v1_1 ? 3 : 1);
	device->keys.app_s_key = key_of(number, 4);
}

static void seal(struct rig *rig, const struct rig_device *device, enum sealed_key_kind kind,
		 const struct lw_key *key, uint8_t *sealed)
{
	ASSERT(sealed_key_seal(sealed, secret_box_public(rig->box), kind, device->dev_eui.bytes,
			       key->bytes) == ST_OK);
}

void rig_abp_record(struct rig *rig, struct rig_device *device, struct net_device *record, uint64_t number,
		    uint8_t profile, uint32_t dev_addr, bool v1_1)
{
	make(device, number, dev_addr, v1_1);
	*record = (struct net_device){.version = ++rig->version,
				      .dev_eui = device->dev_eui,
				      .enabled = true,
				      .join_eui = device->join_eui,
				      .profile = rig_uuid(profile),
				      .activation = NET_ABP,
				      .dev_addr = device->dev_addr,
				      .has_nwk_s_key = true,
				      .has_s_nwk_s_int_key = v1_1,
				      .has_nwk_s_enc_key = v1_1};
	seal(rig, device, v1_1 ? SEALED_F_NWK_S_INT_KEY : SEALED_NWK_S_KEY, &device->keys.f_nwk_s_int_key,
	     record->nwk_s_key);
	seal(rig, device, SEALED_S_NWK_S_INT_KEY, &device->keys.s_nwk_s_int_key, record->s_nwk_s_int_key);
	seal(rig, device, SEALED_NWK_S_ENC_KEY, &device->keys.nwk_s_enc_key, record->nwk_s_enc_key);
}

void rig_abp(struct rig *rig, struct rig_device *device, uint64_t number, uint8_t profile, uint32_t dev_addr,
	     bool v1_1)
{
	struct net_device record;
	rig_abp_record(rig, device, &record, number, profile, dev_addr, v1_1);
	rig_state_begin(rig, false);
	ns_on_device(&rig->ns, rig->now, &record);
	rig_state_end(rig);
}

void rig_otaa(struct rig *rig, struct rig_device *device, uint64_t number, uint8_t profile)
{
	make(device, number, 0, false);
	struct net_device record = {.version = ++rig->version,
				    .dev_eui = device->dev_eui,
				    .enabled = true,
				    .join_eui = device->join_eui,
				    .profile = rig_uuid(profile),
				    .activation = NET_OTAA};
	rig_state_begin(rig, false);
	ns_on_device(&rig->ns, rig->now, &record);
	rig_state_end(rig);
}

/* --- frames --- */

uint8_t rig_uplink(struct rig *rig, const struct rig_device *device, const struct rig_frame *wanted,
		   uint8_t *phy)
{
	struct lw_frame frame = {
		.ftype = wanted->confirmed ? LW_CONFIRMED_UP : LW_UNCONFIRMED_UP,
		.dev_addr = device->dev_addr,
		.fcnt = (uint16_t)device->fcnt_up,
		.fctrl = {.ack = wanted->ack,
			  .adr = wanted->adr,
			  .adr_ack_req = wanted->adr_ack_req,
			  .fopts_length = wanted->fopts_length},
		.has_fport = wanted->fport != 0 || wanted->length != 0,
		.fport = wanted->fport,
	};
	uint8_t payload[LW_PHY_PAYLOAD_MAX];
	lw_cipher_frm_payload(rig->aes, wanted->fport ? &device->keys.app_s_key : &device->keys.nwk_s_enc_key,
			      LW_UP, device->dev_addr, device->fcnt_up, wanted->payload, wanted->length,
			      payload);
	frame.frm_payload = payload;
	frame.frm_payload_length = wanted->length;
	if (wanted->fopts_length && device->v1_1)
		lw_cipher_fopts(rig->aes, &device->keys.nwk_s_enc_key, LW_UP, device->dev_addr,
				device->fcnt_up,
				device->fopts_before_erratum ? LW_FOPTS_BEFORE_ERRATUM : LW_FOPTS_FCNT_UP,
				wanted->fopts, wanted->fopts_length, frame.fopts);
	else if (wanted->fopts_length)
		memcpy(frame.fopts, wanted->fopts, wanted->fopts_length);
	uint8_t length = (uint8_t)lw_frame_encode(&frame, phy, LW_PHY_PAYLOAD_MAX);
	ASSERT(length > 0);
	struct lw_mic_input input = {.direction = LW_UP,
				     .dev_addr = device->dev_addr,
				     .fcnt = device->fcnt_up,
				     .ack = wanted->ack,
				     .conf_fcnt = device->conf_fcnt_down,
				     .tx_dr = device->dr,
				     .tx_ch = device->channel,
				     .msg = phy,
				     .length = (uint8_t)(length - 4)};
	lw_frame_set_mic(phy, length,
			 device->v1_1 ? lw_mic_up_1_1(rig->aes, &device->keys.s_nwk_s_int_key,
						      &device->keys.f_nwk_s_int_key, &input)
				      : lw_mic_1_0(rig->aes, &device->keys.f_nwk_s_int_key, &input));
	return length;
}

void rig_hears_on(struct rig *rig, uint64_t gateway, const uint8_t *phy, uint8_t length, span_us late,
		  uint32_t freq_hz, uint8_t dr, int16_t snr_cdb)
{
	const struct lw_region *region = &rig->regions[gateway == 3 ? 1 : gateway == 4 ? 2 : 0];
	struct gw_uplink uplink = {
		.gateway = rig_eui(gateway),
		.phy_length = length,
		.freq_hz = freq_hz,
		.modulation = lw_region_data_rate(region, LW_UP, dr)->modulation,
		.rssi_dbm = (int16_t)(-60 - (int)gateway),
		.has_snr = true,
		.snr_cdb = snr_cdb,
		.ticks = {(uint32_t)(rig->now.mono.us - BACKHAUL - late + (int64_t)gateway * 1000000007)},
		.arrival = {rig->now.wall.us},
		.wall_synchronised = true,
		.protocol = rig->proved & 1u << gateway ? GW_BASICS_STATION : GW_SEMTECH_UDP_V2,
	};
	memcpy(uplink.phy, phy, length);
	ns_on_uplink(&rig->ns, rig->now, RIG_LINK, ++rig->seq, &uplink);
	rig_turn(rig);
}

void rig_hears(struct rig *rig, uint64_t gateway, const uint8_t *phy, uint8_t length, span_us late)
{
	rig_hears_on(rig, gateway, phy, length, late, gateway == 3 ? 903900000 : 868100000,
		     gateway == 3 ? 3 : 5, (int16_t)(800 - 100 * (int)gateway));
}

void rig_tx_ack(struct rig *rig, enum gw_tx_result result)
{
	rig_tx_ack_of(rig, result, "", 0);
}

void rig_tx_ack_of(struct rig *rig, enum gw_tx_result result, const char *cause, uint8_t attempt)
{
	ASSERT(rig->downlink_count > 0);
	const struct gw_downlink *last = &rig->downlinks[(rig->downlink_count - 1) % RIG_SENT_MAX];
	struct gw_tx_ack ack = {.id = last->id,
				.gateway = last->attempts[0].gateway,
				.attempt = attempt,
				.result = result,
				.latency_us = 40 * US_PER_MS};
	snprintf(ack.cause, sizeof ack.cause, "%s", cause);
	ns_on_seq(&rig->ns, rig->now, RIG_LINK, ++rig->seq);
	ns_on_tx_ack(&rig->ns, rig->now, &ack);
	rig_turn(rig);
}

bool rig_last_downlink(struct rig *rig, const struct rig_device *device, struct lw_frame *frame,
		       uint32_t fcnt, uint8_t *commands, uint8_t *length)
{
	if (rig->downlink_count == 0)
		return false;
	const struct gw_downlink *last = &rig->downlinks[(rig->downlink_count - 1) % RIG_SENT_MAX];
	if (lw_frame_parse(frame, last->phy, last->phy_length, LW_DOWN) != LW_OK)
		return false;
	struct lw_mic_input input = {.direction = LW_DOWN,
				     .dev_addr = device->dev_addr,
				     .fcnt = fcnt,
				     .ack = frame->fctrl.ack,
				     .conf_fcnt = (uint16_t)device->fcnt_up,
				     .msg = frame->msg,
				     .length = frame->msg_length};
	struct lw_mic mic = device->v1_1 ? lw_mic_down_1_1(rig->aes, &device->keys.s_nwk_s_int_key, &input)
					 : lw_mic_1_0(rig->aes, &device->keys.f_nwk_s_int_key, &input);
	if (!lw_mic_equal(mic, frame->mic))
		return false;
	if (frame->has_fport && frame->fport == 0) {
		*length = frame->frm_payload_length;
		lw_cipher_frm_payload(rig->aes, &device->keys.nwk_s_enc_key, LW_DOWN, device->dev_addr, fcnt,
				      frame->frm_payload, *length, commands);
	} else {
		*length = frame->fctrl.fopts_length;
		memcpy(commands, frame->fopts, *length);
		if (device->v1_1)
			lw_cipher_fopts(rig->aes, &device->keys.nwk_s_enc_key, LW_DOWN, device->dev_addr,
					fcnt,
					device->fopts_before_erratum ? LW_FOPTS_BEFORE_ERRATUM
					: frame->has_fport           ? LW_FOPTS_AFCNT_DOWN
								     : LW_FOPTS_NFCNT_DOWN,
					frame->fopts, *length, commands);
	}
	return true;
}

unsigned rig_events_of(const struct rig *rig, enum proto_kind kind)
{
	unsigned count = 0;
	for (size_t i = 0; i < rig->event_count && i < RIG_SENT_MAX; i++)
		count += rig->events[i].kind == kind;
	return count;
}
