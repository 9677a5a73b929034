/* The station's side of LoRa Basics Station's LNS and CUPS protocols: what a server sends, read as a station reads it. Pure, over
 * jansson; shares no code with the bridge, so that neither can hide the other's mistake. What breaks a rule is refused by name. */
#ifndef LAMPPOST_SIM_STATION_DOWN_H
#define LAMPPOST_SIM_STATION_DOWN_H

#include "common/lorawan/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_STATION_RATES    16
#define SIM_STATION_SCHEDULE 32 /* entries of a dnsched */
#define SIM_STATION_RANGES   10 /* of JoinEUIs */
#define SIM_STATION_URI_MAX  127
#define SIM_STATION_CHANNELS 10 /* eight of any spreading factor, one LoRa, one FSK */

enum sim_station_kind {
	SIM_STATION_NOTHING, /* none that it knows */
	SIM_STATION_ROUTER_CONFIG,
	SIM_STATION_DNMSG,
	SIM_STATION_DNSCHED,
	SIM_STATION_TIMESYNC,
	SIM_STATION_RUNCMD,
	SIM_STATION_RMTSH,
	SIM_STATION_GETXTIME,
	SIM_STATION_ERROR
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
	SIM_STATION_BAD_HWSPEC, /* not "sx1301/N", or the radio configuration has not N units */
	SIM_STATION_BAD_RADIO,  /* a channel on a radio that is off, or beyond its bandwidth */
	SIM_STATION_BAD_MEMBER, /* a radio or channel has a member that nobody knows */
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

/* What a router_config says. */
struct sim_station_config {
	char region[32];
	bool region_known; /* by station 2.0.6; else every downlink is dropped as if there were no configuration */
	uint32_t freq_min_hz, freq_max_hz;
	struct sim_station_rate rates[SIM_STATION_RATES];
	char hwspec[32];
	/* Frequencies that its radios receive, in order: multi-SF, then LoRa, then FSK; 0: not enabled. */
	uint32_t channels_hz[SIM_STATION_CHANNELS];
	uint32_t std_bandwidth_hz; /* of the LoRa channel */
	uint8_t std_spreading_factor;
	double max_eirp_dbm; /* 0: the region's own limit */
	bool no_duty_cycle;  /* `nodc`: honoured by stations that are not `prod` */
	bool all_net_ids;    /* else `net_ids` holds bits of the top 7 bits of DevAddr */
	uint32_t net_ids[4];
	uint8_t range_count; /* 0: every JoinEUI */
	struct {
		uint64_t low, high;
	} ranges[SIM_STATION_RANGES];
	bool spelled_eui;  /* "JoinEUI": join-requests are spelled so as well */
	unsigned warnings; /* top-level members that 2.0.6 does not know */
};

struct sim_station_window {
	bool open;
	uint8_t dr;
	uint32_t freq_hz;
};

/* A dnmsg, or an entry of a dnsched (`scheduled`: one window rx1, no DevEui, sent at xtime, gpstime or ontime). */
struct sim_station_dnmsg {
	bool scheduled;
	struct lw_eui64 dev_eui;
	uint8_t device_class; /* 0 A, 1 B, 2 C */
	int64_t diid;
	uint8_t priority;
	bool add_crc;
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	uint8_t phy_length;
	struct sim_station_window rx1, rx2; /* class B: rx1 is its DR and Freq */
	uint8_t rx_delay_s;
	int64_t xtime, rctx, gps_time_us;
	double on_time_s; /* UTC; 0: not given */
};

struct sim_station_down {
	enum sim_station_kind kind;
	double mux_time_s; /* 0: not said */
	struct sim_station_config config;
	struct sim_station_dnmsg dnmsg;
	uint8_t scheduled; /* DNSCHED: entries */
	struct sim_station_dnmsg schedule[SIM_STATION_SCHEDULE];
	int64_t xtime, gps_time_us; /* TIMESYNC */
	double txtime;              /* TIMESYNC: of the question; 0: pushed */
	char command[64];           /* RUNCMD: the command; RMTSH: the user; ERROR: the text; cut */
};

/* Before any router_config: Europe's 863 to 870 MHz, data rates 0 to 7. */
void sim_station_config_default(struct sim_station_config *config);
/* Reads a text of the server as a station with this configuration does. Anything but SIM_STATION_OK: logged and dropped, the
 * connection stays; `down` is then not to be used. */
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
