/* The station's side of LoRa Basics Station's LNS and CUPS protocols: what a server sends, read as a station reads it. Pure, over
 * jansson; shares no code with the bridge, so that neither can hide the other's mistake. What breaks a rule is refused by name. */
#ifndef LAMPPOST_SIM_STATION_DOWN_H
#define LAMPPOST_SIM_STATION_DOWN_H

#include "common/lorawan/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_STATION_RATES    16
#define SIM_STATION_URI_MAX  127
#define SIM_STATION_CHANNELS 10 /* eight of any spreading factor, one LoRa, one FSK */

enum sim_station_kind {
	SIM_STATION_ROUTER_CONFIG,
	SIM_STATION_DNMSG,
	SIM_STATION_DNSCHED,
	SIM_STATION_TIMESYNC,
	SIM_STATION_IGNORED /* runcmd, rmtsh, getxtime, error: taken, not acted upon */
};

enum sim_station_verdict {
	SIM_STATION_OK,
	SIM_STATION_NOT_JSON, /* or a member twice, or no object */
	SIM_STATION_UNKNOWN,  /* no such msgtype */
	SIM_STATION_MISSING,
	SIM_STATION_WRONG_TYPE,
	SIM_STATION_OUT_OF_RANGE,
	SIM_STATION_BAD_HEX,
	SIM_STATION_HALF_WINDOW, /* a data rate without its frequency, or the reverse */
	SIM_STATION_NO_WINDOW,
	SIM_STATION_BAD_FREQUENCY,
	SIM_STATION_BAD_RATE,
	SIM_STATION_BAD_URI,
	SIM_STATION_BAD_LENGTH, /* CUPS: a length beyond the body, or bytes left over */
	SIM_STATION_VERDICT_COUNT
};
const char *sim_station_verdict_name(enum sim_station_verdict verdict); /* "half_window" */

/* A data rate of router_config: spreading factor 5 to 12, 0 FSK, −1 undefined. */
struct sim_station_rate {
	int8_t spreading_factor;
	uint16_t bandwidth_khz;
	bool down_only;
};

struct sim_station_config {
	char region[32];
	uint32_t freq_min_hz, freq_max_hz;
	struct sim_station_rate rates[SIM_STATION_RATES];
	char hwspec[32];
	/* Frequencies that its radios receive, in order: multi-SF, then LoRa, then FSK; 0: not enabled. */
	uint32_t channels_hz[SIM_STATION_CHANNELS];
};

struct sim_station_window {
	bool open;
	uint8_t dr;
	uint32_t freq_hz;
};

struct sim_station_dnmsg {
	struct lw_eui64 dev_eui;
	uint8_t device_class; /* 0 A, 1 B, 2 C */
	int64_t diid;
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	uint8_t phy_length;
	struct sim_station_window rx1, rx2; /* class B: rx1 is its DR and Freq */
	uint8_t rx_delay_s;
	int64_t xtime, rctx, gps_time_us;
};

struct sim_station_down {
	enum sim_station_kind kind;
	struct sim_station_config config;
	struct sim_station_dnmsg dnmsg;
	int64_t xtime, gps_time_us; /* TIMESYNC */
	double txtime;              /* TIMESYNC: of the question; 0: pushed */
};

/* Before any router_config: Europe's 863 to 870 MHz, data rates 0 to 7. */
void sim_station_config_default(struct sim_station_config *config);
enum sim_station_verdict sim_station_parse(const char *text, size_t length,
					   const struct sim_station_config *config,
					   struct sim_station_down *down);
/* Reads the answer to /router-info; `uri` is "" where the server said why not. */
enum sim_station_verdict sim_station_discovered(const char *text, size_t length,
						char uri[SIM_STATION_URI_MAX + 1]);

/* CUPS: the answer to /update-info. Texts and bytes borrow from the body. */
struct sim_cups_answer {
	const uint8_t *cups_uri, *tc_uri, *cups_credentials, *tc_credentials, *signature, *update;
	size_t cups_uri_length, tc_uri_length, cups_credentials_length, tc_credentials_length;
	uint32_t key_crc;
	size_t signature_length, update_length;
};
enum sim_station_verdict sim_cups_parse(const uint8_t *body, size_t length, struct sim_cups_answer *answer);

#endif
