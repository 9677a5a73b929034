/* A run: each device has one event to come, the start or the end of a transmission, in a heap by time. */
#include "tests/study/study_parts.h"

#include "common/base/check.h"
#include "simulator/plan.h"
#include "simulator/radio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_M      8000.0
#define UPLINK      30 /* bytes of the frame */
#define DOWNLINK    18
#define EVERY_US    (10 * 60 * INT64_C(1000000)) /* a reading */
#define COPY_US     INT64_C(3000000)             /* from the end of a copy to the next: after both windows */
#define ADR_LIMIT   64
#define ADR_DELAY   32
#define EIRP_DBM    16.0
#define GATEWAY_DBM 16.0
#define WORTH_DBM   (-150.0) /* without fading; less is not drawn */
#define WAIT_MOST   64

enum { DRAW_PLACE, DRAW_PHASE, DRAW_CHANNEL, DRAW_TIME, DRAW_CAR, DRAW_WAY, DRAW_SPEED };

const char *const study_scenario_names[STUDY_SCENARIOS] = {
	[STUDY_STATIC_500] = "static, 500 devices",  [STUDY_STATIC_2000] = "static, 2,000 devices",
	[STUDY_PARKED] = "parked cars, 500 devices", [STUDY_LOST_GATEWAY] = "lost gateway, 500 devices",
	[STUDY_MOVING] = "moving, 500 devices",
};

struct device {
	/* The device's own. */
	uint8_t dr, power, nb_trans, copies; /* copies: of this reading already sent */
	bool sending, delivered, ask_ack;
	bool answers, says; /* LinkADRAns goes with the next reading; with this one */
	uint32_t fcnt, adr_count;
	uint64_t frame;
	float loss_db[STUDY_GATEWAYS];
	/* The server's of it. */
	struct ns_session session;
	struct ns_adr_settings asked;
	bool question;
	uint8_t tries, wait;
};

struct run {
	const struct study_job *job;
	struct study_air air;
	struct device *devices;
	uint32_t count;
	int64_t *due_us;
	int32_t *heap;
	int64_t end_us, measured_us;
	struct study_result *result;
};

/* --- time --- */

static void sift(struct run *run, uint32_t at)
{
	for (;;) {
		uint32_t least = at;
		for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < run->count; child++)
			if (run->due_us[run->heap[child]] < run->due_us[run->heap[least]])
				least = child;
		if (least == at)
			return;
		int32_t swap = run->heap[at];
		run->heap[at] = run->heap[least];
		run->heap[least] = swap;
		at = least;
	}
}

static double chance(const struct run *run, uint32_t device, uint32_t what, uint64_t which)
{
	return study_chance(run->job->seed, device, what, which);
}

/* --- places --- */

static struct study_place place_of(const struct run *run, uint32_t who, uint64_t which)
{
	return (struct study_place){SIDE_M * chance(run, who, DRAW_PLACE, 2 * which),
				    SIDE_M * chance(run, who, DRAW_PLACE, 2 * which + 1)};
}

/* From one random place to the next at the device's speed, all legs as long in time as the city's side takes. */
static struct study_place way(const struct run *run, uint32_t device, int64_t now_us)
{
	double speed = 1 + 14 * chance(run, device, DRAW_SPEED, 0);
	double leg_us = SIDE_M / speed * 1e6;
	double at = (double)now_us / leg_us + chance(run, device, DRAW_WAY, 0);
	uint64_t leg = (uint64_t)at;
	struct study_place from = place_of(run, device, leg), to = place_of(run, device, leg + 1);
	double part = at - (double)leg;
	return (struct study_place){from.x_m + part * (to.x_m - from.x_m),
				    from.y_m + part * (to.y_m - from.y_m)};
}

static void locate(struct run *run, uint32_t device, int64_t now_us)
{
	struct study_place place = place_of(run, device, 0);
	uint32_t cell = 0;
	if (run->job->scenario == STUDY_MOVING) {
		place = way(run, device, now_us);
		cell = 1 + (uint32_t)(place.x_m / 100) * 1000 + (uint32_t)(place.y_m / 100);
	}
	for (uint32_t g = 0; g < STUDY_GATEWAYS; g++) {
		struct study_place there = run->air.gateways[g].place;
		double distance = hypot(place.x_m - there.x_m, place.y_m - there.y_m);
		run->devices[device].loss_db[g] = (float)study_loss_db(run->job->radio, run->job->seed,
								       device, g, hypot(distance, 25), cell);
	}
}

