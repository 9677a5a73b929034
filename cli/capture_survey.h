/* What a capture file holds: counts of packets by kind and reason, its gateways, the devices' addresses in its frames. Datagrams
 * are looked into (rxpk of PUSH_DATA, txpk of PULL_RESP). Bounded: what is beyond the tables' room is counted as `more`. */
#ifndef LAMPPOST_CLI_CAPTURE_SURVEY_H
#define LAMPPOST_CLI_CAPTURE_SURVEY_H

#include "cli/capture_file.h"
#include "cli/capture_item.h"
#include "common/base/table.h"

#define SURVEY_GATEWAYS_MAX  512
#define SURVEY_ADDRESSES_MAX 65536
#define SURVEY_TYPES         8

struct survey_gateway {
	uint8_t eui[8];                                 /* the key */
	uint64_t datagrams[SEMTECH_TX_ACK + 1], frames; /* by identifier; frames heard */
};

struct survey_address {
	uint32_t dev_addr; /* the key */
	uint64_t up, down;
};

struct capture_survey {
	uint64_t packets, kinds[CAPTURE_KIND_COUNT], skipped[CAPTURE_SKIP_COUNT];
	uint64_t datagrams[SEMTECH_TX_ACK + 1];
	uint64_t types[SURVEY_TYPES]; /* frames by MType */
	bool has_time, cut_short;
	struct wall first, last;                /* the earliest and the latest */
	uint64_t frames_without_gateway;        /* LoRaTap version 0 */
	struct table gateways, addresses;       /* struct survey_gateway, struct survey_address */
	uint64_t more_gateways, more_addresses; /* occurrences that found no room */
};

/* Reads the file to its end. False: it was refused, and reported. */
bool capture_survey_make(struct capture_survey *survey, struct capture_file *file, uint16_t port);
void capture_survey_release(struct capture_survey *survey);
/* "join-request", "unconfirmed data up"... */
const char *capture_type_name(unsigned type);

#endif
