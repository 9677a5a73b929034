/* How devices fare (device_status.c): for collections.c, and a route of its own. */
#ifndef LAMPPOST_AS_DEVICE_STATUS_H
#define LAMPPOST_AS_DEVICE_STATUS_H

#include "application-server/api/api.h"
#include "application-server/store_records.h"

/* GET /api/v1/devices/{eui}/status */
void as_handle_device_status(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* Adds to a device's record when it was heard last, by the server's clock, by how many gateways and at which data rate; what a
 * downlink holds; battery and margin. */
void as_add_last_seen(struct as_api *api, const struct as_call *call, json_t *record);
/* Whether a list of devices asks for more than their records. */
bool as_asks_for_status(const struct as_call *call);
/* That list: records with loss and airtime, those that the filters let through. */
void as_list_status(struct as_api *api, const struct as_call *call, const struct as_list_query *asked,
		    struct as_answer *answer);

#endif
