/* The files of the gateway bridge's TLS listeners, where bridge and application server run as one user: in STATE/keys
 * gateway-bridge.tls.key (0600), gateway-bridge.tls.crt with its CA behind it, and gateway-bridge.ca.crt, the `tc.trust` of
 * stations. Made when they are missing, when their names are others than the configuration's, and anew in their last third. A
 * file that another than this process made is left alone: its operator renews it. */
#ifndef LAMPPOST_AS_EDGE_SERVER_FILES_H
#define LAMPPOST_AS_EDGE_SERVER_FILES_H

#include "application-server/config.h"
#include "application-server/identity/authority.h"

/* Looks, and makes what is to be made in this turn; call it at the start and now and then. Trouble is logged: the bridge says
 * the same in its health. */
void as_server_files_look(struct as_authority *authority, const struct as_config *config,
			  const char *state_dir, struct wall now);
/* Fills the identity's part of the configuration. */
struct as_identity_config as_identity_config_of(const struct as_config *config);

#endif
