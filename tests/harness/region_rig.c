#include "tests/harness/region_rig.h"

#include "common/base/check.h"
#include "common/lorawan/mac_command.h"
#include "common/text/region_yaml.h"
#include "network-server/reconfigure.h"
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#define STEP     (10 * US_PER_MS)
#define BACKHAUL (30 * US_PER_MS) /* as the rig has it */
#define PROFILE  9
#define INTERVAL (600 * US_PER_S) /* so that no duty cycle is in the way */

/* --- what the sheet says --- */

static long must(bool there, long value)
{
	ASSERT(there);
	return value;
}

static long value_of(const struct t_region *world, const char *section, const char *key)
{
	long value = 0;
	bool there = t_sheet_value(&world->sheet, section, key, &value);
	return must(there, value);
}

static long cell_of(const char *row, const char *key)
{
	long value = 0;
	bool there = row && t_sheet_cell(row, key, &value);
	return must(there, value);
}

long t_region_dr(const struct t_region *world, bool up, unsigned spreading_factor, uint32_t bandwidth_hz)
{
	const char *row;
	if (spreading_factor == 0) {
		row = t_sheet_row(&world->sheet, "data_rates",
				  (const char *const[]){"modulation: \"fsk\"", NULL});
		return row && cell_of(row, up ? "uplink" : "downlink") ? cell_of(row, "index") : -1;
	}
	for (size_t i = 0; (row = t_sheet_row_at(&world->sheet, "data_rates", i)) != NULL; i++)
		if (t_sheet_has(row, "modulation: \"lora\"") &&
		    cell_of(row, "spreading_factor") == (long)spreading_factor &&
		    cell_of(row, "bandwidth_hz") == (long)bandwidth_hz &&
		    cell_of(row, up ? "uplink" : "downlink"))
			return cell_of(row, "index");
	return -1;
}

long t_region_rx1_dr(const struct t_region *world, long uplink_dr, size_t offset, bool dwell)
{
	char up[32], own[32];
	snprintf(up, sizeof up, "uplink_dr: %ld", uplink_dr);
	snprintf(own, sizeof own, "downlink_dwell_time: %d", dwell);
	const char *row = t_sheet_row(&world->sheet, "rx1_dr_table", (const char *const[]){own, up, NULL});
	if (!row && dwell)
		return t_region_rx1_dr(world, uplink_dr, offset, false);
	long dr;
	return row && t_sheet_item(row, "downlink_dr", offset, &dr) ? dr : -1;
}

static long max_payload(const struct t_region *world, long dr, bool dwell, const char *which)
{
	char rate[32], own[32];
	snprintf(rate, sizeof rate, "dr: %ld", dr);
	snprintf(own, sizeof own, "dwell_time: %d", dwell);
	const char *row = t_sheet_row(&world->sheet, "max_payload_sizes",
				      (const char *const[]){"repeater_compatible: false", own, rate, NULL});
	return row ? cell_of(row, which) : dwell ? max_payload(world, dr, false, which) : 0;
}

long t_region_max_n(const struct t_region *world, long dr, bool dwell)
{
	return max_payload(world, dr, dwell, "n");
}

/* The narrowest sub-band counts. */
static const char *band_of(const struct t_region *world, uint32_t freq_hz)
{
	long narrowest = INT32_MAX;
	const char *row, *best = NULL;
	for (size_t i = 0; (row = t_sheet_row_at(&world->sheet, "sub_bands", i)) != NULL; i++) {
		long low = cell_of(row, "min_hz"), high = cell_of(row, "max_hz");
		if ((long)freq_hz >= low && (long)freq_hz <= high && high - low < narrowest) {
			narrowest = high - low;
			best = row;
		}
	}
	return best;
}

static long max_eirp(const struct t_region *world, uint32_t freq_hz)
{
	const char *row = band_of(world, freq_hz);
	return row ? cell_of(row, "max_eirp_dbm") : value_of(world, "", "default_max_eirp_dbm");
}

int64_t t_region_airtime(const struct t_region *world, uint32_t freq_hz, int64_t until_us)
{
	int64_t sum = 0, since_us = until_us - 3600 * US_PER_S;
	const char *band = band_of(world, freq_hz);
	for (size_t i = world->all_count > T_REGION_SENT ? world->all_count - T_REGION_SENT : 0;
	     i < world->all_count; i++) {
		const struct t_sent *sent = &world->all_sent[i % T_REGION_SENT];
		int64_t start_us = sent->start_us > since_us ? sent->start_us : since_us;
		int64_t end_us = sent->start_us + sent->airtime_us;
		end_us = end_us < until_us ? end_us : until_us;
		if (end_us > start_us && sent->band == band)
			sum += end_us - start_us;
	}
	return sum;
}

