/* Looking, for `lamppost doctor`: fills facts and judges nothing (doctor_facts.h). Nothing here changes anything that lasts:
 * the one file that is written, to measure a flush, is removed again. What may not be read is noted as such. */
#ifndef LAMPPOST_CLI_DOCTOR_LOOK_H
#define LAMPPOST_CLI_DOCTOR_LOOK_H

#include "cli/doctor_facts.h"

/* What the configuration says, as each process's own program printed it. */
struct doctor_settings {
	bool known[CLI_PROCESS_COUNT];
	char listen[DOCTOR_PORTS_MAX][128]; /* gateway-bridge.udp_listen */
	size_t listen_count;
	char master_key[OPTION_PATH_MAX], box_key[OPTION_PATH_MAX]; /* join-server; "": the usual place */
	char kek_network[OPTION_PATH_MAX], kek_application[OPTION_PATH_MAX];
	char keks[DOCTOR_KEKS_MAX][OPTION_PATH_MAX]; /* of other labels */
	size_t kek_count;
	char mqtt_host[256], mqtt_username[128], mqtt_password_file[OPTION_PATH_MAX],
		mqtt_ca_file[OPTION_PATH_MAX];
	uint16_t mqtt_port;
};

/* All of it, in the order below. `facts` is zeroed but for place and deep. */
void doctor_look(struct doctor_facts *facts);

void doctor_look_machine(struct doctor_facts *facts);
void doctor_look_disk(struct doctor_facts *facts);
void doctor_look_config(struct doctor_facts *facts, struct doctor_settings *settings);
void doctor_look_files(struct doctor_facts *facts, const struct doctor_settings *settings);
/* What systemd handed to a join server that runs. */
void doctor_look_credential(struct doctor_facts *facts, const struct doctor_settings *settings);
void doctor_look_databases(struct doctor_facts *facts);
void doctor_look_running(struct doctor_facts *facts);
void doctor_look_udp(struct doctor_facts *facts, const struct doctor_settings *settings);
void doctor_look_broker(struct doctor_facts *facts, const struct doctor_settings *settings);
void doctor_look_alarms(struct doctor_facts *facts);

/* What a process of the network answered on its admin socket, for more than one of the above. */
#define DOCTOR_ANSWER_MAX (256 * 1024)
enum doctor_ask {
	DOCTOR_ASK_ANSWERED,
	DOCTOR_ASK_MISSING,
	DOCTOR_ASK_DENIED,
	DOCTOR_ASK_REFUSED,
	DOCTOR_ASK_SILENT
};
/* Connects to a Unix socket, sends `request` (NULL: nothing) and reads until `enough` bytes, the end, or a second has passed.
 * Fills `answer`, NUL-terminated. */
enum doctor_ask doctor_ask(const char *path, const char *request, char *answer, size_t capacity,
			   size_t enough);
/* GET over HTTP/1.1; fills the body and the status code (0: none). */
enum doctor_ask doctor_get(const char *path, const char *target, char *body, size_t capacity, int *code);
/* The first line of a small file, without its newline; false: it cannot be read. */
bool doctor_read_line(const char *path, char *line, size_t capacity);
/* A number behind `label` at the beginning of a line of a file such as /proc/meminfo; LLONG_MAX for "unlimited";
 * `otherwise` where there is none. */
long long doctor_read_number(const char *path, const char *label, long long otherwise);

#endif
