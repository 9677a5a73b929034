/* Downlinks on their way to the air.
 *
 *	dnmsg ──▶ RX1 in time, free, within its duty cycle? ──yes──▶ queue ──at its start──▶ on the air ──its end──▶ dntxed
 *	             │ no                                              │ displaced by a higher priority
 *	             └──▶ RX2, the same ──no──▶ dropped, counted ◀──── RX2?
 *
 * Class C has one window at once and looks for a place ten times, 100 ms apart. */
#include "simulator/station_parts.h"

#include "simulator/plan.h"

#include "common/base/check.h"

#include <math.h>
#include <string.h>

#define GAP_US   INT64_C(1500) /* between two frames */
#define TRIES    10
#define RETRY_US INT64_C(100000)

const char *sim_station_drop_name(enum sim_station_drop drop)
{
	static const char *const names[SIM_STATION_DROP_COUNT] = {
		"unconfigured", "stale", "late", "far", "busy", "full", "duty_cycle", "no_time", "closed"};
	return drop < SIM_STATION_DROP_COUNT ? names[drop] : "unknown";
}

/* --- power and duty cycle --- */

/* ETSI EN 300 220: share of the time in which a sub-band may be used, 1 in `off_for`. */
static const struct {
	uint32_t min_hz, max_hz;
	int64_t off_for;
	int power_dbm;
} eu868_bands[] = {{863000000, 865000000, 1000, 14}, {865000000, 868000000, 100, 16},
		   {868000000, 868600000, 100, 16},  {868700000, 869200000, 1000, 16},
		   {869400000, 869650000, 10, 27},   {869700000, 870000000, 100, 16}};

static const struct {
	const char *region;
	int power_dbm;
} region_powers[] = {{"EU863", 16}, {"EU868", 16}, {"US902", 26}, {"US915", 26},
		     {"AU915", 30}, {"KR920", 23}, {"IL915", 14}, {"AS923", 13}};

static bool is_european(const struct sim_station *station)
{
	return strncmp(station->config.region, "EU86", 4) == 0;
}

/* Index of the sub-band, or the count for none. */
static size_t band_of(const struct sim_station *station, uint32_t freq_hz)
{
	size_t i = 0;
	while (i < ARRAY_SIZE(eu868_bands) &&
	       (freq_hz < eu868_bands[i].min_hz || freq_hz > eu868_bands[i].max_hz))
		i++;
	return is_european(station) ? i : ARRAY_SIZE(eu868_bands);
}

int sim_station_power_dbm(const struct sim_station *station, uint32_t freq_hz)
{
	int power_dbm = 14;
	for (size_t i = 0; i < ARRAY_SIZE(region_powers); i++)
		if (strncmp(station->config.region, region_powers[i].region, 5) == 0)
			power_dbm = region_powers[i].power_dbm;
	size_t band = band_of(station, freq_hz);
	if (band < ARRAY_SIZE(eu868_bands))
		power_dbm = eu868_bands[band].power_dbm;
	int most = (int)lround(station->config.max_eirp_dbm);
	return most > 0 && most < power_dbm ? most : power_dbm;
}

static bool keeps_duty_cycle(const struct sim_station *station)
{
	return station->options.prod || !station->config.no_duty_cycle;
}

static bool has_airtime(const struct sim_station *station, uint32_t freq_hz, int64_t start_us)
{
	size_t band = band_of(station, freq_hz);
	return !keeps_duty_cycle(station) || band >= ARRAY_SIZE(eu868_bands) ||
	       station->band_free_us[band] <= start_us;
}

/* --- places in the queue --- */

static int64_t airtime_us(const struct sim_station *station, const struct sim_station_window *window,
			  const struct sim_station_dnmsg *dnmsg)
{
	const struct sim_station_rate *rate = &station->config.rates[window->dr];
	if (rate->spreading_factor == 0)
		return sim_airtime_fsk_us(50000, dnmsg->phy_length);
	return sim_airtime_us((uint8_t)rate->spreading_factor, (uint32_t)rate->bandwidth_khz * 1000,
			      dnmsg->phy_length, dnmsg->add_crc);
}

