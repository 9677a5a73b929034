/* GET /api/v1/airtime and /api/v1/airtime/gateways: who uses the air. */
#ifndef LAMPPOST_AS_API_AIRTIME_H
#define LAMPPOST_AS_API_AIRTIME_H

#include "application-server/api/api.h"

void as_handle_airtime(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_airtime_gateways(struct as_api *api, const struct as_call *call, struct as_answer *answer);

#endif