static double car_db(const struct run *run, uint32_t device, int64_t now_us)
{
	if (run->job->scenario != STUDY_PARKED)
		return 0;
	int64_t at = -(int64_t)(8 * chance(run, device, DRAW_CAR, 0) * (double)STUDY_HOUR_US);
	for (uint64_t visit = 1;; visit++) {
		at += (int64_t)((2 + 6 * chance(run, device, DRAW_CAR, 3 * visit)) * (double)STUDY_HOUR_US);
		if (now_us < at)
			return 0;
		at += (int64_t)((2 + 6 * chance(run, device, DRAW_CAR, 3 * visit + 1)) *
				(double)STUDY_HOUR_US);
		if (now_us < at)
			return 10 + 15 * chance(run, device, DRAW_CAR, 3 * visit + 2);
	}
}

/* --- the device --- */

/* §4.3.1.1: nobody has answered for long. */
static void back_off(struct device *device)
{
	device->ask_ack = device->adr_count >= ADR_LIMIT && (device->dr > 0 || device->power > 0);
	if (device->adr_count < ADR_LIMIT + ADR_DELAY || (device->adr_count - ADR_LIMIT) % ADR_DELAY != 0)
		return;
	if (device->power > 0)
		device->power = 0;
	else if (device->dr > 0)
		device->dr--;
	else
		device->nb_trans = 1;
}

static void start(struct run *run, uint32_t index, int64_t now_us)
{
	struct device *device = &run->devices[index];
	struct study_tx *tx = &run->air.txs[index];
	if (device->copies == 0) {
		device->fcnt++;
		device->delivered = false;
		device->adr_count++;
		device->says = device->answers;
		device->answers = false;
		back_off(device);
		if (now_us >= run->measured_us)
			run->result->made++;
		if (run->job->scenario == STUDY_MOVING)
			locate(run, index, now_us);
	}
	device->frame = (uint64_t)device->fcnt * 16 + device->copies;
	device->copies++;
	device->sending = true;
	*tx = (struct study_tx){.start_us = now_us, .sf = (uint8_t)(12 - device->dr)};
	tx->end_us = now_us + sim_airtime_us(tx->sf, 125000, UPLINK, true);
	tx->channel = (uint8_t)(chance(run, index, DRAW_CHANNEL, device->frame) * STUDY_CHANNELS);
	double eirp = EIRP_DBM - 2 * device->power - car_db(run, index, now_us);
	for (uint32_t g = 0; g < STUDY_GATEWAYS; g++) {
		double power = eirp - device->loss_db[g];
		tx->power_dbm[g] = power < WORTH_DBM
					   ? -300
					   : (float)(power + study_fading_db(run->job->radio, run->job->seed,
									     index, g, device->frame));
	}
	study_air_start(&run->air, (int32_t)index);
	run->due_us[index] = tx->end_us;
	if (now_us < run->measured_us)
		return;
	double seconds = (double)(tx->end_us - tx->start_us) * 1e-6;
	run->result->airtime_s += seconds;
	run->result->energy_mj += seconds * study_tx_mw(device->power) + study_listen_mj(tx->sf);
	run->result->frames[device->dr]++;
}

/* --- the server --- */

static void limits_of(struct ns_adr_limits *limits)
{
	*limits = (struct ns_adr_limits){
		.drs = 0x3f, .powers = 0xff, .max_nb_trans = 3, .margin_db = 10, .fixed_dr = 2};
	for (int dr = 0; dr < LW_DATA_RATES; dr++) {
		uint8_t sf = (uint8_t)(12 - dr);
		limits->need_cdb[dr] = (int16_t)(dr < STUDY_DRS ? -2000 + 250 * dr : NS_ADR_NO_NEED);
		if (dr >= STUDY_DRS)
			continue;
		limits->airtime_us[dr] = (uint32_t)sim_airtime_us(sf, 125000, NS_ADR_FRAME, true);
		limits->listen_us[dr] = (uint32_t)(NS_ADR_LISTEN *
						   (sim_symbol_us(sf, 125000) + sim_symbol_us(12, 125000)));
	}
}

