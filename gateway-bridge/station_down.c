#include "gateway-bridge/station_down.h"

#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define XTIME_US ((INT64_C(1) << 48) - 1) /* µs; unit and session above */

/* --- a text that is written piece by piece --- */

struct writing {
	char *text;
	size_t length;
	bool full;
};

static void put(struct writing *writing, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct writing *writing, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	size_t room = GB_STATION_MESSAGE_MAX - writing->length;
	int length = vsnprintf(writing->text + writing->length, room, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= room)
		writing->full = true;
	else
		writing->length += (size_t)length;
}

static size_t written(const struct writing *writing)
{
	return writing->full ? 0 : writing->length;
}

/* --- discovery --- */

/* Nothing in it needs an escape. */
static bool is_plain(const char *text)
{
	for (; *text != 0; text++)
		if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\')
			return false;
	return true;
}

static bool uri_ok(const char *uri)
{
	const char *host = strncmp(uri, "ws://", 5) == 0    ? uri + 5
			   : strncmp(uri, "wss://", 6) == 0 ? uri + 6
							    : NULL;
	const char *path = host ? strchr(host, '/') : NULL;
	if (!path || strlen(uri) > GB_STATION_URI_MAX || !is_plain(uri))
		return false;
	const char *port = path;
	while (port > host && port[-1] >= '0' && port[-1] <= '9')
		port--;
	return port < path && port - 1 > host && port[-1] == ':';
}

size_t gb_station_discovery_answer(char text[GB_STATION_MESSAGE_MAX], const struct lw_eui64 *router,
				   const char *uri, const char *error)
{
	char id6[GB_STATION_ID6_TEXT];
	struct writing writing = {.text = text};
	gb_station_id6(id6, router);
	if (!uri) {
		put(&writing, "{\"router\":\"%s\",\"error\":\"", id6);
		for (; *error != 0; error++)
			put(&writing, "%c", *error < ' ' || *error == '"' || *error == '\\' ? ' ' : *error);
		put(&writing, "\"}");
		return written(&writing);
	}
	if (!uri_ok(uri))
		return 0;
	put(&writing, "{\"router\":\"%s\",\"muxs\":\"::0\",\"uri\":\"%s\"}", id6, uri);
	return written(&writing);
}

/* --- frames --- */

static const char *class_name(enum gw_window window)
{
	return window == GW_CLASS_B ? "1" : window == GW_CLASS_C ? "2" : "0";
}

/* MuxTime, UTC in seconds: any message may carry it. */
static void put_mux_time(struct writing *writing, struct wall now)
{
	if (now.us > 0)
		put(writing, ",\"MuxTime\":%" PRId64 ".%06" PRId64, now.us / US_PER_S, now.us % US_PER_S);
}

/* The DevEUI is never used by a station, but one of zeros keeps it from saying that it has sent. */
static void put_head(struct writing *writing, const struct gb_station_downlink *downlink)
{
	char pdu[2 * LW_PHY_PAYLOAD_MAX + 1];
	hex_encode(pdu, downlink->phy, downlink->phy_length);
	put(writing,
	    "{\"msgtype\":\"dnmsg\",\"DevEui\":\"01-01-01-01-01-01-01-01\",\"dC\":%s,\"diid\":%" PRId64
	    ",\"pdu\":\"%s\",\"priority\":0,\"rctx\":%" PRId64,
	    class_name(downlink->first->window), downlink->diid, pdu, downlink->rctx);
	put_mux_time(writing, downlink->mux_time);
}

static void put_window(struct writing *writing, const char *window, uint8_t dr, uint32_t freq_hz)
{
	put(writing, ",\"%sDR\":%u,\"%sFreq\":%" PRIu32, window, dr, window, freq_hz);
}

