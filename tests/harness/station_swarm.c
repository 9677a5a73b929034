#include "tests/harness/station_swarm.h"

#include "tests/harness/process.h"

#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define EVENTS 256

enum phase { WAITING, DISCOVERING, SETTING_UP, UP };

struct station {
	struct t_swarm *swarm;
	struct t_wire *wire;
	enum phase phase;
	bool asked, wants_write;
	double dial_at;
	uint32_t sent;
	uint16_t certificate_length;
	uint8_t *certificate;
	char path[64]; /* where it was told to go; "": to be asked for */
};

struct t_swarm {
	struct t_swarm_options options;
	struct station *stations;
	int epoll;
	unsigned being_made, next_dial;
	double began, turn;
	uint64_t due; /* uplinks, all stations in turn */
	bool quiet;
	struct t_swarm_counts counts;
};

struct t_swarm *t_swarm_new(const struct t_swarm_options *options)
{
	struct t_swarm *swarm = calloc(1, sizeof *swarm);
	ASSERT(swarm != NULL);
	swarm->options = *options;
	if (swarm->options.at_once == 0)
		swarm->options.at_once = 64;
	if (swarm->options.back_off_s <= 0)
		swarm->options.back_off_s = 1;
	swarm->stations = calloc(options->count, sizeof *swarm->stations);
	swarm->epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT(swarm->stations != NULL && swarm->epoll >= 0);
	for (unsigned i = 0; i < options->count; i++) {
		struct station *station = &swarm->stations[i];
		uint8_t der[X509_DER_MAX];
		station->swarm = swarm;
		if (!options->pki)
			continue;
		size_t length = t_pki_gateway(options->pki, options->first_eui + i,
					      (int64_t)time(NULL) * 1000000, der);
		station->certificate = malloc(length);
		ASSERT(station->certificate != NULL);
		memcpy(station->certificate, der, length);
		station->certificate_length = (uint16_t)length;
	}
	swarm->began = swarm->turn = t_seconds();
	return swarm;
}

void t_swarm_free(struct t_swarm *swarm)
{
	for (unsigned i = 0; i < swarm->options.count; i++) {
		t_wire_free(swarm->stations[i].wire);
		free(swarm->stations[i].certificate);
	}
	free(swarm->stations);
	free(swarm);
}

/* --- one station --- */

static uint64_t eui_of(const struct station *station)
{
	return station->swarm->options.first_eui + (uint64_t)(station - station->swarm->stations);
}

static void on_text(void *ctx, struct t_wire *wire, const char *text, size_t length)
{
	struct station *station = ctx;
	(void)wire;
	if (station->phase == DISCOVERING) {
		/* "uri":"wss://host:port/path": the path is what counts, the host is where it is already. */
		const char *uri = memmem(text, length, "\"uri\":\"", 7);
		const char *slashes = uri ? strstr(uri, "://") : NULL;
		const char *path = slashes ? strchr(slashes + 3, '/') : NULL;
		size_t size = path ? strcspn(path, "\"") : 0;
		if (path && size < sizeof station->path)
			snprintf(station->path, sizeof station->path, "%.*s", (int)size, path);
	} else if (station->phase == SETTING_UP && memmem(text, length, "router_config", 13)) {
		station->phase = UP;
		station->swarm->counts.up++;
		station->swarm->being_made--;
	}
}

static void watch(struct station *station, int op)
{
	struct epoll_event event = {.events = EPOLLIN | (t_wire_wants_write(station->wire) ? EPOLLOUT : 0u),
				    .data.ptr = station};
	station->wants_write = t_wire_wants_write(station->wire);
	ASSERT(epoll_ctl(station->swarm->epoll, op, t_wire_fd(station->wire), &event) == 0);
}

static void dial(struct station *station)
{
	const struct t_swarm_options *options = &station->swarm->options;
	bool asks = station->path[0] == 0;
	struct t_wire_options wire = {.port = options->port,
				      .path = asks ? "/router-info" : station->path,
				      .tls = options->tls,
				      .ctx = station,
				      .on_text = on_text};
	if (options->pki) {
		wire.certificate = station->certificate;
		wire.certificate_length = station->certificate_length;
		wire.key = options->pki->gateway_key_der;
		wire.key_length = options->pki->gateway_key_length;
	}
	station->wire = t_wire_open(&wire);
	station->phase = asks ? DISCOVERING : SETTING_UP;
	station->asked = false;
	watch(station, EPOLL_CTL_ADD);
}

/* The connection is over; the descriptor left epoll with its close. */
static void ended(struct station *station)
{
	struct t_swarm *swarm = station->swarm;
	bool told = station->phase == DISCOVERING && station->path[0] != 0;
	swarm->counts.up -= station->phase == UP;
	swarm->counts.ends += station->phase == UP;
	swarm->being_made -= station->phase != UP;
	swarm->counts.failed += station->phase != UP && !told;
	swarm->counts.pings += t_wire_pings(station->wire);
	t_wire_free(station->wire);
	station->wire = NULL;
	station->phase = WAITING;
	station->dial_at = told ? 0 : t_seconds() + swarm->options.back_off_s;
}

