/* What the bridge's TLS listeners share: what a caller presented, and where their files are: those of the configuration, or in STATE/keys those that the application
 * server writes (application-server/identity/server_files.h) and renews. */
#ifndef LAMPPOST_BRIDGE_EDGE_TLS_H
#define LAMPPOST_BRIDGE_EDGE_TLS_H

#include "common/io/http_server.h"
#include "gateway-bridge/config.h"
#include "gateway-bridge/identity.h"

#define GB_TLS_PATH (OPTION_PATH_MAX + 64)

struct gb_tls_files {
	char certificate[GB_TLS_PATH]; /* PEM, with its chain */
	char key[GB_TLS_PATH];
	char ca[GB_TLS_PATH]; /* whose client certificates are good */
	struct gb_tls_stamp {
		int64_t seconds, nanoseconds;
		int64_t size;
	} stamps[3]; /* as gb_tls_files_look() saw them */
};

void gb_tls_files_init(struct gb_tls_files *files, const struct gb_config *config, const char *state_dir);
enum gb_tls_look {
	GB_TLS_MISSING, /* not all three are there: no listener can be opened yet */
	GB_TLS_SAME,    /* as at the last look */
	GB_TLS_NEW /* there, and other than at the last look: open the listener, or have it read them again */
};
/* Looks whether they are there, and whether they have changed since it was called last. */
enum gb_tls_look gb_tls_files_look(struct gb_tls_files *files);

/* What a caller shows of itself. A certificate that TLS did not find good is none; one whose time is over, its own or its chain's, is
 * shown with no time at all, so that the verdict can say so. */
struct gb_presented gb_tls_presented(const struct io_http_request *request);

#endif
