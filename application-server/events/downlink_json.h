/* What becomes of commands, and what devices say of themselves, as the JSON of ChirpStack v4's events `ack`, `txack`, `status`
 * and `log` (tests/vectors/chirpstack-events). Extra members: `tries` and `window` of a
 * txack; `eventId` of all, which stays when an event is delivered again. Where ChirpStack has no code
 * for what happened a log says `UNKNOWN`, with our own verdict as `cause` in its context. Pure. */
#ifndef LAMPPOST_AS_DOWNLINK_JSON_H
#define LAMPPOST_AS_DOWNLINK_JSON_H

#include "application-server/store_keys.h"
#include "common/proto/network_messages.h"

#define AS_LOG_CONTEXT_MAX 5
#define AS_LOG_VALUE_MAX   96

enum as_log_level { AS_LOG_INFO, AS_LOG_WARNING, AS_LOG_ERROR };

/* One `log` event. Texts are borrowed but the values of its context. */
struct as_log {
	struct net_uuid id; /* of the event */
	struct lw_eui64 dev_eui;
	struct wall time;
	enum as_log_level level;
	const char *code; /* one of ChirpStack's */
	const char *description;
	size_t context_count;
	struct as_log_context {
		const char *name;
		char value[AS_LOG_VALUE_MAX];
	} context[AS_LOG_CONTEXT_MAX];
};

/* Adds to its context; values longer than AS_LOG_VALUE_MAX are cut. */
void as_log_add(struct as_log *log, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void as_log_add_item(struct as_log *log, const struct net_uuid *item);

/* Fill the text, NUL-terminated, and its length; false when it does not fit (too many and too long tags). */
bool as_ack_json(char *text, size_t capacity, const void *net_downlink_event,
		 const struct as_device_info *device, size_t *length);
bool as_txack_json(char *text, size_t capacity, const void *net_downlink_event,
		   const struct as_device_info *device, size_t *length);
bool as_status_json(char *text, size_t capacity, const void *net_status_event,
		    const struct as_device_info *device, size_t *length);
bool as_log_json(char *text, size_t capacity, const void *as_log, const struct as_device_info *device,
		 size_t *length);

#endif