static bool in_ranges(const struct t_region *world, uint32_t freq_hz, const char *applies)
{
	const char *row;
	for (size_t i = 0; (row = t_sheet_row_at(&world->sheet, "frequency_ranges", i)) != NULL; i++) {
		long low = cell_of(row, "min_hz"), step = cell_of(row, "grid_step_hz");
		if ((t_sheet_has(row, applies) || t_sheet_has(row, "applies_to: \"uplink_downlink\"")) &&
		    (long)freq_hz >= low && (long)freq_hz <= cell_of(row, "max_hz") &&
		    (step == 0 || ((long)freq_hz - cell_of(row, "grid_first_hz")) % step == 0))
			return true;
	}
	return false;
}

/* --- set-up --- */

void t_region_profile(struct t_region *world)
{
	struct rig *rig = &world->rig;
	rig_state_begin(rig, false);
	world->profile.version = ++rig->version;
	ns_on_profile(&rig->ns, rig->now, &world->profile);
	rig_state_end(rig);
}

void t_region_gateway(struct t_region *world, const char *channel_plan)
{
	struct rig *rig = &world->rig;
	struct net_gateway record = {.version = ++rig->version,
				     .gateway = {.eui = rig_eui(world->gateway), .accept = GW_ACCEPT_UDP}};
	snprintf(record.gateway.region_id, sizeof record.gateway.region_id, "%s", world->id);
	snprintf(record.channel_plan, sizeof record.channel_plan, "%s", channel_plan);
	rig_state_begin(rig, false);
	ns_on_gateway(&rig->ns, rig->now, &record);
	rig_state_end(rig);
}

void t_region_extra(struct t_region *world, const char *extra)
{
	char problem[160];
	struct rig *rig = &world->rig;
	struct option_map map = {.count = 1};
	snprintf(map.entries[0].label, sizeof map.entries[0].label, "%s", world->id);
	snprintf(map.entries[0].value, sizeof map.entries[0].value, "%s", extra);
	if (!ns_extra_channels_init(&rig->config.extra[world->index], &map, &rig->regions[world->index],
				    problem, sizeof problem))
		t_str("extra channels", "", problem);
	rig->ns.config.extra[world->index] = rig->config.extra[world->index];
	rig->ns.wanted[world->index].version = 0;
}

static void add_records(struct t_region *world)
{
	struct rig *rig = &world->rig;
	world->profile = (struct net_profile){
		.id = rig_uuid(PROFILE), .mac_version = LW_MAC_1_0_4, .rx2_dr = 255, .adr = true};
	snprintf(world->profile.region_id, sizeof world->profile.region_id, "%s", world->id);
	net_profile_defaults(&world->profile);
	world->profile.dev_status_interval_h = 0;
	t_region_profile(world);
	struct net_device record = {.version = ++rig->version,
				    .dev_eui = lw_eui64_from_number(T_DEV_EUI),
				    .enabled = true,
				    .join_eui = lw_eui64_from_number(T_JOIN_EUI),
				    .profile = rig_uuid(PROFILE),
				    .activation = NET_OTAA};
	rig_state_begin(rig, false);
	ns_on_device(&rig->ns, rig->now, &record);
	rig_state_end(rig);
	struct js_record keys = t_join_record(&world->join, 1, LW_MAC_1_0_4);
	t_join_provision(&world->join, &keys);
}

void t_region_plan(struct t_region *world, const char *plan)
{
	char problem[160];
	struct rig *rig = &world->rig;
	struct option_map map = {.count = 1};
	struct ns_config config = rig->ns.config;
	snprintf(map.entries[0].label, sizeof map.entries[0].label, "%s", world->id);
	snprintf(map.entries[0].value, sizeof map.entries[0].value, "%s", plan);
	ASSERT(ns_channel_plan_init(&config.channel_plans[world->index], &map, &rig->regions[world->index],
				    problem, sizeof problem));
	ns_reconfigure(&rig->ns, &config);
}

/* Counts what the device was asked. */
static void put_record(void *ctx, const struct sim_record *record)
{
	struct t_region *world = ctx;
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	if (record->kind != SIM_RECORD_DOWNLINK || record->result != SIM_DOWN_ACCEPTED || world->joining)
		return;
	unsigned count = 0, fopts = record->phy[5] & 15u;
	lw_mac_reader_init(&reader, LW_DOWN, record->fport == 0 ? record->payload : record->phy + 8,
			   record->fport == 0 ? record->length : fopts, 100);
	while (lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND)
		count += command.cid == LW_CID_LINK_ADR;
	if (count > 0)
		world->link_adrs = count;
}

