/* Handlers of the routes, each of the form of `struct as_route`. */
#ifndef LAMPPOST_AS_COLLECTIONS_H
#define LAMPPOST_AS_COLLECTIONS_H

#include "application-server/api/api.h"

/* Every collection alike. */
void as_handle_list(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_create(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_get(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_change(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_remove(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* Devices. */
void as_handle_keys_put(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_import(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_rejoin(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_allow_once(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_allow_once_get(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_allow_once_withdraw(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_readings(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* Keys that agencies hold. */
void as_handle_kek(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_kek_put(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_kek_retire(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_device_session(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* Downlinks of a device. */
void as_handle_downlink(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_downlinks(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_downlink_get(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_downlinks_flush(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_downlink_flush(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* Joins. */
void as_handle_joins(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_device_joins(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* Why: answered when the other processes were asked. */
void as_handle_device_mac(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_device_why(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_gateway_why(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_join_why(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_downlink_why(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_frame_why(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_why_server(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_why_rules(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* Frames. */
void as_handle_frames(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* Events. */
void as_handle_events(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* Gives a record that the caller sees; NULL with an answer. */
json_t *as_get_or_answer(struct as_api *api, const struct as_call *call, enum record_kind kind,
			 struct as_answer *answer);

/* Gateways' health. */
void as_handle_gateway_health(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_gateway_outages(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_gateways_summary(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_gateway_ping(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_gateway_run(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_gateway_shell(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_gateway_shell_input(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_gateway_shell_close(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_gateway_shells(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_gateway_impact(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* --- gateways.c */
/* Adds its state with the reason, when and from where it was heard last, and how much comes from it (api/gateway_json.h) to a
 * gateway's record; null where the bridge is not heard. `whole`: and `health`, all that is known of it. */
void as_add_live(struct as_api *api, struct now now, json_t *record, bool whole);
/* GET /api/v1/gateways?unregistered=true */
void as_handle_unregistered(struct as_api *api, const struct as_call *call, struct as_answer *answer);

#endif
