/* The three ways out: each tells as_alarm_sent() once what became of a message. */
#include "application-server/edge_alarms.h"

#include "application-server/alarms/mail_text.h"
#include "common/base/hex.h"
#include "common/crypto/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT (15 * US_PER_S)

/* --- webhook ------------------------------------------------------------------------------------------------- */

static void on_webhook(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_alarm_sending *sending = ctx;
	char problem[160];
	(void)id;
	sending->call = 0;
	if (answer->status != ST_OK)
		snprintf(problem, sizeof problem, "%.150s", answer->reason);
	else
		snprintf(problem, sizeof problem, "the receiver answered %d", answer->code);
	bool taken = answer->status == ST_OK && answer->code >= 200 && answer->code < 300;
	as_alarm_sent(sending->edge, sending->place, taken ? NULL : problem, now);
}

/* "sha256=" and the HMAC of the body, as receivers of webhooks commonly check it. */
static void sign(const struct as_alarm_sending *sending, char header[128])
{
	uint8_t mac[SECRET_HASH];
	char text[2 * SECRET_HASH + 1];
	secret_hmac_sha256(mac, sending->secret, strlen(sending->secret), sending->body,
			   strlen(sending->body));
	hex_encode(text, mac, sizeof mac);
	snprintf(header, 128, "X-Lamppost-Signature: sha256=%s", text);
}

static const char *id_of(const json_t *message)
{
	const char *id = json_string_value(json_object_get(message, "id"));
	return id ? id : "";
}

static const char *send_webhook(struct as_edge_alarms *edge, struct as_alarm_sending *sending,
				const struct as_channel_rules *rules, const json_t *message)
{
	char signature[128], id[160];
	snprintf(id, sizeof id, "Idempotency-Key: %.120s", id_of(message));
	const char *headers[3] = {id, NULL, NULL};
	if (sending->secret[0]) {
		sign(sending, signature);
		headers[1] = signature;
	}
	const struct io_http_call call = {
		.method = IO_HTTP_POST,
		.url = rules->target,
		.headers = headers,
		.body = sending->body,
		.length = strlen(sending->body),
		.timeout = TIMEOUT,
		.answer_limit = 65536,
		.ca_file = *edge->config->alarm_ca_file ? edge->config->alarm_ca_file : NULL,
		.on_done = on_webhook,
		.ctx = sending};
	return io_http_client_start(edge->client, &call, &sending->call) == ST_OK ? NULL
										  : "too many calls wait";
}

/* --- e-mail -------------------------------------------------------------------------------------------------- */

static void on_mail(void *ctx, struct now now, const struct io_mail_answer *answer)
{
	struct as_alarm_sending *sending = ctx;
	sending->mail = NULL;
	as_alarm_sent(sending->edge, sending->place, answer->status == ST_OK ? NULL : answer->reason, now);
}

/* Splits addresses with commas between, in place. */
static size_t split(char *text, const char *to[IO_MAIL_RECIPIENTS + 1])
{
	size_t count = 0;
	char *rest = NULL;
	for (char *at = strtok_r(text, ", ", &rest); at && count < IO_MAIL_RECIPIENTS;
	     at = strtok_r(NULL, ", ", &rest))
		to[count++] = at;
	to[count] = NULL;
	return count;
}

static const char *send_mail(struct as_edge_alarms *edge, struct as_alarm_sending *sending,
			     const struct as_channel_rules *rules, const json_t *message, struct now now)
{
	const struct as_config *config = edge->config;
	const char *to[IO_MAIL_RECIPIENTS + 1];
	char addresses[AS_CHANNEL_TARGET], from[300];
	size_t length;
	snprintf(addresses, sizeof addresses, "%s", rules->target);
	split(addresses, to);
	if (*config->smtp_from)
		snprintf(from, sizeof from, "%s", config->smtp_from);
	else
		snprintf(from, sizeof from, "lamppost@%s", config->smtp_host);
	const char *at = strchr(from, '@');
	const struct as_mail_frame frame = {.from = from,
					    .to = rules->target,
					    .domain = at ? at + 1 : "lamppost.invalid",
					    .zone = &edge->notify.zone,
					    .now = now.wall};
	char *text = as_mail_text(&frame, message, &length);
	if (!text)
		return "no memory";
	const struct io_mail mail = {.host = config->smtp_host,
				     .port = (uint16_t)config->smtp_port,
				     .security = (enum io_mail_security)config->smtp_security,
				     .ca_file = config->alarm_ca_file,
				     .username = config->smtp_username,
				     .password = edge->smtp_password,
				     .from = from,
				     .to = to,
				     .text = text,
				     .length = length,
				     .on_done = on_mail,
				     .ctx = sending};
	sending->mail = io_mail_send(edge->loop, &mail);
	free(text);
	return sending->mail ? NULL : "no thread can be started";
}

/* --- all of them --------------------------------------------------------------------------------------------- */

void as_alarm_send(struct as_edge_alarms *edge, size_t place, struct now now)
{
	struct as_alarm_sending *sending = &edge->sending[place];
	const struct as_channel_rules *rules = &edge->notify.channels[place].rules;
	const char *problem = "not readable";
	json_t *message = json_loads(sending->body, 0, NULL);
	sending->edge = edge;
	sending->place = place;
	sending->away = true;
	if (message && rules->type == AS_CHANNEL_WEBHOOK)
		problem = send_webhook(edge, sending, rules, message);
	else if (message && rules->type == AS_CHANNEL_MAIL)
		problem = send_mail(edge, sending, rules, message, now);
	else if (message)
		problem = edge->bus && as_alarm_bus_send(edge->bus, place, message) == ST_OK
				  ? NULL
				  : "the broker is not connected";
	json_decref(message);
	if (problem) {
		sending->away = false;
		as_notify_failed(&edge->notify, place, problem, now);
	}
}

void as_alarm_send_abandon(struct as_edge_alarms *edge, size_t place)
{
	struct as_alarm_sending *sending = &edge->sending[place];
	if (sending->call)
		io_http_client_cancel(edge->client, sending->call);
	io_mail_abandon(sending->mail);
	sending->call = 0;
	sending->mail = NULL;
	sending->away = sending->ready = false;
}
