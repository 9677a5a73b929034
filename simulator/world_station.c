/* Gateways of the world that are Basics Stations: their radio is a sim_gateway's, their words a sim_station's.
 *
 *	frame heard ──▶ sim_station_hear() ──act──▶ backhaul ──▶ port ──▶ socket
 *	air ◀── sim_station_transmit() ◀── sim_station_receive() ◀── backhaul ◀── sim_world_station_*()
 *
 * TCP keeps the order and loses nothing while it stands: a text never overtakes another, and what the backhaul loses comes a
 * retransmission later. A backhaul that is down breaks the connection, and none comes about until it is back. What happened at the
 * socket of a connection that the station has left is not told to it: each connection has a number, `asked` where the station asked
 * for it, `given` where the port has it. */
#include "simulator/world_parts.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRANSMISSION_US INT64_C(200000)
#define REFUSED_US        INT64_C(1000000) /* until a connection over a dead backhaul is given up */

enum happened { HAPPENED_OPEN, HAPPENED_CLOSED, HAPPENED_TEXT };

/* On its way up. */
struct deed {
	uint32_t number; /* of the connection */
	struct sim_station_act act;
};

/* On its way down. */
struct word {
	enum happened what;
	uint32_t number; /* of the connection */
	size_t length;
	char text[];
};

static struct sim_world_station *station_of(struct sim_world *world, size_t g)
{
	struct sim_world_station *of = world->gateways[g].config.is_station ? world->stations[g] : NULL;
	ASSERT(of != NULL);
	return of;
}

/* --- through the backhaul, in order --- */

int64_t sim_world_passage_us(struct sim_world *world, size_t g)
{
	int64_t delay_us = sim_gateway_backhaul_us(&world->gateways[g]);
	return delay_us >= 0 ? delay_us : world->gateways[g].config.backhaul_us + RETRANSMISSION_US;
}

static int64_t in_order(int64_t *last_us, int64_t due_us)
{
	*last_us = due_us > *last_us ? due_us : *last_us;
	return *last_us;
}

static void put_down(struct sim_world *world, int64_t due_us, size_t g, uint32_t number, enum happened what,
		     const char *text, size_t length)
{
	struct sim_world_station *of = station_of(world, g);
	struct word *word = malloc(sizeof *word + length);
	ASSERT(word != NULL);
	*word = (struct word){.what = what, .number = number, .length = length};
	if (length > 0)
		memcpy(word->text, text, length);
	sim_world_schedule(world, in_order(&of->down_us, due_us), SIM_EVENT_STATION_DOWN, g, word);
}

static void put_up(struct sim_world *world, size_t g, const struct sim_station_act *act)
{
	struct sim_world_station *of = station_of(world, g);
	if (act->kind == SIM_STATION_OPEN)
		of->asked++;
	if (world->gateways[g].backhaul_down) {
		if (act->kind == SIM_STATION_OPEN) {
			of->given = of->asked; /* nobody is told of it */
			put_down(world, world->now_us + REFUSED_US, g, of->asked, HAPPENED_CLOSED, NULL, 0);
		}
		return;
	}
	size_t bytes = offsetof(struct deed, act.text) + act->length + 1;
	struct deed *deed = malloc(bytes);
	ASSERT(deed != NULL);
	deed->number = of->asked;
	memcpy(&deed->act, act, bytes - offsetof(struct deed, act));
	sim_world_schedule(world, in_order(&of->up_us, world->now_us + sim_world_passage_us(world, g)),
			   SIM_EVENT_STATION_UP, g, deed);
}

/* --- the radio --- */

/* The receiver has what router_config gave. */
static void tune(struct sim_world *world, size_t g)
{
	const struct sim_station *station = &station_of(world, g)->station;
	struct sim_gateway_channel channels[SIM_STATION_CHANNELS];
	size_t count = 0;
	for (size_t i = 0; i < 9; i++) {
		if (station->config.channels_hz[i] == 0)
			continue;
		channels[count++] = (struct sim_gateway_channel){
			station->config.channels_hz[i], i < 8 ? 125000 : station->config.std_bandwidth_hz,
			i < 8 ? 0 : station->config.std_spreading_factor};
	}
	sim_gateway_tune(&world->gateways[g], channels, count);
}

