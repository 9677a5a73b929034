/* How the other processes, the disk and the server's certificate are. Each process is asked at its admin socket; whoever does not
 * answer is silent from when it answered last. */
#include "application-server/edge_alarms.h"

#include "application-server/store_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define PATIENCE (5 * US_PER_S)
#define DAY_US   (86400 * US_PER_S)

static const char *const names[AS_ALARM_PROCESSES] = {"gateway-bridge", "network-server", "join-server"};

void as_alarm_processes_init(struct as_edge_alarms *edge, const char *run_dir)
{
	for (size_t i = 0; i < AS_ALARM_PROCESSES; i++) {
		edge->processes[i].name = names[i];
		snprintf(edge->processes[i].socket, sizeof edge->processes[i].socket, "%s/%s.admin.sock",
			 run_dir, names[i]);
	}
}

static void on_answer(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_alarm_process *process = ctx;
	(void)id;
	if (answer->status != ST_OK)
		return;
	process->heard = now.mono;
	json_t *health = json_loadb((const char *)answer->body, answer->length, 0, NULL);
	json_int_t bytes = json_integer_value(json_object_get(health, "journal_bytes"));
	json_int_t limit = json_integer_value(json_object_get(health, "journal_limit"));
	process->has_journal = limit > 0;
	process->journal_percent = limit > 0 ? bytes * 100 / limit : 0;
	as_storm_read(health, &process->storm);
	process->certificate_until = json_integer_value(json_object_get(health, "certificate_until"));
	json_decref(health);
}

void as_alarm_processes_ask(struct as_edge_alarms *edge)
{
	for (size_t i = 0; i < AS_ALARM_PROCESSES; i++) {
		io_http_call_id id;
		const struct io_http_call call = {.method = IO_HTTP_GET,
						  .url = "http://lamppost/healthz",
						  .unix_path = edge->processes[i].socket,
						  .timeout = PATIENCE,
						  .answer_limit = 65536,
						  .on_done = on_answer,
						  .ctx = &edge->processes[i]};
		enum status status = io_http_client_start(edge->client, &call, &id);
		(void)status; /* too many wait: the next round asks again */
	}
}

static void see(struct as_edge_alarms *edge, struct now now, enum as_alarm_kind_id kind, const char *subject,
		int64_t value, const char *detail)
{
	as_alarms_observe(&edge->alarms,
			  &(struct as_observation){.kind = kind,
						   .subject = subject,
						   .name = subject[0] ? NULL : "city",
						   .value = value,
						   .detail = detail},
			  now);
}

static void see_process(struct as_edge_alarms *edge, const struct as_alarm_process *process, bool is_bridge,
			struct now now)
{
	int64_t silent = mono_since(now.mono, process->heard) / US_PER_S;
	/* Asked every five seconds: younger than three rounds is an answer. */
	silent = silent > 15 ? silent : 0;
	if (is_bridge)
		see(edge, now, AS_ALARM_BRIDGE_UNHEARD, "", silent, "");
	else
		see(edge, now, AS_ALARM_PROCESS_UNHEARD, process->name, silent, "");
	if (process->has_journal)
		see(edge, now, AS_ALARM_JOURNAL_FILLING, process->name, process->journal_percent, "");
	if (process->storm.known)
		as_storm_observe(&edge->alarms, &process->storm, silent > 0, now);
}

static void see_disk(struct as_edge_alarms *edge, struct now now)
{
	struct statvfs disk;
	char detail[AS_ALARM_DETAIL];
	if (statvfs(edge->state_dir, &disk) != 0 || disk.f_blocks == 0)
		return;
	uint64_t used = disk.f_blocks - disk.f_bfree, all = used + disk.f_bavail;
	snprintf(detail, sizeof detail, "%.1f GB are left in %.120s.",
		 (double)disk.f_bavail * (double)disk.f_frsize / 1e9, edge->state_dir);
	see(edge, now, AS_ALARM_DISK_FULL, "", all ? (int64_t)(used * 100 / all) : 0, detail);
}

/* The one that gateways are shown, which may be somebody else's, and the one that was issued last, which may be for a bridge elsewhere:
 * whichever ends first. */
static void see_certificate(struct as_edge_alarms *edge, struct now now)
{
	int64_t issued_us = as_store_alarm_server_certificate(edge->store).us;
	int64_t shown_us = edge->processes[0].certificate_until * US_PER_S;
	bool shown = shown_us > 0 && (issued_us == 0 || shown_us < issued_us);
	int64_t until_us = shown ? shown_us : issued_us;
	if (until_us)
		see(edge, now, AS_ALARM_SERVER_CERTIFICATE, "", (until_us - now.wall.us) / DAY_US,
		    shown ? "The gateway bridge shows it now." : "");
}

void as_alarm_processes_observe(struct as_edge_alarms *edge, struct now now)
{
	as_alarms_begin(&edge->alarms, AS_SOURCE_PROCESSES);
	for (size_t i = 0; i < AS_ALARM_PROCESSES; i++)
		see_process(edge, &edge->processes[i], i == 0, now);
	see_disk(edge, now);
	see_certificate(edge, now);
	as_alarms_end(&edge->alarms, AS_SOURCE_PROCESSES, now);
}

static void name_of(void *ctx, const struct lw_eui64 *dev_eui, char name[AS_ALARM_NAME])
{
	struct as_device_info info;
	if (as_store_device_info(ctx, dev_eui, &info) == ST_OK)
		snprintf(name, AS_ALARM_NAME, "%.*s", AS_ALARM_NAME - 1, info.name);
}

void as_alarm_joins_observe(struct as_edge_alarms *edge, struct now now)
{
	if (edge->joins)
		as_replays_observe(&edge->joins->replays, &edge->alarms, now, name_of, edge->store);
}
