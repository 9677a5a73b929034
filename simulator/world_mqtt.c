/* Gateways of the world with ChirpStack's MQTT forwarder: their radio and queue are a sim_gateway's, their bodies chirpstack_gateway.h's.
 *
 *	frame heard ──event/up──▶ backhaul ──▶ port ──▶ broker        statistics, acknowledgements go the same way
 *	air ◀── just-in-time queue ◀── backhaul ◀── sim_world_mqtt_command() ◀── broker
 *
 * A forwarder tries the items of a command in order and says of each what became of it: the first that its queue takes is sent, those
 * behind it are IGNORED. It gives its counter as the context of an uplink, and counts a delay from there. QoS is 0: what is said
 * while there is no connection is lost, and counted. A backhaul that is down breaks the connection. */
#include "simulator/world_parts.h"

#include "simulator/chirpstack_gateway.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_IGNORED 0
#define CODE_RATE_4_5  1
#define CRC_GOOD       2

/* On its way, up or down. */
struct parcel {
	char what[16]; /* "event/up" */
	size_t length;
	uint8_t bytes[];
};

static void put_id(const struct sim_gateway *gateway, char id[LW_EUI64_TEXT])
{
	lw_eui64_format(id, &gateway->config.eui);
}

static struct parcel *pack(const char *what, const uint8_t *bytes, size_t length)
{
	struct parcel *parcel = malloc(sizeof *parcel + length);
	ASSERT(parcel != NULL);
	snprintf(parcel->what, sizeof parcel->what, "%s", what);
	parcel->length = length;
	memcpy(parcel->bytes, bytes, length);
	return parcel;
}

static void say(struct sim_world *world, size_t g, const char *what, const uint8_t *bytes, size_t length)
{
	struct sim_world_mqtt *mqtt = world->mqtts[g];
	if (!mqtt->facts.connected) {
		mqtt->facts.lost++;
		return;
	}
	int64_t due_us = world->now_us + sim_world_passage_us(world, g);
	mqtt->up_us = due_us > mqtt->up_us ? due_us : mqtt->up_us;
	sim_world_schedule(world, mqtt->up_us, SIM_EVENT_MQTT_UP, g, pack(what, bytes, length));
}

/* --- up --- */

bool sim_world_mqtt_hears(struct sim_world *world, size_t g)
{
	struct sim_gateway *gateway = &world->gateways[g];
	struct sim_world_mqtt *mqtt = world->mqtts[g];
	struct semtech_rxpk rxpk;
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char id[LW_EUI64_TEXT];
	bool went = false;
	put_id(gateway, id);
	while (sim_gateway_take_heard(gateway, &rxpk)) {
		struct sim_chirpstack_up up = {.id = id,
					       .phy_length = rxpk.length,
					       .freq_hz = (uint32_t)rxpk.freq_hz,
					       .modulation = {.kind = SIM_CHIRPSTACK_LORA,
							      .bandwidth_hz = rxpk.bandwidth_hz,
							      .spreading_factor = rxpk.spreading_factor,
							      .code_rate = CODE_RATE_4_5},
					       .rssi_dbm = rxpk.rssi_dbm,
					       .snr_db = (float)rxpk.snr_cdb / 100,
					       .crc = CRC_GOOD,
					       .uplink_id = ++mqtt->uplink_id,
					       .channel = rxpk.chan,
					       .rf_chain = rxpk.rfch,
					       .context_length = 4,
					       .gps_time_us = rxpk.has_gps ? rxpk.gps_us : 0,
					       .unix_time_us = gateway->config.start.us + world->now_us};
		struct wr context = wr_init(up.context, sizeof up.context);
		wr_u32be(&context, rxpk.tmst.us);
		ASSERT_CMP(rxpk.length, <=, sizeof up.phy);
		memcpy(up.phy, rxpk.phy, rxpk.length);
		went = went || mqtt->facts.connected;
		mqtt->facts.uplinks++;
		say(world, g, "event/up", bytes, sim_chirpstack_write_up(bytes, &up));
	}
	return went;
}