bool sim_world_station_hears(struct sim_world *world, size_t g)
{
	struct semtech_rxpk rxpk;
	bool went = false;
	while (sim_gateway_take_heard(&world->gateways[g], &rxpk)) {
		const struct sim_station_heard heard = {.end_us = world->now_us,
							.freq_hz = (uint32_t)rxpk.freq_hz,
							.spreading_factor = rxpk.spreading_factor,
							.bandwidth_hz = rxpk.bandwidth_hz,
							.rssi_dbm = rxpk.rssi_dbm,
							.snr_cdb = rxpk.snr_cdb,
							.phy = rxpk.phy,
							.length = rxpk.length};
		went = sim_station_hear(&station_of(world, g)->station, world->now_us, &heard) || went;
	}
	return went;
}

static void send_frame(struct sim_world *world, size_t g, const struct sim_station_job *job)
{
	const struct sim_station *station = &station_of(world, g)->station;
	const struct sim_station_rate *rate = &station->config.rates[job->window.dr];
	struct sim_transmission out = {.start_us = job->start_us,
				       .end_us = job->end_us,
				       .power_dbm = sim_station_power_dbm(station, job->window.freq_hz),
				       .token = (uint16_t)job->from.diid};
	out.txpk.freq_hz = job->window.freq_hz;
	out.txpk.inverted = true;
	out.txpk.no_crc = !job->from.add_crc;
	out.txpk.length = job->from.phy_length;
	memcpy(out.txpk.phy, job->from.phy, job->from.phy_length);
	if (rate->spreading_factor == 0) {
		out.txpk.modulation = (struct lw_modulation){.kind = LW_FSK, .bit_rate_bps = 50000};
	} else {
		out.txpk.modulation = (struct lw_modulation){
			.kind = LW_LORA,
			.spreading_factor = (uint8_t)rate->spreading_factor,
			.bandwidth_hz = (uint32_t)rate->bandwidth_khz * 1000};
	}
	sim_gateway_sends(&world->gateways[g], out.start_us, out.end_us);
	sim_world_downlink_starts(world, g, &out);
}

/* --- events --- */

void sim_world_settle_station(struct sim_world *world, size_t g)
{
	static struct sim_station_act act;
	struct sim_world_station *of = station_of(world, g);
	while (sim_station_take(&of->station, &act))
		put_up(world, g, &act);
	sim_world_schedule(world, sim_station_next_us(&of->station), SIM_EVENT_STATION, g, NULL);
}

void sim_world_on_station(struct sim_world *world, size_t g)
{
	struct sim_station *station = &station_of(world, g)->station;
	const struct sim_station_job *job;
	if (world->gateways[g].off || sim_station_next_us(station) > world->now_us)
		return;
	while (sim_station_transmit(station, world->now_us, &job))
		if (!world->gateways[g].mute)
			send_frame(world, g, job);
	sim_station_tick(station, world->now_us);
	sim_world_settle_station(world, g);
}

void sim_world_on_station_up(struct sim_world *world, size_t g, const void *owned)
{
	const struct deed *deed = owned;
	struct sim_world_station *of = station_of(world, g);
	if (deed->number < of->first)
		return;
	sim_world_mix(world, deed->act.text, deed->act.length);
	if (deed->act.kind == SIM_STATION_OPEN)
		of->given = deed->number;
	world->station_port.act(world->station_port.ctx, world->now_us, g, &deed->act);
}

