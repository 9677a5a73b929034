#include "gateway-bridge/config.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool gb_listen_parse(const char *text, char host[GB_HOST_MAX], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	if (colon == NULL || colon == text)
		return false;
	const char *start = text, *end = colon;
	if (text[0] == '[') {
		if (end[-1] != ']')
			return false;
		start++;
		end--;
	} else if (memchr(text, ':', (size_t)(colon - text)) != NULL) {
		return false;
	}
	size_t length = (size_t)(end - start);
	if (length == 0 || length >= GB_HOST_MAX || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	unsigned long number = strtoul(colon + 1, NULL, 10);
	if (number < 1 || number > UINT16_MAX)
		return false;
	memcpy(host, start, length);
	host[length] = 0;
	*port = (uint16_t)number;
	return true;
}

static bool is_listen(const char *text)
{
	char host[GB_HOST_MAX];
	uint16_t port;
	return gb_listen_parse(text, host, &port);
}

static bool is_station_url(const char *text)
{
	const char *host = strncmp(text, "wss://", 6) == 0  ? text + 6
			   : strncmp(text, "ws://", 5) == 0 ? text + 5
							    : NULL;
	if (text[0] == 0)
		return true;
	return host && is_listen(host) && host[0] != '*' &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:[]") ==
		       strlen(host);
}

bool gb_mqtt_url_parse(const char *url, char host[GB_HOST_MAX], uint16_t *port, bool *tls)
{
	static const struct {
		const char *scheme, *port;
		bool tls;
	} schemes[] = {{"mqtt://", ":1883", false}, {"mqtts://", ":8883", true}};
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t length = strlen(schemes[i].scheme);
		char pair[OPTION_PATH_MAX + 8];
		if (strncmp(url, schemes[i].scheme, length) != 0 || strpbrk(url + length, "/@ ") != NULL)
			continue;
		const char *rest = url + length, *bracket = strrchr(rest, ']');
		bool has_port = strrchr(bracket ? bracket : rest, ':') != NULL;
		snprintf(pair, sizeof pair, "%.255s%s", rest, has_port ? "" : schemes[i].port);
		*tls = schemes[i].tls;
		return gb_listen_parse(pair, host, port);
	}
	return false;
}

static bool is_mqtt_url(const char *text)
{
	char host[GB_HOST_MAX];
	uint16_t port;
	bool tls;
	return text[0] == 0 || gb_mqtt_url_parse(text, host, &port, &tls);
}

/* What stands in front of "/gateway": levels of a topic, no wildcard but a whole "+". */
static bool is_prefix(const char *text)
{
	size_t length = strlen(text);
	if (length == 0 || length >= 40 || text[0] == '/' || text[length - 1] == '/')
		return false;
	for (const char *at = text; *at; at++) {
		bool alone = (at == text || at[-1] == '/') && (at[1] == 0 || at[1] == '/');
		if (*at <= ' ' || *at > '~' || *at == '#' || *at == '$' || (*at == '+' && !alone))
			return false;
	}
	return true;
}