static bool overlaps(const struct sim_station_job *a, const struct sim_station_job *b)
{
	return a->start_us < b->end_us + GAP_US && b->start_us < a->end_us + GAP_US;
}

/* Whether everything in the way of `job` has a lower priority and is not on the air yet. */
static bool may_have(const struct sim_station *station, const struct sim_station_job *job)
{
	for (size_t i = 0; i < station->job_count; i++) {
		const struct sim_station_job *other = &station->jobs[i];
		if (overlaps(job, other) && (other->on_air || other->from.priority >= job->from.priority))
			return false;
	}
	return true;
}

static void forget(struct sim_station *station, size_t i)
{
	station->queued_bytes -= station->jobs[i].from.phy_length;
	station->jobs[i] = station->jobs[--station->job_count];
}

static void drop(struct sim_station *station, enum sim_station_drop why)
{
	station->counters.dropped[why]++;
}

static void place(struct sim_station *station, int64_t now_us, struct sim_station_job job);

/* What is in the way makes room and looks for another window. */
static void displace(struct sim_station *station, int64_t now_us, const struct sim_station_job *job)
{
	for (size_t i = 0; i < station->job_count;) {
		if (!overlaps(job, &station->jobs[i])) {
			i++;
			continue;
		}
		struct sim_station_job other = station->jobs[i];
		forget(station, i);
		if (other.has_other) {
			other.window = other.other;
			other.start_us = other.other_us;
			other.has_other = false;
			place(station, now_us, other);
		} else {
			drop(station, SIM_STATION_DROP_BUSY);
		}
		i = 0;
	}
}

/* Why a job cannot have its present window; SIM_STATION_DROP_COUNT: it can. */
static enum sim_station_drop judge(const struct sim_station *station, int64_t now_us,
				   struct sim_station_job *job)
{
	job->end_us = job->start_us + airtime_us(station, &job->window, &job->from);
	if (job->start_us < now_us + SIM_STATION_LATE_US)
		return SIM_STATION_DROP_LATE;
	if (job->start_us > now_us + SIM_STATION_AHEAD_US)
		return SIM_STATION_DROP_FAR;
	if (!has_airtime(station, job->window.freq_hz, job->start_us))
		return SIM_STATION_DROP_DUTY_CYCLE;
	return may_have(station, job) ? SIM_STATION_DROP_COUNT : SIM_STATION_DROP_BUSY;
}

static void place(struct sim_station *station, int64_t now_us, struct sim_station_job job)
{
	enum sim_station_drop why;
	while ((why = judge(station, now_us, &job)) != SIM_STATION_DROP_COUNT) {
		if (job.tries > 1) {
			job.tries--;
			job.start_us += RETRY_US;
		} else if (job.has_other) {
			job.has_other = false;
			job.window = job.other;
			job.start_us = job.other_us;
		} else {
			drop(station, why);
			return;
		}
	}
	displace(station, now_us, &job);
	if (station->job_count == SIM_STATION_JOBS ||
	    station->queued_bytes + job.from.phy_length > SIM_STATION_QUEUED_BYTES) {
		drop(station, SIM_STATION_DROP_FULL);
		return;
	}
	station->queued_bytes += job.from.phy_length;
	station->jobs[station->job_count++] = job;
}

/* --- from a message to a job --- */

/* A time in microseconds of GPS; false: the station does not know the time. */
static bool time_of_gps(const struct sim_station *station, int64_t now_us, int64_t gps_us, int64_t *at_us)
{
	*at_us = now_us + gps_us - sim_station_gps_us(station, now_us);
	return station->has_gps_offset;
}

