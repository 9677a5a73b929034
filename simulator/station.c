#include "simulator/station_parts.h"

#include "common/base/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DISCOVERY_STEP_US INT64_C(10000000) /* 0, 10, 20 .. 60 s */
#define DISCOVERY_STEPS   6
#define MUXS_TRIES        5 /* 1, 2, 4, 8, 16 s; then discovery */
#define TIMESYNC_US       INT64_C(60000000)

const char *sim_station_state_name(enum sim_station_state state)
{
	static const char *const names[SIM_STATION_STATE_COUNT] = {"resting",    "discovering", "asked",
								   "connecting", "configuring", "running"};
	return state < SIM_STATION_STATE_COUNT ? names[state] : "unknown";
}

/* --- what is to be done at the socket --- */

struct sim_station_act *sim_station_put(struct sim_station *station, enum sim_station_act_kind kind)
{
	if (station->act_count == SIM_STATION_ACTS) {
		station->counters.acts_dropped++;
		return NULL;
	}
	size_t at = (station->act_first + station->act_count++) % SIM_STATION_ACTS;
	station->acts[at].kind = kind;
	station->acts[at].length = 0;
	station->acts[at].text[0] = 0;
	return &station->acts[at];
}

void sim_station_say(struct sim_station *station, const char *format, ...)
{
	va_list arguments;
	struct sim_station_act *act = sim_station_put(station, SIM_STATION_SAY);
	if (act == NULL)
		return;
	va_start(arguments, format);
	int length = vsnprintf(act->text, sizeof act->text, format, arguments);
	va_end(arguments);
	ASSERT_CMP(length, >, 0);
	ASSERT_CMP((size_t)length, <, sizeof act->text);
	act->length = (size_t)length;
}

bool sim_station_take(struct sim_station *station, struct sim_station_act *out)
{
	if (station->act_count == 0)
		return false;
	*out = station->acts[station->act_first];
	station->act_first = (station->act_first + 1) % SIM_STATION_ACTS;
	station->act_count--;
	return true;
}

/* --- clocks --- */

static int64_t clock_us(const struct sim_station *station, int64_t at_us)
{
	return llround((double)at_us * (1 + station->options.drift_ppm / 1e6)) + station->clock_offset_us;
}

int64_t sim_station_xtime(const struct sim_station *station, int64_t at_us)
{
	return (int64_t)station->session << 48 | (clock_us(station, at_us) & SIM_XTIME_US);
}

bool sim_station_time_of(const struct sim_station *station, int64_t now_us, int64_t xtime, int64_t *at_us)
{
	if (xtime == 0 || xtime >> 48 != station->session)
		return false;
	int64_t ahead = (xtime & SIM_XTIME_US) - (clock_us(station, now_us) & SIM_XTIME_US);
	*at_us = now_us + llround((double)ahead / (1 + station->options.drift_ppm / 1e6));
	return true;
}

double sim_station_utc_s(const struct sim_station *station, int64_t at_us)
{
	return (double)(station->options.start.us + at_us) / 1e6;
}

int64_t sim_station_gps_us(const struct sim_station *station, int64_t at_us)
{
	return station->has_gps_offset ? clock_us(station, at_us) + station->gps_offset_us : 0;
}

/* --- states --- */

static void go(struct sim_station *station, enum sim_station_state state, int64_t deadline_us)
{
	station->state = state;
	station->deadline_us = deadline_us;
}

static void open_uri(struct sim_station *station, int64_t now_us, const char *uri, const char *path)
{
	struct sim_station_act *act = sim_station_put(station, SIM_STATION_OPEN);
	if (act != NULL)
		act->length = (size_t)snprintf(act->text, sizeof act->text, "%s%s", uri, path);
	station->counters.connects++;
	station->is_closed = false;
	go(station, station->uri[0] != 0 ? SIM_STATION_CONNECTING : SIM_STATION_DISCOVERING,
	   now_us + SIM_STATION_SETUP_US);
}

static void connect_next(struct sim_station *station, int64_t now_us)
{
	if (station->uri[0] != 0)
		open_uri(station, now_us, station->uri, "");
	else
		open_uri(station, now_us, station->options.tc_uri, "/router-info");
}