static void step(struct station *station)
{
	char text[400];
	enum t_wire_state state = t_wire_pump(station->wire);
	if (state == T_WIRE_OPEN && !station->asked) {
		uint64_t eui = eui_of(station);
		station->asked = true;
		if (station->phase == DISCOVERING)
			snprintf(text, sizeof text, "{\"router\":%" PRIu64 "}", eui);
		else
			snprintf(
				text, sizeof text,
				"{\"msgtype\":\"version\",\"station\":\"2.0.6(swarm)\",\"firmware\":null,"
				"\"package\":null,\"model\":\"swarm\",\"protocol\":2,\"features\":\"prod\"}");
		t_wire_text(station->wire, text);
		state = t_wire_pump(station->wire);
	}
	if (station->phase == DISCOVERING && station->path[0] != 0 && state != T_WIRE_CLOSED) {
		static const uint8_t normal[] = {1000 >> 8, 1000 & 0xff};
		t_wire_frame(station->wire,
			     &(struct t_wire_frame){.head = 0x88, .bytes = normal, .length = 2});
		ended(station);
	} else if (state == T_WIRE_CLOSED) {
		ended(station);
	} else if (t_wire_wants_write(station->wire) != station->wants_write) {
		watch(station, EPOLL_CTL_MOD);
	}
}

static void send_uplink(struct station *station)
{
	char text[512];
	uint32_t index = (uint32_t)(station - station->swarm->stations);
	if (station->phase != UP)
		return;
	int64_t xtime = INT64_C(0x21) << 48 | (int64_t)((t_seconds() - station->swarm->began + 1) * 1e6);
	snprintf(text, sizeof text,
		 "{\"msgtype\":\"updf\",\"MHdr\":64,\"DevAddr\":%u,\"FCtrl\":0,\"FCnt\":%u,\"FOpts\":\"\","
		 "\"FPort\":10,"
		 "\"FRMPayload\":\"0102030405060708090a0b0c0d0e0f\",\"MIC\":%d,\"RefTime\":0.0,\"DR\":5,"
		 "\"Freq\":868100000,\"upinfo\":{\"rctx\":0,\"xtime\":%" PRId64
		 ",\"gpstime\":0,\"fts\":-1,\"rssi\":-90,\"snr\":7.25,\"rxtime\":1790000000.5}}",
		 index, station->sent & 0xffff, -(int)index, xtime);
	t_wire_text(station->wire, text);
	station->sent++;
	station->swarm->counts.sent++;
}

/* --- all of them --- */

static void dial_some(struct t_swarm *swarm)
{
	double now = t_seconds();
	for (unsigned looked = 0; looked < swarm->options.count && swarm->being_made < swarm->options.at_once;
	     looked++) {
		struct station *station = &swarm->stations[swarm->next_dial++ % swarm->options.count];
		if (station->phase != WAITING || station->dial_at > now)
			continue;
		swarm->being_made++;
		dial(station);
	}
}

static void send_due(struct t_swarm *swarm)
{
	if (swarm->options.uplink_every_s <= 0)
		return;
	double now = t_seconds(), each = swarm->options.uplink_every_s / swarm->options.count;
	for (; swarm->turn <= now; swarm->turn += each, swarm->due++)
		if (!swarm->quiet)
			send_uplink(&swarm->stations[swarm->due % swarm->options.count]);
}

void t_swarm_pump(struct t_swarm *swarm, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	dial_some(swarm);
	send_due(swarm);
	if (swarm->options.uplink_every_s > 0 && !swarm->quiet) {
		int until_ms = (int)((swarm->turn - t_seconds()) * 1e3) + 1;
		timeout_ms = until_ms < timeout_ms ? (until_ms > 0 ? until_ms : 0) : timeout_ms;
	}
	int count = epoll_wait(swarm->epoll, events, EVENTS, timeout_ms);
	for (int i = 0; i < count; i++) {
		struct station *station = events[i].data.ptr;
		if (station->wire != NULL)
			step(station);
	}
}

void t_swarm_cut(struct t_swarm *swarm, unsigned count)
{
	for (unsigned i = 0; i < count && i < swarm->options.count; i++) {
		struct station *station = &swarm->stations[i];
		if (station->phase != UP)
			continue;
		t_wire_reset(station->wire);
		ended(station);
		swarm->counts.ends--;
		station->dial_at = 0;
	}
}

void t_swarm_quiet(struct t_swarm *swarm, bool quiet)
{
	swarm->quiet = quiet;
}

struct t_swarm_counts t_swarm_counts(const struct t_swarm *swarm)
{
	return swarm->counts;
}

uint32_t t_swarm_sent(const struct t_swarm *swarm, unsigned station)
{
	return swarm->stations[station].sent;
}
