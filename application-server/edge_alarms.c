#include "application-server/edge_alarms.h"

#include "application-server/alarms/alarm_json.h"
#include "application-server/edge_delivery.h"
#include "application-server/health/table.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/crypto/secret.h"
#include "common/io/clock.h"

#include <stdlib.h>
#include <string.h>

#define TICK        US_PER_S
#define ASK_EVERY   (5 * US_PER_S)
#define PRUNE_EVERY (3600 * US_PER_S)
#define PRUNE_ROWS  500
#define KEEP_ROWS   16 /* alarms a turn of the loop: about 0.6 ms where all eight channels were told */
#define SLICE       64 /* gateways a turn of the loop: about 0.2 ms */

/* --- looking ------------------------------------------------------------------------------------------------- */

/* A round of all gateways is cut into slices, each a turn of the loop of its own: first the records, page by page, where they
 * changed; then what each gateway is observed to be; then the groups. What a round has not come to yet stands as it is. */
static enum status read_page(struct as_edge_alarms *edge)
{
	size_t room = AS_GATEWAYS_MAX - edge->record_count, count;
	size_t limit = room < SLICE ? room : SLICE;
	enum status status = as_store_alarm_gateways(edge->store, &edge->read_from,
						     edge->records + edge->record_count, limit, &count);
	if (status != ST_OK)
		return status;
	edge->record_count += count;
	edge->reading = count == SLICE && edge->record_count < AS_GATEWAYS_MAX;
	return ST_OK;
}

static void start_round(struct as_edge_alarms *edge)
{
	uint64_t version = as_store_version(edge->store);
	if (edge->in_round)
		return;
	edge->in_round = true;
	edge->begun = false;
	edge->seen = 0;
	if (!edge->has_records || version != edge->records_version) {
		edge->reading = edge->has_records = true;
		edge->records_version = version;
		edge->record_count = 0;
		edge->read_from = INT64_MIN;
	}
	io_timer_start(edge->slices, 0, 0);
}

static void observe_slice(struct as_edge_alarms *edge, struct now now)
{
	if (!edge->begun)
		as_gateway_round_begin(&edge->round, &edge->alarms, &edge->groups,
				       edge->health && as_health_is_fresh(edge->health, now.mono));
	edge->begun = true;
	for (size_t i = 0; i < SLICE && edge->seen < edge->record_count; i++, edge->seen++) {
		const struct as_gateway_record *record = &edge->records[edge->seen];
		as_gateway_observe(&edge->round, record,
				   edge->health ? as_health_find(edge->health, &record->eui) : NULL, now);
	}
	if (edge->seen < edge->record_count)
		return;
	as_gateway_round_end(&edge->round, now);
	as_alarms_step(&edge->alarms, now);
	as_groups_begin(&edge->groups, &edge->alarms, edge->round.fresh);
	edge->judging = true;
}

static void judge_slice(struct as_edge_alarms *edge, struct now now)
{
	if (as_groups_judge(&edge->groups, &edge->alarms, now))
		edge->in_round = edge->judging = false;
}

static void on_slice(void *ctx, struct now now)
{
	struct as_edge_alarms *edge = ctx;
	enum status status = ST_OK;
	if (edge->reading)
		status = read_page(edge);
	else if (edge->judging)
		judge_slice(edge, now);
	else
		observe_slice(edge, now);
	if (status != ST_OK)
		as_store_abandon(edge->store);
	else if (edge->in_round)
		io_timer_start(edge->slices, 0, 0);
}

static void look(struct as_edge_alarms *edge, struct now now)
{
	if (!edge->started ||
	    mono_since(now.mono, edge->looked) >= as_health_look_every(edge->alarms.silent)) {
		edge->looked = now.mono;
		start_round(edge);
		as_alarm_processes_observe(edge, now);
		as_alarm_joins_observe(edge, now);
	}
	if (!edge->started || mono_since(now.mono, edge->asked) >= ASK_EVERY) {
		edge->asked = now.mono;
		as_alarm_processes_ask(edge);
	}
	edge->started = true;
	as_notify_observe(&edge->notify, &edge->alarms, now);
	as_alarms_step(&edge->alarms, now);
}