void t_region_open(struct t_region *world, const char *id, const char *channel_plan, const char *extra,
		   uint8_t sub_band)
{
	memset(world, 0, sizeof *world);
	world->id = id;
	world->snr_cdb = 900;
	world->index = strcmp(id, "eu868") == 0 ? 0 : strcmp(id, "us915") == 0 ? 1 : 2;
	world->gateway = world->index == 0 ? 1 : world->index == 1 ? 3 : 4;
	t_sheet_open(&world->sheet, id);
	struct rig *rig = &world->rig;
	rig_init(rig);
	if (world->index == 2)
		ASSERT(region_load(&rig->regions[2], id));
	t_join_world_open(&world->join);
	memcpy(rig->config.kek, world->join.options.keks[0].bytes, sizeof rig->config.kek);
	memcpy(rig->ns.config.kek, rig->config.kek, sizeof rig->config.kek);
	t_region_extra(world, extra);
	t_region_gateway(world, channel_plan);
	struct gw_presence presence = {.gateway = rig_eui(world->gateway), .online = true, .known = true};
	ns_on_presence(&rig->ns, rig->now, RIG_LINK, ++rig->seq, &presence);
	rig_turn(rig);
	add_records(world);
	ASSERT(sim_plan_find(id));
	world->plan = *sim_plan_find(id);
	const struct sim_plan *plan = &world->plan;
	const char *fsk = t_sheet_row(&world->sheet, "data_rates",
				      (const char *const[]){"modulation: \"fsk\"", NULL});
	if (fsk)
		world->plan.rates[cell_of(fsk, "index")] = (struct sim_rate){.bit_rate_bps = 50000,
									     .up = true,
									     .down = true,
									     .max_mac_payload = 250,
									     .max_dwell_payload = 250};
	struct sim_device_config config = {
		.name = "device",
		.dev_eui = lw_eui64_from_number(T_DEV_EUI),
		.join_eui = lw_eui64_from_number(T_JOIN_EUI),
		.mac_version = LW_MAC_1_0_4,
		.activation = SIM_OTAA,
		.app_key = t_app_key,
		.plan = plan,
		.sub_band = sub_band,
		.dr = plan->usual_dr,
		.adr = true,
		.confirmed_every = 1,
		.first_us = rig->now.mono.us + US_PER_S,
		.interval_us = INTERVAL,
		.fport = 1,
	};
	sim_device_init(&world->device, &config, 0, rig->aes, 7, (struct sim_sink){put_record, world});
}

void t_region_close(struct t_region *world)
{
	rig_release(&world->rig);
	t_join_world_close(&world->join);
}

struct ns_session *t_region_session(struct t_region *world)
{
	uint32_t at = 0, slot = ns_sessions_next(&world->rig.ns.sessions, world->device.dev_addr, &at);
	return slot == NS_NO_SLOT ? NULL : ns_session_at(&world->rig.ns.sessions, slot);
}

/* --- the join server --- */

static void answer_joins(struct t_region *world)
{
	struct rig *rig = &world->rig;
	while (world->joins_done < rig->join_count) {
		const struct ns_join_call *call = &rig->joins[world->joins_done++ % RIG_SENT_MAX];
		struct bi_message request = {.envelope = {.protocol = BI_PROTOCOL_1_0,
							  .type = BI_JOIN_REQ,
							  .sender_id = "010203",
							  .receiver_id = "0807060504030201",
							  .transaction_id = call->transaction},
					     .join_req = call->request};
		struct bi_message answer;
		world->join.now = rig->now;
		(void)t_join_ask(&world->join, &request, &answer);
		t_join_store_commit(&world->join.store);
		t_int("the join server grants it", BI_SUCCESS, answer.envelope.result);
		ns_on_join_answer(&rig->ns, rig->now, call->transaction, &answer);
		rig_turn(rig);
	}
}

/* --- the air --- */

