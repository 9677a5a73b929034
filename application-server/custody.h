/* Who can decrypt a device's payloads. A record says who is to (`key_custody` of the application, or of the device); what holds is
 * decided by each join: under whose KEK the join server wrapped the AppSKey. A change therefore takes effect with the device's next
 * join, in either direction.
 *
 *	the city's     label `application`: unwrapped here, kept sealed (store_keys.h); payloads are decrypted, decoded, encrypted
 *	the agency's   any other label: kept as it came (store_custody.h) and handed to the agency with every event; payloads pass as
 *	               they are, in both directions
 *
 * Invariant: no code path from a held session leads to a key in clear; there is none in this process. */
#ifndef LAMPPOST_AS_CUSTODY_H
#define LAMPPOST_AS_CUSTODY_H

#include "application-server/application.h"
#include "application-server/store_custody.h"
#include "common/backend/ts002.h"

/* Keeps the session's key for whomever it is wrapped. Fills `held` and `*is_held` where that is not the city. */
enum status as_custody_on_join(struct as_application *app, struct now now, const struct net_join_event *join,
			       struct as_held *held, bool *is_held) MUST_USE;
/* For an uplink that no session key was found for. Fills `*is_held`: whether that is because the agency has it; `held` then says how the agency
 * comes to it. */
enum status as_custody_on_up(struct as_application *app, const struct net_up_event *up,
			     const struct as_device_info *device, struct as_held *held,
			     bool *is_held) MUST_USE;
/* Whether payloads for the device must be encrypted by the agency: it is in a held session, or in none yet and its record says
 * so. */
bool as_custody_is_held(struct as_application *app, const struct lw_eui64 *dev_eui,
			const struct as_device_info *device);

/* Whether a session's AppSKey is the agency's alone, as far as is known: one whose key is still being asked for is nobody's yet. */
bool as_custody_holds(struct as_application *app, const struct lw_eui64 *dev_eui,
		      const struct net_session_id *session);

/* A join server's answer to AppSKeyReq for a session that came without a key (NULL: what came is none): the key is kept for whomever it
 * is wrapped, at its join's place among the sessions, and what became of it is counted and told by `why`. */
enum as_app_key_verdict as_custody_on_app_key(struct as_application *app, struct now now,
					      const struct lw_eui64 *dev_eui, const struct as_held *session,
					      const struct bi_message *answer);
/* No answer came, or one of HTTP's own (`code`; 0: none). It is asked again: of a row of such tries the first is told. */
void as_custody_on_no_app_key(struct as_application *app, struct now now, const struct lw_eui64 *dev_eui,
			      int code, bool first);

#endif