/* --- keeping ------------------------------------------------------------------------------------------------- */

/* Fills whether all that changed is in the store. */
static enum status keep(struct as_edge_alarms *edge, struct now now, bool *all)
{
	enum status status = as_store_alarms_keep(edge->store, &edge->alarms, &edge->notify, now, KEEP_ROWS,
						  all);
	if (status == ST_OK && *all && mono_since(now.mono, edge->pruned) >= PRUNE_EVERY) {
		edge->pruned = now.mono;
		status = as_store_alarms_prune(edge->store, (struct wall){now.wall.us - AS_ALARMS_KEPT},
					       PRUNE_ROWS);
	}
	return status;
}

/* --- telling ------------------------------------------------------------------------------------------------- */

static enum status prepare(struct as_edge_alarms *edge, size_t place, struct now now)
{
	struct as_alarm_sending *sending = &edge->sending[place];
	struct as_channel *channel = &edge->notify.channels[place];
	char city[AS_UUID_TEXT];
	if (sending->body) {
		if (!sending->away && mono_since(now.mono, channel->retry_at) >= 0)
			sending->ready = true;
		return ST_OK;
	}
	bool was_quiet = channel->quiet;
	if (!as_notify_due(&edge->notify, place, &edge->alarms, now, &sending->message))
		return channel->quiet == was_quiet ? ST_OK
						   : as_store_alarm_message_put(edge->store, channel, NULL);
	as_notify_begin(&edge->notify, place);
	json_t *json = as_message_json(&edge->notify, place, &edge->alarms, &sending->message,
				       as_uuid_format(city, as_store_city(edge->store)), now);
	sending->body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!sending->body)
		return ST_NO_MEMORY;
	sending->ready = true;
	return as_store_alarm_message_put(edge->store, channel, sending->body);
}

/* Looks, keeps what changed, and tells what is due once all of that is kept: nobody hears of an alarm, or of its number, that a crash
 * would take back. What does not fit into a turn of the loop goes on in the next. */
static void on_timer(void *ctx, struct now now)
{
	struct as_edge_alarms *edge = ctx;
	bool all = false;
	edge->now = now;
	if (!edge->keeping)
		look(edge, now);
	enum status status = keep(edge, now, &all);
	for (size_t i = 0; all && i < edge->notify.count && status == ST_OK; i++)
		status = prepare(edge, i, now);
	if (all && status == ST_OK) /* what is owed */
		status = keep(edge, now, &all);
	if (status != ST_OK)
		as_store_abandon(edge->store);
	edge->keeping = status == ST_OK && !all;
	io_timer_start(edge->timer, edge->keeping ? 0 : TICK, 0);
}

void as_edge_alarms_drain(struct as_edge_alarms *edge, struct now now)
{
	for (size_t i = 0; i < edge->notify.count; i++) {
		if (!edge->sending[i].ready)
			continue;
		edge->sending[i].ready = false;
		as_alarm_send(edge, i, now);
	}
}

void as_alarm_sent(struct as_edge_alarms *edge, size_t place, const char *problem, struct now now)
{
	struct as_alarm_sending *sending = &edge->sending[place];
	struct as_channel *channel = &edge->notify.channels[place];
	if (!sending->body || !sending->away)
		return; /* the channel was changed meanwhile */
	sending->away = false;
	if (problem) {
		as_notify_failed(&edge->notify, place, problem, now);
		LOG_WARN("alarms_not_taken", "channel=%s attempts=%u reason=\"%s\"", channel->rules.name,
			 channel->failures, channel->problem);
		return;
	}
	as_notify_taken(&edge->notify, place, &edge->alarms, &sending->message, now);
	free(sending->body);
	sending->body = NULL;
	enum status status = as_store_alarm_message_put(edge->store, channel, NULL);
	if (status == ST_OK)
		status = as_store_alarms_keep_told(edge->store, &edge->alarms, &edge->notify,
						   &sending->message, now);
	if (status != ST_OK)
		as_store_abandon(edge->store);
}