/* What the network server does with an uplink's answer, or makes of a data rate that changed (mac/link_adr.c, mac/mac.c). */
static void learn(struct device *device, uint8_t dr)
{
	struct ns_session *session = &device->session;
	bool taken = device->question && (device->says || (dr == device->asked.dr && dr > session->last_dr));
	if (taken) {
		bool changed = session->mac.tx_power != device->asked.power ||
			       session->nb_trans != device->asked.nb_trans;
		session->mac.tx_power = device->asked.power;
		session->nb_trans = device->asked.nb_trans;
		device->question = false;
		device->tries = device->wait = 0;
		if (changed)
			ns_adr_clear(&session->adr);
	} else if (dr < session->last_dr && session->fcnt_up > 0) {
		session->mac.tx_power = 0;
		if (dr == 0)
			session->nb_trans = 1;
	}
}

static bool wants(struct run *run, struct device *device, int best, struct ns_adr_settings *wanted)
{
	struct ns_session *session = &device->session;
	struct ns_adr_input input = {
		.history = &session->adr,
		.span = ns_adr_span(session),
		.now = {session->last_dr, session->mac.tx_power, session->nb_trans},
	};
	limits_of(&input.limits);
	ns_adr_load_share(&run->air.gateways[best].load, STUDY_CHANNELS,
			  (struct mono){run->air.txs[device - run->devices].end_us}, input.busy);
	*wanted = ns_adr_decide(run->job->algorithm, &input).wanted;
	return wanted->dr != input.now.dr || wanted->power != input.now.power ||
	       wanted->nb_trans != input.now.nb_trans;
}

/* True: the device heard an answer in RX1. */
static bool answer(struct run *run, uint32_t index, int best, bool ask)
{
	struct device *device = &run->devices[index];
	const struct study_tx *tx = &run->air.txs[index];
	int64_t start_us = tx->end_us + 1000000;
	int64_t end_us = start_us + sim_airtime_us(tx->sf, 125000, DOWNLINK, false);
	if (!study_air_send(&run->air, best, start_us, end_us))
		return false;
	bool measured = tx->start_us >= run->measured_us;
	run->result->downlinks += measured;
	double power = GATEWAY_DBM - device->loss_db[best] - car_db(run, index, tx->start_us) +
		       study_fading_db(run->job->radio, ~run->job->seed, index, (uint32_t)best,
				       device->frame);
	if (power < sim_radio_sensitivity_dbm(tx->sf, 125000))
		return false;
	if (measured)
		run->result->energy_mj += (double)(end_us - start_us) * 1e-6 * STUDY_RX_MW;
	device->adr_count = 0;
	device->answers = ask;
	if (ask) {
		device->dr = device->asked.dr;
		device->power = device->asked.power;
		device->nb_trans = device->asked.nb_trans;
	}
	return true;
}

/* The first copy that anybody heard. True: the device heard the answer. */
static bool heard(struct run *run, uint32_t index, double snr_db, int best)
{
	struct device *device = &run->devices[index];
	struct ns_session *session = &device->session;
	uint8_t dr = (uint8_t)(12 - run->air.txs[index].sf);
	struct ns_adr_settings wanted;
	device->delivered = true;
	if (run->air.txs[index].start_us >= run->measured_us)
		run->result->delivered++;
	learn(device, dr);
	ns_session_note(session, device->fcnt - 1);
	ns_adr_note(&session->adr, dr, (int16_t)sim_radio_reported_snr_cdb(snr_db));
	session->last_dr = dr;
	bool ask = false;
	if (device->wait > 0)
		device->wait--;
	else
		ask = wants(run, device, best, &wanted);
	if (!ask && !device->ask_ack)
		return false;
	if (ask) {
		device->question = true;
		device->asked = wanted;
		device->wait = (uint8_t)(device->tries >= 6 ? WAIT_MOST - 1 : (1u << device->tries) - 1);
		device->tries++;
	}
	return answer(run, index, best, ask);
}

