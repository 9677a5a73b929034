/* GET /api/v1/alarms and what is beneath it. An agency sees the alarms of its own gateways; channels, and taking an alarm on, are
 * the city's. */
#ifndef LAMPPOST_AS_API_ALARMS_H
#define LAMPPOST_AS_API_ALARMS_H

#include "application-server/api/api.h"

/* Gives how many are open, by severity, and how the channels fare: for GET /api/v1/status. */
json_t *as_alarms_summary_json(const struct as_api *api);

void as_handle_alarms(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_alarm(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_alarm_kinds(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_alarm_channels(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* 202: it is sent; GET /api/v1/alarms/channels tells what became of it. */
void as_handle_alarm_test(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* {"note"?, "by"?, "for_s"?}: until it clears, or for so long. 409: it is not raised. */
void as_handle_alarm_ack(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_alarm_unack(struct as_api *api, const struct as_call *call, struct as_answer *answer);

#endif
