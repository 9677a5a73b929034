/* GET /api/v1/devices/{id}/mac: what the device has taken and refused of what the network wants of it. Its agency asks, and the city's
 * engineers; the network server answers (edge_mac.h). */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/store_records.h"

#include <stdio.h>

void as_handle_device_mac(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	json_t *record = NULL;
	enum status status = as_store_record_get(api->app->store, call->scope, RECORD_DEVICE, call->id,
						 &record);
	if (status == ST_NOT_FOUND) {
		as_answer_not_found(answer, record_schema(RECORD_DEVICE));
	} else if (status != ST_OK) {
		as_answer_failed(answer, status);
	} else {
		answer->status = 200;
		snprintf(answer->asks_network, sizeof answer->asks_network, "/mac/device/%s",
			 json_string_value(json_object_get(record, "dev_eui")));
	}
	json_decref(record);
}