/* When the frame's first window begins. */
static enum sim_station_drop start_of(const struct sim_station *station, int64_t now_us,
				      const struct sim_station_dnmsg *dnmsg, int64_t *at_us)
{
	if (dnmsg->scheduled && dnmsg->on_time_s > 0 && dnmsg->xtime == 0 && dnmsg->gps_time_us == 0) {
		*at_us = llround(dnmsg->on_time_s * 1e6) - station->options.start.us;
	} else if (dnmsg->gps_time_us != 0 && dnmsg->xtime == 0) {
		if (!time_of_gps(station, now_us, dnmsg->gps_time_us, at_us))
			return SIM_STATION_DROP_NO_TIME;
	} else if (dnmsg->device_class == 2 && dnmsg->xtime == 0) {
		*at_us = now_us + SIM_STATION_LEAD_US;
	} else if (dnmsg->device_class == 1) {
		if (!time_of_gps(station, now_us, dnmsg->gps_time_us, at_us))
			return SIM_STATION_DROP_NO_TIME;
	} else if (!sim_station_time_of(station, now_us, dnmsg->xtime, at_us)) {
		return SIM_STATION_DROP_STALE;
	}
	return SIM_STATION_DROP_COUNT;
}

void sim_station_queue_dnmsg(struct sim_station *station, int64_t now_us,
			     const struct sim_station_dnmsg *dnmsg)
{
	int64_t at_us = 0;
	struct sim_station_job job = {.from = *dnmsg, .window = dnmsg->rx1, .silent = dnmsg->scheduled};
	station->counters.downlinks++;
	if (!station->has_config || !station->config.region_known) {
		drop(station, SIM_STATION_DROP_UNCONFIGURED);
		return;
	}
	enum sim_station_drop why = start_of(station, now_us, dnmsg, &at_us);
	if (why != SIM_STATION_DROP_COUNT) {
		drop(station, why);
		return;
	}
	bool class_a = !dnmsg->scheduled && dnmsg->device_class == 0;
	job.start_us = at_us + (class_a ? dnmsg->rx_delay_s * US_PER_S : 0);
	if (class_a) {
		job.has_other = dnmsg->rx1.open && dnmsg->rx2.open;
		job.other = dnmsg->rx2;
		job.other_us = job.start_us + US_PER_S;
	}
	if (!dnmsg->rx1.open) {
		job.window = dnmsg->rx2;
		job.start_us += class_a ? US_PER_S : 0;
	}
	job.tries = dnmsg->device_class == 2 ? TRIES : 0;
	place(station, now_us, job);
}

/* --- onto the air --- */

bool sim_station_transmit(struct sim_station *station, int64_t now_us, const struct sim_station_job **job)
{
	for (size_t i = 0; i < station->job_count; i++) {
		struct sim_station_job *due = &station->jobs[i];
		if (due->on_air || due->start_us > now_us)
			continue;
		due->on_air = true;
		size_t band = band_of(station, due->window.freq_hz);
		if (band < ARRAY_SIZE(eu868_bands))
			station->band_free_us[band] = due->start_us + (due->end_us - due->start_us) *
									      eu868_bands[band].off_for;
		station->counters.sent++;
		*job = due;
		return true;
	}
	return false;
}

void sim_station_queue_tick(struct sim_station *station, int64_t now_us)
{
	for (size_t i = 0; i < station->job_count;) {
		if (!station->jobs[i].on_air || station->jobs[i].end_us > now_us) {
			i++;
			continue;
		}
		sim_station_say_sent(station, &station->jobs[i]);
		forget(station, i);
	}
}

int64_t sim_station_queue_next_us(const struct sim_station *station)
{
	int64_t next_us = INT64_MAX;
	for (size_t i = 0; i < station->job_count; i++) {
		const struct sim_station_job *job = &station->jobs[i];
		int64_t at_us = job->on_air ? job->end_us : job->start_us;
		next_us = at_us < next_us ? at_us : next_us;
	}
	return next_us;
}

void sim_station_queue_clear(struct sim_station *station)
{
	for (size_t i = 0; i < station->job_count; i++)
		station->counters.dropped[SIM_STATION_DROP_CLOSED] += !station->jobs[i].on_air;
	station->job_count = 0;
	station->queued_bytes = 0;
}
