/* A gateway's own configuration from what the network knows of it: the file or files of the programs that gateways run, one
 * row a program. Pure: nothing is read or written here.
 *
 * What belongs to the hardware (gain tables, offsets of its RSSI, clock source, bus) is nobody's but the vendor's: given the
 * vendor's file as `base`, all of it is kept; without one it is that of Semtech's reference design, with no table of gains. */
#ifndef LAMPPOST_CLI_GATEWAY_CONFIG_H
#define LAMPPOST_CLI_GATEWAY_CONFIG_H

#include "common/text/gateway_radios.h"

#include <jansson.h>

#define GATEWAY_FILES_MAX 3
#define GATEWAY_NOTES_MAX 12
#define GATEWAY_NOTE_MAX  400

enum gateway_chip { GATEWAY_SX1301, GATEWAY_SX1302 };

struct gateway_config {
	struct lw_eui64 eui;
	const struct lw_region *region; /* borrowed */
	struct gateway_radios radios;
	const char *host; /* of our bridge; borrowed, gateway_host_ok() */
	uint16_t port;
	enum gateway_chip chip;
	bool has_antenna_gain;
	int antenna_gain_dbi;
	const json_t *base; /* borrowed; NULL: none */
};

struct gateway_config_output {
	struct {
		const char *name;
		char *text; /* owned */
	} files[GATEWAY_FILES_MAX];
	size_t file_count;
	char notes[GATEWAY_NOTES_MAX][GATEWAY_NOTE_MAX]; /* sentences for whoever installs it */
	size_t note_count;
};

struct gateway_target {
	const char *name; /* "lora_pkt_fwd" */
	const char *help;
	bool (*make)(struct gateway_config_output *output, const struct gateway_config *config,
		     char problem[GATEWAY_RADIO_PROBLEM_MAX]);
};
/* Lends the rows. */
const struct gateway_target *gateway_targets(size_t *count);

/* Whether a text can be a host: a name, an IPv4 or a bracketed IPv6 address. */
bool gateway_host_ok(const char *host);
/* Reads the vendor's JSON, comments and all; NULL with a line in `problem`. */
json_t *gateway_base_parse(const char *text, size_t length, char problem[GATEWAY_RADIO_PROBLEM_MAX]);
/* Makes a target's files. False with a sentence in `problem`. Release in either case. */
bool gateway_config_make(struct gateway_config_output *output, const struct gateway_target *target,
			 const struct gateway_config *config, char problem[GATEWAY_RADIO_PROBLEM_MAX]);
void gateway_config_release(struct gateway_config_output *output);

/* For the files of targets: take `text`; add a note. */
void gateway_output_file(struct gateway_config_output *output, const char *name, char *text);
void gateway_output_note(struct gateway_config_output *output, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool gateway_make_lora_pkt_fwd(struct gateway_config_output *output, const struct gateway_config *config,
			       char problem[GATEWAY_RADIO_PROBLEM_MAX]);
bool gateway_make_station(struct gateway_config_output *output, const struct gateway_config *config,
			  char problem[GATEWAY_RADIO_PROBLEM_MAX]);
bool gateway_make_chirpstack(struct gateway_config_output *output, const struct gateway_config *config,
			     char problem[GATEWAY_RADIO_PROBLEM_MAX]);

#endif