const struct option gb_config_rows[] = {
	{"gateway-bridge", "udp_listen", OPTION_LIST, OPTION_AT(struct gb_config, udp_listen),
	 .fallback = "*:1700", .min = 1, .max = 8, .check = is_listen,
	 .form = "address:port, as in *:1700, 192.0.2.1:1700 or [::1]:1700",
	 .help = "Addresses on which gateways that speak Semtech UDP are heard; opened at the start, since "
		 "answers leave by the socket that a gateway was heard on."},
	{"gateway-bridge", "forward_unknown", OPTION_BOOL, OPTION_AT(struct gb_config, forward_unknown),
	 .fallback = "false", .reload = true,
	 .help = "Whether frames of gateways that are not registered are forwarded. They get no downlinks "
		 "either way."},
	{"gateway-bridge", "ring_seconds", OPTION_INT, OPTION_AT(struct gb_config, ring_seconds),
	 .fallback = "60", .min = 1, .max = 600, .unit = "s", .reload = true,
	 .help = "How long a frame is kept while the network server is away."},
	{"gateway-bridge", "ring_bytes", OPTION_INT, OPTION_AT(struct gb_config, ring_bytes),
	 .fallback = "67108864", .min = 65536, .max = 1 << 30, .unit = "bytes", .reload = true,
	 .help = "How much memory the frames that are kept may take; past it the oldest goes."},
	{"gateway-bridge", "rate_per_eui", OPTION_INT, OPTION_AT(struct gb_config, rate_per_eui),
	 .fallback = "200", .min = 1, .max = 100000, .unit = "datagrams/s", .reload = true,
	 .help = "What a registered gateway may send, and twice that at once; the rest is dropped unread."},
	{"gateway-bridge", "rate_frames", OPTION_INT, OPTION_AT(struct gb_config, rate_frames),
	 .fallback = "1000", .min = 1, .max = 1000000, .unit = "frames/s", .reload = true,
	 .help = "How many frames a registered gateway may report, and twice that at once, however few "
		 "datagrams "
		 "it packs them into."},
	{"gateway-bridge", "rate_unknown", OPTION_INT, OPTION_AT(struct gb_config, rate_unknown),
	 .fallback = "2000", .min = 1, .max = 1000000, .unit = "datagrams/s", .reload = true,
	 .help = "What one address may send for gateways that are not registered."},
	{"gateway-bridge", "tls_certificate", OPTION_PATH, OPTION_AT(struct gb_config, tls_certificate),
	 .fallback = "", .min = 0,
	 .help = "The server certificate that stations see, with its chain, PEM; empty: "
		 "STATE/keys/gateway-bridge.tls.crt, which the application server issues and renews."},
	{"gateway-bridge", "tls_key", OPTION_PATH, OPTION_AT(struct gb_config, tls_key), .fallback = "",
	 .min = 0, .help = "Its key, PEM; empty: STATE/keys/gateway-bridge.tls.key."},
	{"gateway-bridge", "tls_ca", OPTION_PATH, OPTION_AT(struct gb_config, tls_ca), .fallback = "",
	 .min = 0,
	 .help = "The CA whose client certificates are those of gateways, PEM; empty: "
		 "STATE/keys/gateway-bridge.ca.crt, the city's own."},
	{"gateway-bridge", "station_listen", OPTION_LIST, OPTION_AT(struct gb_config, station_listen),
	 .fallback = "*:3001", .min = 0, .max = 1, .check = is_listen,
	 .form = "address:port, as in *:3001, 192.0.2.1:3001 or [::1]:3001",
	 .help = "Where LoRa Basics Stations connect (LNS), with TLS, from when certificate, key and CA are "
		 "there; empty: "
		 "nowhere."},
	{"gateway-bridge", "station_tls", OPTION_BOOL, OPTION_AT(struct gb_config, station_tls),
	 .fallback = "true",
	 .help = "Whether station_listen speaks TLS; false on a loopback address alone, behind what ends "
		 "TLS."},
	{"gateway-bridge", "station_url", OPTION_STRING, OPTION_AT(struct gb_config, station_url),
	 .fallback = "", .min = 0, .max = GB_URL_MAX - 1, .check = is_station_url, .reload = true,
	 .form = "a URL with a port and no path, as in wss://lns.example.org:3001",
	 .help = "Where stations are told to connect; empty: by the name they called us, where that is a "
		 "plain one."},
	{"gateway-bridge", "station_remote", OPTION_BOOL, OPTION_AT(struct gb_config, station_remote),
	 .fallback = "false", .reload = true,
	 .help = "Whether the city's engineers may run commands and shells on stations (runcmd, rmtsh)."},
	{"gateway-bridge", "station_ping", OPTION_INT, OPTION_AT(struct gb_config, station_ping),
	 .fallback = "30", .min = 1, .max = 600, .unit = "seconds",
	 .help = "How often a connected station is pinged, give or take a tenth; two pings without an answer "
		 "end "
		 "its connection. Each costs 60 bytes both ways."},
	{"gateway-bridge", "station_per_source", OPTION_INT, OPTION_AT(struct gb_config, station_per_source),
	 .fallback = "4096", .min = 0, .max = 20480, .unit = "connections",
	 .help = "How many connections of stations one address may have; 0: any number."},
	{"gateway-bridge", "cups_listen", OPTION_LIST, OPTION_AT(struct gb_config, cups_listen),
	 .fallback = "*:3002", .min = 0, .max = 1, .check = is_listen,
	 .form = "address:port, as in *:3002, 192.0.2.1:3002 or [::1]:3002",
	 .help = "Where stations ask for updates of their configuration (CUPS), with TLS; empty: nowhere."},
	{"gateway-bridge", "mqtt.url", OPTION_STRING, OPTION_AT(struct gb_config, mqtt_url), .fallback = "",
	 .check = is_mqtt_url, .form = "mqtt://host:1883 or mqtts://host:8883",
	 .help = "The broker to which gateways with ChirpStack's MQTT forwarder publish; mqtts: with TLS; "
		 "empty: "
		 "none. Who may publish as which gateway is the broker's to judge."},
	{"gateway-bridge", "mqtt.ca", OPTION_PATH, OPTION_AT(struct gb_config, mqtt_ca), .fallback = "",
	 .min = 0,
	 .help = "Certificates that the broker's must be signed by, PEM; empty: the system's, with mqtts."},
	{"gateway-bridge", "mqtt.certificate", OPTION_PATH, OPTION_AT(struct gb_config, mqtt_certificate),
	 .fallback = "", .min = 0,
	 .help = "The certificate that the bridge shows to the broker, PEM; empty: none."},
	{"gateway-bridge", "mqtt.key", OPTION_PATH, OPTION_AT(struct gb_config, mqtt_key), .fallback = "",
	 .min = 0, .help = "Its key, PEM."},
	{"gateway-bridge", "mqtt.username", OPTION_STRING, OPTION_AT(struct gb_config, mqtt_username),
	 .fallback = "", .help = "User name at the broker; empty: none."},
	{"gateway-bridge", "mqtt.password_file", OPTION_PATH, OPTION_AT(struct gb_config, mqtt_password_file),
	 .fallback = "", .min = 0,
	 .help = "File whose first line is the password at the broker; empty: none."},
	{"gateway-bridge", "mqtt.topic_prefixes", OPTION_LIST,
	 OPTION_AT(struct gb_config, mqtt_topic_prefixes), .fallback = "", .min = 0, .max = 16,
	 .check = is_prefix, .form = "levels of a topic, as in eu868 or city/eu868",
	 .help = "What stands before gateway/EUI/event/up in the topics to listen to; empty: any one level, "
		 "or "
		 "none."},
	{"gateway-bridge", "mqtt.qos", OPTION_INT, OPTION_AT(struct gb_config, mqtt_qos), .fallback = "0",
	 .min = 0, .max = 1,
	 .help = "Quality of service of subscriptions and commands: 0, as gateways have it by default, or "
		 "1."},
};

const size_t gb_config_row_count = ARRAY_SIZE(gb_config_rows);