/* --- start and end ------------------------------------------------------------------------------------------- */

/* Takes what the store kept. */
static enum status load(struct as_edge_alarms *edge, struct now now)
{
	enum status status = as_store_alarms_load(edge->store, &edge->alarms, &edge->notify, now);
	for (size_t i = 0; i < edge->notify.count && status == ST_OK; i++) {
		struct as_alarm_sending *sending = &edge->sending[i];
		sending->body = as_store_alarm_message(edge->store, &edge->notify.channels[i]);
		json_t *json = sending->body ? json_loads(sending->body, 0, NULL) : NULL;
		if (json && as_message_read(json, &sending->message)) {
			edge->notify.channels[i].sending = true;
		} else {
			free(sending->body);
			sending->body = NULL;
		}
		json_decref(json);
	}
	struct as_alarm *alarm;
	for (size_t at = 0; edge->joins && (alarm = as_alarms_next(&edge->alarms, &at));)
		as_replays_restore(&edge->joins->replays, now, alarm);
	edge->pruned = now.mono;
	for (size_t i = 0; i < AS_ALARM_PROCESSES; i++)
		edge->processes[i].heard = now.mono;
	return status;
}

enum status as_edge_alarms_open(struct as_edge_alarms *edge, struct io_loop *loop, struct as_api *api,
				const struct config_common *common, const struct as_config *config,
				struct rng *rng)
{
	struct as_delivery_files files;
	char problem[CONFIG_ERROR_MAX];
	*edge = (struct as_edge_alarms){.loop = loop,
					.store = api->app->store,
					.health = api->health,
					.joins = api->joins,
					.config = config};
	memcpy(edge->state_dir, common->state_dir, sizeof edge->state_dir);
	as_alarms_init(&edge->alarms, rng, 0);
	as_alarms_set_spans(&edge->alarms, common->gateway_silent_us, config->gateway_offline_us);
	as_groups_init(&edge->groups, AS_GATEWAYS_MAX);
	edge->records = calloc(AS_GATEWAYS_MAX, sizeof *edge->records);
	edge->client = io_http_client_new(loop, &(struct io_http_client_options){.max_calls = 32});
	edge->timer = io_timer_new(loop, on_timer, edge);
	edge->slices = io_timer_new(loop, on_slice, edge);
	if (!edge->records || !edge->client)
		return ST_NO_MEMORY;
	as_alarm_processes_init(edge, common->run_dir);
	struct as_alarms_wanted *wanted = as_delivery_read(config, &files, problem)
						  ? as_edge_alarms_read(edge, config, files.password, problem)
						  : NULL;
	if (wanted)
		as_edge_alarms_take(edge, wanted, files.password);
	secret_wipe(&files, sizeof files);
	if (!wanted) {
		LOG_ERROR("configuration_refused", "reason=\"%s\"", problem);
		return ST_INVALID;
	}
	api->alarms = &edge->alarms;
	api->notify = &edge->notify;
	io_timer_start(edge->timer, TICK, 0);
	return load(edge, clock_now());
}

void as_edge_alarms_close(struct as_edge_alarms *edge)
{
	for (size_t i = 0; i < AS_CHANNELS_MAX; i++) {
		as_alarm_send_abandon(edge, i);
		free(edge->sending[i].body);
	}
	as_alarm_bus_close(edge->bus);
	io_http_client_free(edge->client);
	io_timer_free(edge->timer);
	io_timer_free(edge->slices);
	as_groups_release(&edge->groups);
	as_alarms_release(&edge->alarms);
	free(edge->records);
	secret_wipe(edge, sizeof *edge);
}