void sim_world_on_station_down(struct sim_world *world, size_t g, const void *owned)
{
	const struct word *word = owned;
	struct sim_world_station *of = station_of(world, g);
	if (world->gateways[g].off || word->number != of->asked)
		return;
	switch (word->what) {
	case HAPPENED_OPEN: sim_station_opened(&of->station, world->now_us); break;
	case HAPPENED_CLOSED: sim_station_closed(&of->station, world->now_us); break;
	case HAPPENED_TEXT:
		sim_station_receive(&of->station, world->now_us, word->text, word->length);
		if (of->station.state == SIM_STATION_RUNNING)
			tune(world, g);
		break;
	}
	sim_world_settle_station(world, g);
}

/* --- faults --- */

static void cut(struct sim_world *world, size_t g)
{
	static const struct sim_station_act act = {.kind = SIM_STATION_CUT};
	struct sim_world_station *of = station_of(world, g);
	world->station_port.act(world->station_port.ctx, world->now_us, g, &act);
	of->first = of->given = ++of->asked; /* what is still on its way of the old one belongs to nobody */
}

void sim_world_station_fault(struct sim_world *world, size_t g, bool breaks, bool restarts)
{
	struct sim_world_station *of = station_of(world, g);
	if (breaks || restarts)
		cut(world, g);
	if (restarts)
		sim_station_restart(&of->station, world->now_us);
	else if (breaks)
		sim_station_closed(&of->station, world->now_us);
	sim_world_settle_station(world, g);
}

/* --- from outside --- */

void sim_world_station_opened(struct sim_world *world, int64_t now_us, size_t g)
{
	put_down(world, now_us + sim_world_passage_us(world, g), g, station_of(world, g)->given,
		 HAPPENED_OPEN, NULL, 0);
}

void sim_world_station_closed(struct sim_world *world, int64_t now_us, size_t g)
{
	put_down(world, now_us + sim_world_passage_us(world, g), g, station_of(world, g)->given,
		 HAPPENED_CLOSED, NULL, 0);
}

void sim_world_station_text(struct sim_world *world, int64_t now_us, size_t g, const char *text,
			    size_t length)
{
	put_down(world, now_us + sim_world_passage_us(world, g), g, station_of(world, g)->given,
		 HAPPENED_TEXT, text, length);
}

void sim_world_station_sent_to(struct sim_world *world, size_t g, const char *tc_uri)
{
	struct sim_station_options *options = &station_of(world, g)->station.options;
	snprintf(options->tc_uri, sizeof options->tc_uri, "%s", tc_uri);
	sim_world_station_fault(world, g, true, true);
}

const struct sim_station *sim_world_station(const struct sim_world *world, size_t g)
{
	return world->gateways[g].config.is_station ? &world->stations[g]->station : NULL;
}

void sim_world_connect_stations(struct sim_world *world, struct sim_station_port port)
{
	world->station_port = port;
}

/* --- life --- */

bool sim_world_stations_init(struct sim_world *world, struct wall start)
{
	world->stations = calloc(world->scenario->gateway_count + 1, sizeof(struct sim_world_station *));
	if (world->stations == NULL)
		return false;
	for (size_t g = 0; g < world->scenario->gateway_count; g++) {
		const struct sim_scenario_gateway *from = &world->scenario->gateways[g];
		if (!from->config.is_station)
			continue;
		world->stations[g] = calloc(1, sizeof *world->stations[g]);
		if (world->stations[g] == NULL)
			return false;
		struct sim_station_options options = {.eui = from->config.eui,
						      .prod = from->prod,
						      .gps = from->config.gps,
						      .allows_commands = from->allows_commands,
						      .drift_ppm = from->config.drift_ppm,
						      .start = start};
		snprintf(options.tc_uri, sizeof options.tc_uri, "%s", from->lns);
		sim_station_init(&world->stations[g]->station, &options, world->scenario->seed * 37 + g);
		if (from->cups)
			sim_station_wait(&world->stations[g]->station);
		sim_world_settle_station(world, g);
	}
	return true;
}

void sim_world_stations_free(struct sim_world *world)
{
	for (size_t g = 0; world->stations != NULL && g < world->scenario->gateway_count; g++)
		free(world->stations[g]);
	free(world->stations);
}
