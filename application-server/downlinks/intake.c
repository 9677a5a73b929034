#include "application-server/downlinks/intake.h"

#include "application-server/downlinks/queue.h"
#include "application-server/store_device.h"
#include "application-server/uuid.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLICATIONS_MAX 4096
#define LOGS_RATE        1 /* a second of one application */
#define LOGS_BURST       20

/* What one application may still do: tokens in millionths, filled by the time that passes. */
struct bucket {
	struct net_uuid application;
	struct mono filled;
	int64_t commands, logs;
};

struct intake {
	struct as_application *app;
	struct now now;
	const struct as_intake_message *message;
	struct bucket *bucket;
	struct lw_eui64 dev_eui;
	char dev_eui_text[LW_EUI64_TEXT]; /* as the topic has it */
	struct as_device_info device;
	struct as_command *command;
	bool known; /* the device is registered */
};

const char *as_intake_verdict_name(enum as_intake_verdict verdict)
{
	static const char *const names[AS_INTAKE_VERDICTS] = {
		[AS_INTAKE_TAKEN] = "taken",         [AS_INTAKE_REPEATED] = "repeated",
		[AS_INTAKE_DUPLICATE] = "duplicate", [AS_INTAKE_OTHER] = "other",
		[AS_INTAKE_RETAINED] = "retained",   [AS_INTAKE_NO_DEVICE] = "no_device",
		[AS_INTAKE_TOO_FAST] = "too_fast",   [AS_INTAKE_MALFORMED] = "malformed",
		[AS_INTAKE_REFUSED] = "refused"};
	return (unsigned)verdict < AS_INTAKE_VERDICTS ? names[verdict] : "unknown";
}

static void init_buckets(struct as_intake *intake)
{
	table_init(&intake->buckets, APPLICATIONS_MAX, sizeof(struct bucket), sizeof(struct net_uuid),
		   intake->app->rng);
}

void as_intake_init(struct as_intake *intake, struct as_application *app)
{
	*intake = (struct as_intake){.app = app};
	init_buckets(intake);
}

void as_intake_release(struct as_intake *intake)
{
	table_release(&intake->buckets);
	*intake = (struct as_intake){.app = NULL};
}

/* --- rates ---------------------------------------------------------------------------------------------------- */

static int64_t filled(int64_t tokens, span_us passed, int64_t rate, int64_t burst)
{
	int64_t full = burst * US_PER_S;
	if (passed > full / rate)
		return full;
	tokens += passed * rate;
	return tokens > full ? full : tokens;
}

static bool take_token(int64_t *tokens)
{
	bool has = *tokens >= US_PER_S;
	if (has)
		*tokens -= US_PER_S;
	return has;
}

/* Lends the application's bucket, filled up to now. When there are too many applications all begin anew. */
static struct bucket *bucket_of(struct as_intake *intake, struct now now, const struct net_uuid *application)
{
	bool made;
	struct bucket *bucket = table_put(&intake->buckets, application, &made);
	if (!bucket) {
		table_release(&intake->buckets);
		init_buckets(intake);
		bucket = table_put(&intake->buckets, application, &made);
		ASSERT(bucket);
	}
	span_us passed = made ? INT64_MAX : mono_since(now.mono, bucket->filled);
	bucket->commands = filled(bucket->commands, passed, AS_INTAKE_RATE, AS_INTAKE_BURST);
	bucket->logs = filled(bucket->logs, passed, LOGS_RATE, LOGS_BURST);
	bucket->filled = now.mono;
	return bucket;
}

/* --- what went wrong, for the agency ----------------------------------------------------------------------------- */

static enum status tell(struct intake *one, struct as_log *log)
{
	if (!take_token(&one->bucket->logs))
		return ST_OK;
	log->dev_eui = one->dev_eui;
	log->time = one->now.wall;
	log->level = AS_LOG_ERROR;
	return as_application_log(one->app, log);
}

static enum status tell_refusal(struct intake *one, enum as_enqueued verdict, const struct as_item *item)
{
	struct as_log log = {.description = as_enqueued_reason(verdict), .code = "UNKNOWN"};
	if (verdict == AS_NO_ENCODER || verdict == AS_NOT_ENCODED)
		log.code = "DOWNLINK_CODEC";
	if (verdict == AS_DEVICE_QUOTA || verdict == AS_AGENCY_QUOTA)
		log.code = "AIRTIME_QUOTA";
	if (one->command->why[0])
		as_log_add(&log, "cause", "%s", one->command->why);
	if (verdict == AS_TOO_LONG) {
		log.code = "DOWNLINK_PAYLOAD_SIZE";
		as_log_add(&log, "max_payload_size", "%u", as_queue_longest(one->app, one->device.region));
		as_log_add(&log, "item_size", "%zu", one->command->length);
	}
	if (one->command->has_id)
		as_log_add_item(&log, &item->item);
	return tell(one, &log);
}

/* Says what is wrong and never what was sent. */
static enum status tell_malformed(struct intake *one, const char *field, const char *reason)
{
	char description[280];
	struct as_log log = {.description = description, .code = "UNKNOWN"};
	snprintf(description, sizeof description, "command is malformed: %s%s%s", field, *field ? " " : "",
		 reason);
	return tell(one, &log);
}

/* --- the steps ---------------------------------------------------------------------------------------------------- */