void sim_station_init(struct sim_station *station, const struct sim_station_options *options, uint64_t seed)
{
	*station = (struct sim_station){
		.options = *options, .rng = rng_seeded(seed), .is_closed = true, .timesync_us = INT64_MAX};
	go(station, SIM_STATION_RESTING, 0);
}

void sim_station_wait(struct sim_station *station)
{
	go(station, SIM_STATION_RESTING, INT64_MAX);
}

void sim_station_restart(struct sim_station *station, int64_t now_us)
{
	struct sim_station_counters counters = station->counters;
	struct sim_station_options options = station->options;
	struct rng rng = station->rng;
	sim_station_init(station, &options, 0);
	station->counters = counters;
	station->rng = rng;
	station->clock_offset_us = -now_us; /* its counter begins again */
	sim_station_put(station, SIM_STATION_SHUT);
	go(station, SIM_STATION_RESTING, now_us);
}

/* Discovery that failed is tried after 0, 10, 20 .. 60 s; a session that ended at the same uri after 1, 2, 4, 8, 16 s. */
static void rest(struct sim_station *station, int64_t now_us)
{
	int64_t delay_us;
	sim_station_queue_clear(station);
	station->has_config = false;
	station->has_gps_offset = false;
	station->timesync_us = INT64_MAX;
	if (station->uri[0] != 0 && station->muxs == MUXS_TRIES) {
		station->uri[0] = 0;
		station->muxs = 0;
		station->discoveries = 0;
	}
	if (station->uri[0] != 0)
		delay_us = US_PER_S << station->muxs++;
	else
		delay_us = DISCOVERY_STEP_US * station->discoveries;
	if (station->uri[0] == 0 && station->discoveries < DISCOVERY_STEPS)
		station->discoveries++;
	go(station, SIM_STATION_RESTING, now_us + delay_us);
}

static void shut(struct sim_station *station, int64_t now_us)
{
	if (!station->is_closed)
		sim_station_put(station, SIM_STATION_SHUT);
	station->is_closed = true;
	rest(station, now_us);
}

void sim_station_opened(struct sim_station *station, int64_t now_us)
{
	const uint8_t *eui = station->options.eui.bytes;
	if (station->state == SIM_STATION_DISCOVERING) {
		go(station, SIM_STATION_ASKED, now_us + SIM_STATION_SETUP_US);
		sim_station_say(station, "{\"router\":\"%x:%x:%x:%x\"}", (unsigned)eui[0] << 8 | eui[1],
				(unsigned)eui[2] << 8 | eui[3], (unsigned)eui[4] << 8 | eui[5],
				(unsigned)eui[6] << 8 | eui[7]);
	} else if (station->state == SIM_STATION_CONNECTING) {
		go(station, SIM_STATION_CONFIGURING, now_us + SIM_STATION_SETUP_US);
		station->session = (uint8_t)(1 + (station->session + rng_below(&station->rng, 254)) % 255);
		sim_station_say_version(station);
	}
}

void sim_station_closed(struct sim_station *station, int64_t now_us)
{
	if (station->is_closed)
		return;
	station->is_closed = true;
	rest(station, now_us);
}

/* --- what the server says --- */

static void on_discovered(struct sim_station *station, int64_t now_us, const char *text, size_t length)
{
	char uri[SIM_STATION_URI_MAX + 1];
	enum sim_station_verdict verdict = sim_station_discovered(text, length, uri);
	station->counters.refused[verdict]++;
	station->counters.discovery_refused += verdict == SIM_STATION_OK && uri[0] == 0;
	if (verdict != SIM_STATION_OK || uri[0] == 0) {
		shut(station, now_us);
		return;
	}
	sim_station_put(station, SIM_STATION_SHUT);
	station->is_closed = true;
	station->discoveries = 0;
	station->muxs = 0;
	snprintf(station->uri, sizeof station->uri, "%s", uri);
	connect_next(station, now_us);
}

static void on_config(struct sim_station *station, int64_t now_us)
{
	if (!station->has_config)
		station->counters.sessions++;
	station->has_config = true;
	station->config = station->down.config;
	station->counters.warnings += station->down.config.warnings;
	station->muxs = 0;
	go(station, SIM_STATION_RUNNING, INT64_MAX);
	station->timesync_us = station->options.gps ? now_us : INT64_MAX;
}