static void judge_uplink(const struct t_region *world)
{
	const struct sim_uplink *up = &world->uplink;
	const struct sim_device *device = &world->device;
	long dr = t_region_dr(world, true, up->spreading_factor, up->bandwidth_hz);
	t_true("uplink: a data rate of the region", dr >= 0);
	t_true("uplink: a frequency of the region", in_ranges(world, up->freq_hz, "applies_to: \"uplink\""));
	t_true("uplink: no more than the region's payload",
	       (long)up->length - 5 <= max_payload(world, dr, device->uplink_dwell, "m"));
	t_true("uplink: no more than the region's power",
	       up->eirp_dbm <= (double)value_of(world, "", "default_max_eirp_dbm"));
	long limit_ms = value_of(world, "dwell_time", "limit_ms");
	bool limited = value_of(world, "dwell_time", "set_by_tx_param_setup") ? device->uplink_dwell
									      : limit_ms > 0;
	if (limited && up->bandwidth_hz <= 125000)
		t_true("uplink: within the dwell time", up->end_us - up->start_us <= limit_ms * 1000);
}

/* Where and how the region has the answer to the last uplink in a window, as far as the device's settings do not say. */
static void judge_downlink(const struct t_region *world, const struct gw_tx_attempt *attempt,
			   int64_t start_us, int64_t end_us, size_t length)
{
	const struct sim_device *device = &world->device;
	bool join = world->joining, second = attempt->window == GW_RX2;
	long up_dr = t_region_dr(world, true, world->uplink.spreading_factor, world->uplink.bandwidth_hz);
	bool lora = attempt->modulation.kind == LW_LORA;
	long dr = t_region_dr(world, false, lora ? attempt->modulation.spreading_factor : 0,
			      attempt->modulation.bandwidth_hz);
	long delay_s = join ? value_of(world, "defaults", "join_accept_delay1_s") : device->rx_delay_s;
	t_int("downlink: to the microsecond", world->uplink.end_us + (delay_s + second) * US_PER_S, start_us);
	t_true("downlink: LoRa is inverted", attempt->invert_polarity == lora);
	long wanted_dr, wanted_hz;
	if (second) {
		wanted_dr = join ? value_of(world, "rx2", "dr") : device->rx2_dr;
		wanted_hz = join ? value_of(world, "rx2", "frequency_hz") : (long)device->rx2_freq_hz;
	} else {
		wanted_dr = t_region_rx1_dr(world, up_dr, join ? 0 : device->rx1_offset,
					    !join && device->downlink_dwell);
		wanted_hz = (long)world->uplink.freq_hz;
		long modulo;
		if (t_sheet_value(&world->sheet, "rx1_channel", "modulo", &modulo) && modulo > 0) {
			char cell[48];
			snprintf(cell, sizeof cell, "frequency_hz: %ld", wanted_hz);
			const char *up = t_sheet_row(&world->sheet, "uplink_channels",
						     (const char *const[]){cell, NULL});
			snprintf(cell, sizeof cell, "index: %ld", cell_of(up, "index") % modulo);
			wanted_hz = cell_of(t_sheet_row(&world->sheet, "downlink_channels",
							(const char *const[]){cell, NULL}),
					    "frequency_hz");
		} else if (!join && device->channels[device->tx_channel].down_freq_hz != 0) {
			wanted_hz = (long)device->channels[device->tx_channel].down_freq_hz;
		}
	}
	t_int("downlink: data rate", wanted_dr, dr);
	t_int("downlink: frequency", wanted_hz, attempt->freq_hz);
	t_true("downlink: a frequency of the region",
	       in_ranges(world, attempt->freq_hz, "applies_to: \"downlink\""));
	t_int("downlink: power", max_eirp(world, attempt->freq_hz), attempt->power_dbm);
	t_true("downlink: no more than the region's payload",
	       (long)length - 5 <= max_payload(world, wanted_dr, device->downlink_dwell, "m"));
	if (device->downlink_dwell && !join)
		t_true("downlink: within the dwell time",
		       end_us - start_us <= value_of(world, "dwell_time", "limit_ms") * 1000);
}

/* No sub-band is used for longer than its share of any hour. */
static void judge_airtime(struct t_region *world, uint32_t freq_hz, int64_t start_us, int64_t airtime_us)
{
	const char *band = band_of(world, freq_hz);
	world->all_sent[world->all_count++ % T_REGION_SENT] = (struct t_sent){start_us, airtime_us, band};
	if (band && cell_of(band, "duty_cycle_permille") < 1000)
		t_true("downlink: within the sub-band's hour",
		       t_region_airtime(world, freq_hz, start_us + airtime_us) <=
			       cell_of(band, "duty_cycle_permille") * 3600 * 1000);
}