static void end(struct run *run, uint32_t index, int64_t now_us)
{
	struct device *device = &run->devices[index];
	double snr_db = 0;
	int best;
	device->sending = false;
	bool strong;
	bool read = study_air_end(&run->air, (int32_t)index, &snr_db, &best, &strong) != 0;
	if (!read && run->air.txs[index].start_us >= run->measured_us)
		*(strong ? &run->result->drowned : &run->result->weak) += 1;
	bool done = read && !device->delivered && heard(run, index, snr_db, best);
	if (!done && device->copies < device->nb_trans) {
		run->due_us[index] = now_us + COPY_US;
		return;
	}
	device->copies = 0;
	double phase = chance(run, index, DRAW_PHASE, 0) +
		       0.1 * (chance(run, index, DRAW_TIME, device->fcnt) - 0.5);
	run->due_us[index] = (int64_t)(((double)device->fcnt + 0.1 + 0.8 * phase) * (double)EVERY_US);
	if (run->due_us[index] < now_us + COPY_US)
		run->due_us[index] = now_us + COPY_US;
}

/* --- a run --- */

static void prepare(struct run *run)
{
	run->air.radio = run->job->radio;
	for (int i = 0; i < STUDY_CHANNELS; i++)
		run->air.first[i] = -1;
	for (uint32_t g = 0; g < STUDY_GATEWAYS; g++) {
		/* Five by two fields of the city, anywhere in the middle half of each. */
		struct study_place in = place_of(run, UINT32_MAX - g, 0);
		run->air.gateways[g].place = (struct study_place){SIDE_M / 5 * (g % 5 + 0.25) + in.x_m / 10,
								  SIDE_M / 2 * (g / 5 + 0.25) + in.y_m / 4};
	}
	for (uint32_t i = 0; i < run->count; i++) {
		struct device *device = &run->devices[i];
		device->nb_trans = device->session.nb_trans = 1;
		run->heap[i] = (int32_t)i;
		run->due_us[i] = (int64_t)(chance(run, i, DRAW_PHASE, 0) * (double)EVERY_US);
		locate(run, i, 0);
	}
	for (uint32_t i = run->count; i-- > 0;)
		sift(run, i);
}

static void lose_gateway(struct run *run)
{
	int busiest = 0;
	for (int g = 1; g < STUDY_GATEWAYS; g++)
		if (run->air.gateways[g].heard > run->air.gateways[busiest].heard)
			busiest = g;
	run->air.gateways[busiest].off = true;
}

void study_run(const struct study_job *job, struct study_result *result)
{
	struct run run = {.job = job, .result = result};
	bool loses = job->scenario == STUDY_LOST_GATEWAY, lost = false;
	run.count = job->scenario == STUDY_STATIC_2000 ? 2000 : 500;
	run.end_us = (job->scenario == STUDY_STATIC_2000 ? 36 : 72) * STUDY_HOUR_US;
	run.measured_us = loses ? run.end_us / 2 : run.end_us / 3;
	*result = (struct study_result){0};
	run.devices = calloc(run.count, sizeof *run.devices);
	run.air.txs = calloc(run.count, sizeof *run.air.txs);
	run.due_us = calloc(run.count, sizeof *run.due_us);
	run.heap = calloc(run.count, sizeof *run.heap);
	ASSERT(run.devices && run.air.txs && run.due_us && run.heap);
	prepare(&run);
	for (;;) {
		uint32_t index = (uint32_t)run.heap[0];
		int64_t now_us = run.due_us[index];
		if (now_us >= run.end_us)
			break;
		if (loses && !lost && now_us >= run.measured_us) {
			lose_gateway(&run);
			lost = true;
		}
		if (run.devices[index].sending)
			end(&run, index, now_us);
		else
			start(&run, index, now_us);
		sift(&run, 0);
	}
	free(run.devices);
	free(run.air.txs);
	free(run.due_us);
	free(run.heap);
}
