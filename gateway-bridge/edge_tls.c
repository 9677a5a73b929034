#include "gateway-bridge/edge_tls.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void name_file(char path[GB_TLS_PATH], const char *given, const char *state_dir, const char *name)
{
	if (given[0])
		snprintf(path, GB_TLS_PATH, "%s", given);
	else
		snprintf(path, GB_TLS_PATH, "%s/keys/%s", state_dir, name);
}

void gb_tls_files_init(struct gb_tls_files *files, const struct gb_config *config, const char *state_dir)
{
	*files = (struct gb_tls_files){.certificate = ""};
	name_file(files->certificate, config->tls_certificate, state_dir, "gateway-bridge.tls.crt");
	name_file(files->key, config->tls_key, state_dir, "gateway-bridge.tls.key");
	name_file(files->ca, config->tls_ca, state_dir, "gateway-bridge.ca.crt");
}

enum gb_tls_look gb_tls_files_look(struct gb_tls_files *files)
{
	const char *const paths[] = {files->certificate, files->key, files->ca};
	struct gb_tls_stamp stamps[3];
	memset(stamps, 0, sizeof stamps);
	for (int i = 0; i < 3; i++) {
		struct stat about;
		if (stat(paths[i], &about) != 0 || !S_ISREG(about.st_mode))
			return GB_TLS_MISSING;
		stamps[i].seconds = about.st_mtim.tv_sec;
		stamps[i].nanoseconds = about.st_mtim.tv_nsec;
		stamps[i].size = about.st_size;
	}
	if (memcmp(stamps, files->stamps, sizeof stamps) == 0)
		return GB_TLS_SAME;
	memcpy(files->stamps, stamps, sizeof stamps);
	return GB_TLS_NEW;
}

struct gb_presented gb_tls_presented(const struct io_http_request *request)
{
	struct gb_presented presented = {.has_certificate = false};
	const struct io_tls_peer *peer = io_http_request_certificate(request);
	bool expired = peer && peer->verdict == IO_TLS_PEER_EXPIRED;
	if (peer && (peer->verdict == IO_TLS_PEER_GOOD || expired)) {
		struct wall until = peer->not_after;
		if (expired)
			until.us = 0;
		gb_presented_certificate(&presented, peer->common_name, strlen(peer->common_name),
					 peer->serial, peer->serial_length, until);
	}
	gb_presented_token(&presented, io_http_request_header(request, "Authorization"));
	return presented;
}