static void answer_gateway(struct t_region *world, const struct gw_downlink *downlink,
			   enum gw_tx_result result)
{
	struct rig *rig = &world->rig;
	struct gw_tx_ack ack = {.id = downlink->id,
				.gateway = downlink->attempts[0].gateway,
				.result = result,
				.latency_us = 40 * US_PER_MS};
	ns_on_seq(&rig->ns, rig->now, RIG_LINK, ++rig->seq);
	ns_on_tx_ack(&rig->ns, rig->now, &ack);
	rig_turn(rig);
}

/* A frame leaves the gateway, and the device hears it or does not. */
static void transmit(struct t_region *world, const struct gw_downlink *downlink)
{
	struct rig *rig = &world->rig;
	const struct gw_tx_attempt *attempt = &downlink->attempts[0];
	uint32_t clock = (uint32_t)(rig->now.mono.us + (int64_t)world->gateway * 1000000007);
	int64_t start_us = rig->now.mono.us + (int32_t)(attempt->ticks.us - clock);
	bool lora = attempt->modulation.kind == LW_LORA;
	int64_t airtime_us = lora ? sim_airtime_us(attempt->modulation.spreading_factor,
						   attempt->modulation.bandwidth_hz, downlink->phy_length,
						   false)
				  : sim_airtime_fsk_us(50000, downlink->phy_length);
	judge_downlink(world, attempt, start_us, start_us + airtime_us, downlink->phy_length);
	unsigned window = attempt->window == GW_RX2;
	world->sent[window]++;
	if (world->refused == (window ? T_RX2_REFUSED : T_RX1_REFUSED)) {
		answer_gateway(world, downlink, GW_TX_COLLISION_PACKET);
		return;
	}
	answer_gateway(world, downlink, GW_TX_OK);
	rig_run(rig, start_us - rig->now.mono.us);
	judge_airtime(world, attempt->freq_hz, start_us, airtime_us);
	if (downlink->phy_length > world->longest)
		world->longest = downlink->phy_length;
	struct sim_downlink frame = {.start_us = start_us,
				     .end_us = start_us + airtime_us,
				     .freq_hz = attempt->freq_hz,
				     .spreading_factor = lora ? attempt->modulation.spreading_factor : 0,
				     .bandwidth_hz = lora ? attempt->modulation.bandwidth_hz : 0,
				     .inverted = attempt->invert_polarity};
	bool listens = sim_device_listens(&world->device, &frame);
	rig_run(rig, airtime_us);
	if (listens)
		world->heard[window] = sim_device_receive(&world->device, rig->now.mono.us, 900,
							  downlink->phy,
							  downlink->phy_length) == SIM_DOWN_ACCEPTED;
}

static void serve(struct t_region *world)
{
	struct rig *rig = &world->rig;
	rig->counter_count = 0;
	answer_joins(world);
	while (world->downlinks_done < rig->downlink_count) {
		struct gw_downlink downlink = rig->downlinks[world->downlinks_done++ % RIG_SENT_MAX];
		transmit(world, &downlink);
	}
}

void t_region_exchange(struct t_region *world)
{
	struct rig *rig = &world->rig;
	struct sim_device *device = &world->device;
	bool on_air = false;
	for (unsigned i = 0; i < 100 && !on_air; i++) {
		rig_run(rig, sim_device_next_us(device) - rig->now.mono.us);
		serve(world);
		on_air = sim_device_tick(device, rig->now.mono.us, &world->uplink);
	}
	if (!t_true("the device sends", on_air))
		return;
	world->joining = device->joining;
	memset(world->heard, 0, sizeof world->heard);
	memset(world->sent, 0, sizeof world->sent);
	world->longest = 0;
	judge_uplink(world);
	long dr = t_region_dr(world, true, world->uplink.spreading_factor, world->uplink.bandwidth_hz);
	rig_run(rig, world->uplink.end_us - rig->now.mono.us + BACKHAUL);
	if (dr >= 0)
		rig_hears_on(rig, world->gateway, world->uplink.phy, (uint8_t)world->uplink.length, 0,
			     world->uplink.freq_hz, (uint8_t)dr, world->snr_cdb);
	while (device->state == SIM_DEVICE_EXCHANGE) {
		serve(world);
		if (device->state != SIM_DEVICE_EXCHANGE)
			break;
		if (sim_device_next_us(device) <= rig->now.mono.us)
			(void)sim_device_tick(device, rig->now.mono.us, &world->uplink);
		else
			rig_run(rig, STEP);
	}
}

bool t_region_join(struct t_region *world)
{
	for (unsigned i = 0; i < 6 && !world->device.joined; i++)
		t_region_exchange(world);
	return t_true("joined", world->device.joined);
}