static void report(struct sim_world *world, size_t g)
{
	struct sim_gateway *gateway = &world->gateways[g];
	const struct semtech_stat *stat = &gateway->interval;
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char id[LW_EUI64_TEXT];
	double latitude_deg, longitude_deg;
	put_id(gateway, id);
	sim_gateway_place(gateway, &latitude_deg, &longitude_deg);
	size_t length = sim_chirpstack_write_stats(bytes, id, (uint32_t)stat->received,
						   (uint32_t)stat->received_good,
						   (uint32_t)stat->transmissions, latitude_deg, longitude_deg,
						   SIM_GATEWAY_ALTITUDE_M, "simulated");
	gateway->interval = (struct semtech_stat){0};
	world->mqtts[g]->facts.stats++;
	say(world, g, "event/stats", bytes, length);
}

void sim_world_on_mqtt(struct sim_world *world, size_t g)
{
	const struct sim_gateway_config *config = &world->gateways[g].config;
	if (config->stat_us == 0)
		return;
	if (world->now_us > 0 && !world->gateways[g].off)
		report(world, g);
	sim_world_schedule(world, world->now_us + config->stat_us, SIM_EVENT_MQTT, g, NULL);
}

void sim_world_on_mqtt_up(struct sim_world *world, size_t g, const void *owned)
{
	const struct parcel *parcel = owned;
	sim_world_mix(world, parcel->bytes, parcel->length);
	if (world->mqtt_port.publish != NULL && world->mqtts[g]->facts.connected)
		world->mqtt_port.publish(world->mqtt_port.ctx, g, parcel->what, parcel->bytes,
					 parcel->length);
	else
		world->mqtts[g]->facts.lost++;
}

/* --- down --- */

/* False: the forwarder cannot tell when to send it. */
static bool to_txpk(const struct sim_chirpstack_item *item, struct sim_txpk *txpk)
{
	struct rd context = rd_init(item->context, item->context_length);
	*txpk = (struct sim_txpk){.freq_hz = item->freq_hz,
				  .has_power = true,
				  .power_dbm = item->power_dbm,
				  .inverted = item->modulation.inverted,
				  .no_crc = item->modulation.no_crc,
				  .preamble = item->modulation.preamble,
				  .length = item->phy_length};
	memcpy(txpk->phy, item->phy, item->phy_length);
	txpk->modulation = (struct lw_modulation){
		.kind = LW_LORA,
		.bandwidth_hz = item->modulation.bandwidth_hz,
		.spreading_factor = (uint8_t)item->modulation.spreading_factor};
	if (item->modulation.kind == SIM_CHIRPSTACK_FSK)
		txpk->modulation = (struct lw_modulation){.kind = LW_FSK,
							  .bit_rate_bps = item->modulation.bit_rate};
	switch (item->timing) {
	case SIM_CHIRPSTACK_NOW: txpk->timing = SIM_TIMING_NOW; return true;
	case SIM_CHIRPSTACK_GPS:
		txpk->timing = SIM_TIMING_GPS;
		txpk->tmms = (uint64_t)(item->time_us / US_PER_MS);
		return item->time_us >= 0;
	case SIM_CHIRPSTACK_DELAY:
		txpk->timing = SIM_TIMING_TICKS;
		txpk->tmst = gw_ticks_add((struct gw_ticks){rd_u32be(&context)}, item->time_us);
		return rd_ok(&context) && rd_left(&context) == 0;
	}
	return false;
}

/* A status of the interface is one above the forwarder's own code: OK is 1, TOO_LATE 2. */
static uint32_t try_item(struct sim_world *world, size_t g, const struct sim_chirpstack_down *down, size_t i)
{
	struct sim_gateway *gateway = &world->gateways[g];
	struct sim_txpk txpk;
	int power_dbm;
	if (!to_txpk(&down->items[i], &txpk))
		return 10; /* INTERNAL_ERROR */
	enum sim_jit_verdict verdict = sim_gateway_schedule(gateway, world->now_us, &txpk, (uint16_t)down->id,
							    &power_dbm);
	gateway->counters.refused[verdict]++;
	return (uint32_t)verdict + 1;
}