/* A reply halves the way there and back; a push says both times. */
static void on_timesync(struct sim_station *station, int64_t now_us)
{
	const struct sim_station_down *down = &station->down;
	int64_t clock = clock_us(station, now_us), asked = llround(down->txtime);
	if (down->txtime != 0) {
		if (asked > clock || clock - asked > 5 * US_PER_S)
			return;
		station->gps_offset_us = down->gps_time_us - asked - (clock - asked) / 2;
	} else {
		if (down->xtime >> 48 != station->session)
			return;
		station->gps_offset_us = down->gps_time_us - (down->xtime & SIM_XTIME_US);
	}
	station->has_gps_offset = true;
}

static void on_remote(struct sim_station *station, const char *answer)
{
	if (!station->options.allows_commands) {
		station->counters.commands_refused++;
		return;
	}
	station->counters.commands_run++;
	if (answer)
		sim_station_say(station, "%s", answer);
}

static void obey(struct sim_station *station, int64_t now_us)
{
	const struct sim_station_down *down = &station->down;
	if (down->mux_time_s > 0)
		station->mux_offset_s = down->mux_time_s - sim_station_utc_s(station, now_us);
	switch (down->kind) {
	case SIM_STATION_ROUTER_CONFIG: on_config(station, now_us); break;
	case SIM_STATION_DNMSG: sim_station_queue_dnmsg(station, now_us, &down->dnmsg); break;
	case SIM_STATION_DNSCHED:
		for (size_t i = 0; i < down->scheduled; i++)
			sim_station_queue_dnmsg(station, now_us, &down->schedule[i]);
		break;
	case SIM_STATION_TIMESYNC: on_timesync(station, now_us); break;
	case SIM_STATION_RUNCMD: on_remote(station, NULL); break;
	case SIM_STATION_RMTSH: on_remote(station, "{\"msgtype\":\"rmtsh\",\"rmtsh\":[]}"); break;
	case SIM_STATION_GETXTIME:
		sim_station_say(station,
				"{\"msgtype\":\"getxtime\",\"MuxTime\":%.6f,\"ustime\":%lld,\"UTCtime\":%.6f,"
				"\"xtimes\":[%lld]}",
				down->mux_time_s, (long long)clock_us(station, now_us),
				sim_station_utc_s(station, now_us),
				(long long)sim_station_xtime(station, now_us));
		break;
	case SIM_STATION_ERROR:
	case SIM_STATION_NOTHING: break;
	}
}

void sim_station_receive(struct sim_station *station, int64_t now_us, const char *text, size_t length)
{
	struct sim_station_config before;
	station->counters.texts++;
	if (station->state == SIM_STATION_ASKED) {
		on_discovered(station, now_us, text, length);
		return;
	}
	if (station->state != SIM_STATION_CONFIGURING && station->state != SIM_STATION_RUNNING)
		return;
	sim_station_config_default(&before);
	enum sim_station_verdict verdict = sim_station_parse(
		text, length, station->has_config ? &station->config : &before, &station->down);
	station->counters.refused[verdict]++;
	if (verdict == SIM_STATION_OK)
		obey(station, now_us);
	else if (station->down.kind == SIM_STATION_ROUTER_CONFIG)
		shut(station, now_us);
}

/* --- deadlines --- */

int64_t sim_station_next_us(const struct sim_station *station)
{
	int64_t next_us = station->deadline_us;
	if (station->timesync_us < next_us)
		next_us = station->timesync_us;
	int64_t queue_us = sim_station_queue_next_us(station);
	return queue_us < next_us ? queue_us : next_us;
}

void sim_station_tick(struct sim_station *station, int64_t now_us)
{
	sim_station_queue_tick(station, now_us);
	if (station->timesync_us <= now_us) {
		sim_station_say(station, "{\"msgtype\":\"timesync\",\"txtime\":%lld}",
				(long long)clock_us(station, now_us));
		station->timesync_us = now_us + TIMESYNC_US;
	}
	if (station->deadline_us > now_us)
		return;
	if (station->state == SIM_STATION_RESTING)
		connect_next(station, now_us);
	else
		shut(station, now_us); /* no answer in time */
}
