/* The rows of section `gateway-bridge`. */
#ifndef LAMPPOST_BRIDGE_CONFIG_H
#define LAMPPOST_BRIDGE_CONFIG_H

#include "common/base/options.h"

#define GB_HOST_MAX 64
#define GB_URL_MAX  104 /* "/gateway/EUI" behind it, and a station takes no more */

struct gb_config {
	struct option_list udp_listen; /* "*:1700", "127.0.0.1:1700", "[::1]:1700" */
	bool forward_unknown;
	int64_t ring_seconds;
	int64_t ring_bytes;
	int64_t rate_per_eui; /* datagrams a second; the burst is twice that */
	int64_t rate_frames;  /* entries of rxpk a second; the burst is twice that */
	int64_t rate_unknown; /* datagrams a second and source */
	/* Of the listeners that speak TLS: stations (LNS) and CUPS. "": the file of that name in STATE/keys, see edge_tls.h. */
	char tls_certificate[OPTION_PATH_MAX];
	char tls_key[OPTION_PATH_MAX];
	char tls_ca[OPTION_PATH_MAX];      /* whose client certificates are good */
	struct option_list station_listen; /* "*:3001"; at most 1; empty: no stations */
	bool station_tls;
	char station_url[GB_URL_MAX]; /* "wss://lns.example.org:3001"; "": as a station calls us */
	bool station_remote;
	int64_t station_ping;           /* seconds */
	int64_t station_per_source;     /* connections; 0: any number */
	struct option_list cups_listen; /* "*:3002"; at most 1; empty: no CUPS */
	/* The broker by which gateways come (edge_mqtt.h). */
	char mqtt_url[OPTION_PATH_MAX]; /* "mqtts://broker.example:8883"; "": none */
	char mqtt_ca[OPTION_PATH_MAX];
	char mqtt_certificate[OPTION_PATH_MAX];
	char mqtt_key[OPTION_PATH_MAX];
	char mqtt_username[128];
	char mqtt_password_file[OPTION_PATH_MAX];
	struct option_list mqtt_topic_prefixes; /* empty: any of one level, and none */
	int64_t mqtt_qos;
};

extern const struct option gb_config_rows[];
extern const size_t gb_config_row_count;

/* Splits an item of udp_listen; false when it has another form. The host is not looked at further. */
bool gb_listen_parse(const char *text, char host[GB_HOST_MAX], uint16_t *port);

/* Splits mqtt.url, whose port may be left out; false when it has another form. `tls`: mqtts. */
bool gb_mqtt_url_parse(const char *url, char host[GB_HOST_MAX], uint16_t *port, bool *tls);

#endif
