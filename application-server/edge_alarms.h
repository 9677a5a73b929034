/* Alarms at work: asks processes, gateways' health and the disk what is so, lets the table judge it, keeps what changed in the
 * store, and sends what is due by webhook, MQTT and e-mail.
 *
 *	timer ──▶ look ──▶ alarms, groups, notify ──▶ store ──commit──▶ as_edge_alarms_drain(): messages leave
 *	                                                                      │
 *	            store: told ◀── taken, or failed: again later ◀───────────┘
 *
 * A message is durable before it leaves, so that a restart sends the same one under the same id. */
#ifndef LAMPPOST_AS_EDGE_ALARMS_H
#define LAMPPOST_AS_EDGE_ALARMS_H

#include "application-server/alarms/gateway_facts.h"
#include "application-server/alarms/rules.h"
#include "application-server/alarms/storm_facts.h"
#include "application-server/api/api.h"
#include "application-server/config.h"
#include "application-server/delivery/alarm_bus.h"
#include "application-server/store_alarms.h"
#include "common/io/http_client.h"
#include "common/io/mail.h"
#include "common/text/config.h"

#define AS_ALARM_PROCESSES 3

/* A process that is asked how it is. */
struct as_alarm_process {
	const char *name;
	char socket[300];
	struct mono heard; /* when it answered last; of the start before */
	bool has_journal;
	int64_t journal_percent;
	struct as_storm storm; /* the network server's */
	int64_t certificate_until; /* the bridge's: of the certificate that stations are shown, Unix seconds; 0: none */
};

/* What is under way to a channel. */
struct as_alarm_sending {
	struct as_edge_alarms *edge;
	size_t place;
	struct as_message message;
	char *body; /* owned: JSON as it is in the store; NULL: nothing is under way */
	bool ready; /* to leave after the commit */
	bool away;  /* its receiver is being asked */
	io_http_call_id call;
	struct io_mail_call *mail;
	char secret[256]; /* of the channel; wiped */
};

struct as_edge_alarms {
	struct as_alarms alarms;
	struct as_groups groups;
	struct as_notify notify;
	struct as_store *store;          /* borrowed */
	const struct as_health *health;  /* borrowed; NULL: nobody knows */
	struct as_joins *joins;          /* borrowed; NULL: none are told */
	const struct as_config *config;  /* borrowed: what is in force */
	struct io_loop *loop;            /* borrowed */
	struct io_timer *timer, *slices; /* slices: of a round, while one is under way */
	struct io_http_client *client;
	struct as_alarm_bus *bus; /* NULL: no channel needs it */
	struct as_alarm_sending sending[AS_CHANNELS_MAX];
	struct as_alarm_process processes[AS_ALARM_PROCESSES];
	struct as_gateway_record *records; /* owned */
	size_t record_count;
	uint64_t records_version; /* of the desired state that they were read at */
	bool has_records;
	/* The round under way (edge_alarms.c): its records are read from `read_from` on, then observed from `seen` on. */
	struct as_gateway_round round;
	bool in_round, reading, begun, judging;
	int64_t read_from;
	size_t seen;
	char state_dir[OPTION_PATH_MAX], smtp_password[256];
	struct mono looked, asked, pruned;
	bool started, keeping; /* keeping: more changed than a turn writes; the next goes on */
	struct now now;        /* of the last look */
};

/* Borrows all of them; `config` is what is in force, also after a reload. Takes what the store kept, and gives the API its tables.
 * ST_INVALID: a file that the configuration names, or a channel; logged. */
enum status as_edge_alarms_open(struct as_edge_alarms *edge, struct io_loop *loop, struct as_api *api,
				const struct config_common *common, const struct as_config *config,
				struct rng *rng) MUST_USE;
/* A reload in two steps, so that it is taken as a whole or not at all. The first reads what the configuration names (secrets, time
 * zone) and opens what channels need; nothing is changed. NULL with one line in `problem`. `config` is borrowed until the second,
 * which cannot fail and takes `wanted`; or drop it. */
struct as_alarms_wanted;
struct as_alarms_wanted *as_edge_alarms_read(struct as_edge_alarms *edge, const struct as_config *config,
					     const char *mqtt_password, char problem[AS_RULES_PROBLEM]);
void as_edge_alarms_take(struct as_edge_alarms *edge, struct as_alarms_wanted *wanted,
			 const char *mqtt_password);
void as_edge_alarms_drop(struct as_alarms_wanted *wanted); /* NULL is allowed */
void as_edge_alarms_close(struct as_edge_alarms *edge);
/* After the commit: what is durable leaves. */
void as_edge_alarms_drain(struct as_edge_alarms *edge, struct now now);

/* --- between the files of this edge --------------------------------------------------------------------------- */

/* Asks the processes, and observes what they said, the disk and certificates (edge_alarm_facts.c). */
void as_alarm_processes_init(struct as_edge_alarms *edge, const char *run_dir);
void as_alarm_processes_ask(struct as_edge_alarms *edge);
void as_alarm_processes_observe(struct as_edge_alarms *edge, struct now now);
/* Observes refused joins of registered devices. */
void as_alarm_joins_observe(struct as_edge_alarms *edge, struct now now);
/* Sends one message to its receiver (edge_alarm_send.c); what becomes of it comes back to as_alarm_sent(). */
void as_alarm_send(struct as_edge_alarms *edge, size_t place, struct now now);
void as_alarm_send_abandon(struct as_edge_alarms *edge, size_t place);
/* `problem` NULL: taken. */
void as_alarm_sent(struct as_edge_alarms *edge, size_t place, const char *problem, struct now now);

#endif