size_t gb_station_dnmsg(char text[GB_STATION_MESSAGE_MAX], const struct gb_station_downlink *downlink)
{
	struct writing writing = {.text = text};
	const struct gw_tx_attempt *first = downlink->first, *second = downlink->second;
	if (downlink->phy_length == 0)
		return 0;
	put_head(&writing, downlink);
	if (first->window == GW_CLASS_B) {
		put_window(&writing, "", downlink->first_dr, first->freq_hz);
		put(&writing, ",\"gpstime\":%" PRId64, first->gps_time_us);
	} else if (first->window == GW_CLASS_C) {
		put_window(&writing, "RX2", downlink->first_dr, first->freq_hz);
		if (first->timing == GW_AT_TICKS)
			put(&writing, ",\"xtime\":%" PRId64, downlink->xtime);
	} else {
		int64_t before = first->window == GW_RX1 ? US_PER_S : 2 * US_PER_S;
		if ((downlink->xtime & XTIME_US) < before)
			return 0;
		put_window(&writing, first->window == GW_RX1 ? "RX1" : "RX2", downlink->first_dr,
			   first->freq_hz);
		if (second)
			put_window(&writing, "RX2", downlink->second_dr, second->freq_hz);
		put(&writing, ",\"RxDelay\":1,\"xtime\":%" PRId64, downlink->xtime - before);
	}
	put(&writing, "}");
	return written(&writing);
}

size_t gb_station_timesync(char text[GB_STATION_MESSAGE_MAX], const char *txtime, int64_t xtime,
			   int64_t gps_time_us, struct wall mux_time)
{
	struct writing writing = {.text = text};
	put(&writing, "{\"msgtype\":\"timesync\"");
	if (txtime)
		put(&writing, ",\"txtime\":%s", txtime);
	else
		put(&writing, ",\"xtime\":%" PRId64, xtime);
	put(&writing, ",\"gpstime\":%" PRId64, gps_time_us);
	put_mux_time(&writing, mux_time);
	put(&writing, "}");
	return written(&writing);
}

size_t gb_station_dnsched(char text[GB_STATION_MESSAGE_MAX], const struct gb_station_downlink *downlink)
{
	struct writing writing = {.text = text};
	char pdu[2 * LW_PHY_PAYLOAD_MAX + 1];
	if (downlink->phy_length == 0 || downlink->first->timing != GW_AT_GPS_TIME)
		return 0;
	hex_encode(pdu, downlink->phy, downlink->phy_length);
	put(&writing,
	    "{\"msgtype\":\"dnsched\",\"schedule\":[{\"diid\":%" PRId64 ",\"pdu\":\"%s\",\"priority\":0"
	    ",\"rctx\":%" PRId64,
	    downlink->diid, pdu, downlink->rctx);
	put_window(&writing, "", downlink->first_dr, downlink->first->freq_hz);
	put(&writing, ",\"gpstime\":%" PRId64 "}]}", downlink->first->gps_time_us);
	return written(&writing);
}

/* --- what people ask for */

static void put_quoted(struct writing *writing, const char *text)
{
	put(writing, "\"");
	for (; *text != 0; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			put(writing, "\\%c", c);
		else if (c < ' ')
			put(writing, "\\u%04x", c);
		else
			put(writing, "%c", c);
	}
	put(writing, "\"");
}

size_t gb_station_runcmd(char text[GB_STATION_MESSAGE_MAX], const char *command, const char *const *arguments)
{
	struct writing writing = {.text = text};
	put(&writing, "{\"msgtype\":\"runcmd\",\"command\":");
	put_quoted(&writing, command);
	put(&writing, ",\"arguments\":[");
	for (size_t i = 0; arguments[i]; i++) {
		if (i > 0)
			put(&writing, ",");
		put_quoted(&writing, arguments[i]);
	}
	put(&writing, "]}");
	return written(&writing);
}

size_t gb_station_rmtsh(char text[GB_STATION_MESSAGE_MAX], bool start, const char *user, const char *term)
{
	struct writing writing = {.text = text};
	put(&writing, "{\"msgtype\":\"rmtsh\",\"user\":");
	put_quoted(&writing, user);
	if (start) {
		put(&writing, ",\"term\":");
		put_quoted(&writing, term);
	}
	put(&writing, ",\"%s\":0}", start ? "start" : "stop");
	return written(&writing);
}

int64_t gb_station_xtime_near(int64_t heard, struct gw_ticks ticks)
{
	return heard + gw_ticks_since(ticks, gb_station_ticks(heard));
}

struct gw_ticks gb_station_ticks(int64_t xtime)
{
	return (struct gw_ticks){(uint32_t)(uint64_t)xtime};
}