static bool find_device(struct as_intake *intake, struct intake *one, enum status *status,
			enum as_intake_verdict *verdict)
{
	struct net_uuid application;
	const char *name;
	*verdict = AS_INTAKE_NO_DEVICE;
	if (!as_command_topic(one->message->topic, &application, one->dev_eui_text, &name) ||
	    !lw_eui64_parse(one->dev_eui_text, &one->dev_eui))
		return false;
	*status = as_store_device_info(one->app->store, &one->dev_eui, &one->device);
	one->known = *status == ST_OK;
	if (*status == ST_NOT_FOUND)
		*status = ST_OK;
	if (strcmp(name, "down") != 0) {
		*verdict = AS_INTAKE_OTHER;
		return false;
	}
	if (one->message->retained) {
		*verdict = AS_INTAKE_RETAINED;
		return false;
	}
	if (!one->known || !as_uuid_equal(&application, &one->device.application))
		return false;
	one->bucket = bucket_of(intake, one->now, &application);
	return true;
}

/* Reads the JSON into one->command; NULL, or what is wrong in `problems`. The caller releases it. */
static json_t *read_body(struct intake *one, struct record_problems *problems)
{
	json_error_t error;
	if (one->message->length > AS_INTAKE_BYTES_MAX) {
		record_problems_add(problems, "", "longer than %d bytes", AS_INTAKE_BYTES_MAX);
		return NULL;
	}
	json_t *body = json_loadb(one->message->bytes, one->message->length, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(body)) {
		record_problems_add(problems, "", "it is no JSON object");
		json_decref(body);
		return NULL;
	}
	const json_t *named = json_object_get(body, "devEui");
	if (!named)
		named = json_object_get(body, "dev_eui");
	if (!json_is_string(named) || strcmp(json_string_value(named), one->dev_eui_text) != 0)
		record_problems_add(problems, "devEui", "must be that of the topic, letter for letter");
	(void)as_command_read(body, AS_COMMAND_MQTT, one->now.wall, one->command, problems);
	return body;
}

static void digest_of(const struct intake *one, uint8_t digest[SECRET_HASH])
{
	uint8_t hashes[2 * SECRET_HASH];
	secret_hash(hashes, one->message->topic, strlen(one->message->topic));
	secret_hash(hashes + SECRET_HASH, one->message->bytes, one->message->length);
	as_keyed_hash(one->app->keys, digest, hashes, sizeof hashes);
}

/* The command is whole: into the queue, unless it is one that the broker delivers again. */
static enum status enqueue(struct intake *one, enum as_intake_verdict *verdict)
{
	static const enum as_intake_verdict verdicts[AS_ENQUEUED_COUNT] = {
		[AS_ENQUEUED] = AS_INTAKE_TAKEN,       [AS_ENQUEUED_BEFORE] = AS_INTAKE_REPEATED,
		[AS_ID_TAKEN] = AS_INTAKE_REFUSED,     [AS_DEVICE_FULL] = AS_INTAKE_REFUSED,
		[AS_AGENCY_FULL] = AS_INTAKE_REFUSED,  [AS_DEVICE_QUOTA] = AS_INTAKE_REFUSED,
		[AS_AGENCY_QUOTA] = AS_INTAKE_REFUSED, [AS_TOO_LONG] = AS_INTAKE_REFUSED,
		[AS_NO_ENCODER] = AS_INTAKE_REFUSED,   [AS_NOT_ENCODED] = AS_INTAKE_REFUSED,
		[AS_KEY_IS_HELD] = AS_INTAKE_REFUSED};
	const struct as_intake_message *message = one->message;
	uint8_t digest[SECRET_HASH];
	struct as_item item;
	enum as_enqueued enqueued;
	digest_of(one, digest);
	if (!one->command->has_id && message->dup &&
	    as_store_command_seen(one->app->store, digest, message->mid, one->now.wall)) {
		*verdict = AS_INTAKE_DUPLICATE;
		return ST_OK;
	}
	enum status status = as_queue_add(one->app, one->now, &one->dev_eui, &one->device, one->command,
					  &item, &enqueued);
	if (status != ST_OK)
		return status;
	*verdict = verdicts[enqueued];
	if (enqueued == AS_ENQUEUED && !one->command->has_id)
		return as_store_command_remember(one->app->store, digest, message->mid, one->now.wall);
	return enqueued > AS_ENQUEUED_BEFORE ? tell_refusal(one, enqueued, &item) : ST_OK;
}

static enum status read_and_enqueue(struct intake *one, enum as_intake_verdict *verdict)
{
	struct record_problems problems = {.count = 0};
	one->command = calloc(1, sizeof *one->command);
	if (!one->command)
		return ST_NO_MEMORY;
	json_t *body = read_body(one, &problems);
	*verdict = AS_INTAKE_MALFORMED;
	enum status status = problems.count
				     ? tell_malformed(one, problems.items[0].field, problems.items[0].reason)
				     : enqueue(one, verdict);
	json_decref(body);
	secret_wipe(one->command, sizeof *one->command);
	free(one->command);
	return status;
}

enum status as_intake_take(struct as_intake *intake, struct now now, const struct as_intake_message *message,
			   enum as_intake_verdict *verdict)
{
	struct intake one = {.app = intake->app, .now = now, .message = message};
	enum status status = ST_OK;
	if (find_device(intake, &one, &status, verdict)) {
		if (take_token(&one.bucket->commands)) {
			status = read_and_enqueue(&one, verdict);
		} else {
			struct as_log log = {.code = "UNKNOWN",
					     .description = "too many commands of this application: lost"};
			*verdict = AS_INTAKE_TOO_FAST;
			status = tell(&one, &log);
		}
	}
	intake->counts[*verdict]++;
	if (one.known) {
		const struct decision said = {.table = AS_TABLE_INTAKE,
					      .verdict = (uint8_t)*verdict,
					      .a = (uint32_t)message->length,
					      .b = AS_INTAKE_RATE};
		as_rules_add(&intake->app->decisions, now.wall, &one.dev_eui, NULL, &said);
	}
	return status;
}