static void carry_out(struct sim_world *world, size_t g, const struct sim_chirpstack_down *down)
{
	uint32_t statuses[SIM_CHIRPSTACK_ITEMS_MAX] = {STATUS_IGNORED};
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char id[LW_EUI64_TEXT];
	put_id(&world->gateways[g], id);
	world->gateways[g].interval.downlinks++;
	for (size_t i = 0; i < down->count; i++) {
		statuses[i] = try_item(world, g, down, i);
		if (statuses[i] == (uint32_t)SIM_JIT_OK + 1)
			break;
	}
	say(world, g, "event/ack", bytes,
	    sim_chirpstack_write_ack(bytes, id, down->id, statuses, down->count));
}

void sim_world_on_mqtt_down(struct sim_world *world, size_t g, const void *owned)
{
	const struct parcel *parcel = owned;
	struct sim_world_mqtt *mqtt = world->mqtts[g];
	static struct sim_chirpstack_down down;
	char id[LW_EUI64_TEXT];
	if (world->gateways[g].off || !mqtt->facts.connected)
		return;
	put_id(&world->gateways[g], id);
	mqtt->facts.commands++;
	const char *wrong = sim_chirpstack_read_down(parcel->bytes, parcel->length, &down);
	if (wrong == NULL && strcmp(down.gateway, id) != 0)
		wrong = "a command for another gateway";
	if (wrong != NULL) {
		mqtt->facts.refused++;
		snprintf(mqtt->facts.why, sizeof mqtt->facts.why, "%s", wrong);
		return;
	}
	carry_out(world, g, &down);
	sim_world_settle_gateway(world, g);
}

/* --- from outside --- */

void sim_world_mqtt_connected(struct sim_world *world, int64_t now_us, size_t g, bool connected)
{
	(void)now_us;
	world->mqtts[g]->facts.connects += connected;
	world->mqtts[g]->facts.connected = connected;
}

void sim_world_mqtt_command(struct sim_world *world, int64_t now_us, size_t g, const uint8_t *bytes,
			    size_t length)
{
	struct sim_world_mqtt *mqtt = world->mqtts[g];
	int64_t due_us = now_us + sim_world_passage_us(world, g);
	mqtt->down_us = due_us > mqtt->down_us ? due_us : mqtt->down_us;
	sim_world_schedule(world, mqtt->down_us, SIM_EVENT_MQTT_DOWN, g, pack("", bytes, length));
}

const struct sim_mqtt_facts *sim_world_mqtt(const struct sim_world *world, size_t g)
{
	return world->mqtts[g] != NULL ? &world->mqtts[g]->facts : NULL;
}

void sim_world_connect_mqtt(struct sim_world *world, struct sim_mqtt_port port)
{
	world->mqtt_port = port;
}

void sim_world_mqtt_fault(struct sim_world *world, size_t g)
{
	const struct sim_gateway *gateway = &world->gateways[g];
	bool cut = gateway->off || gateway->backhaul_down;
	if (cut)
		world->mqtts[g]->facts.connected = false;
	if (world->mqtt_port.cut != NULL)
		world->mqtt_port.cut(world->mqtt_port.ctx, g, cut);
}

/* --- life --- */

bool sim_world_mqtts_init(struct sim_world *world)
{
	world->mqtts = calloc(world->scenario->gateway_count + 1, sizeof(struct sim_world_mqtt *));
	if (world->mqtts == NULL)
		return false;
	for (size_t g = 0; g < world->scenario->gateway_count; g++) {
		if (!world->scenario->gateways[g].config.is_mqtt)
			continue;
		world->mqtts[g] = calloc(1, sizeof *world->mqtts[g]);
		if (world->mqtts[g] == NULL)
			return false;
		sim_world_on_mqtt(world, g);
	}
	return true;
}

void sim_world_mqtts_free(struct sim_world *world)
{
	for (size_t g = 0; world->mqtts != NULL && g < world->scenario->gateway_count; g++)
		free(world->mqtts[g]);
	free(world->mqtts);
}
