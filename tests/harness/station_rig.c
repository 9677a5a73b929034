#include "tests/harness/station_rig.h"

#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int listen_on(uint32_t address, uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(address)}};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ASSERT(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
	ASSERT(bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 4096) == 0);
	return fd;
}

static void open_on(struct t_stations *at, const char *door, uint32_t address, unsigned gateways,
		    uint64_t first, const char *settings)
{
	const char *name = strcmp(door, "cups_listen") == 0 ? "cups_listen.0" : "station_listen.0";
	char text[2048];
	*at = (struct t_stations){.listener = -1};
	t_temp_dir(at->dir);
	t_pki_make(&at->pki, at->dir);
	at->tls = t_wire_tls_new(at->pki.ca);
	at->port = t_free_tcp_port();
	at->listener = listen_on(address, at->port);
	snprintf(text, sizeof text,
		 "%s  %s: [\"%s:%u\"]\n  tls_certificate: \"%s\"\n  tls_key: \"%s\"\n"
		 "  tls_ca: \"%s\"\n%s",
		 strcmp(door, "station_listen") == 0 ? "" : "  station_listen: []\n", door,
		 address == INADDR_ANY ? "0.0.0.0" : "127.0.0.1", at->port, at->pki.server,
		 at->pki.server_key, at->pki.ca, settings);
	at->rig = t_bridge_start_handed(true, text, name, at->listener);
	for (unsigned i = 0; i < gateways; i++)
		t_upstream_add(at->rig->upstream, first + i)->accept = GW_ACCEPT_CERTIFICATE;
	t_true("list", t_bridge_has_list(at->rig));
	t_upstream_give_list(at->rig->upstream);
	t_true("list", t_bridge_has_list(at->rig));
}

void t_stations_open(struct t_stations *at, unsigned gateways, uint64_t first, const char *settings)
{
	open_on(at, "station_listen", INADDR_LOOPBACK, gateways, first, settings);
}

void t_stations_open_anywhere(struct t_stations *at, unsigned gateways, uint64_t first, const char *settings)
{
	open_on(at, "station_listen", INADDR_ANY, gateways, first, settings);
}

void t_stations_open_cups(struct t_stations *at, unsigned gateways, uint64_t first)
{
	open_on(at, "cups_listen", INADDR_LOOPBACK, gateways, first, "");
}

void t_stations_close(struct t_stations *at)
{
	t_bridge_stop(at->rig);
	close(at->listener);
	t_wire_tls_free(at->tls);
	t_pki_free(&at->pki);
	t_temp_dir_remove(at->dir);
}

struct t_wire *t_stations_dial_with(const struct t_stations *at, uint64_t eui, bool with_certificate,
				    const struct t_wire_options *options)
{
	struct t_wire_options all = *options;
	char path[64] = "/router-info";
	uint8_t certificate[X509_DER_MAX];
	if (all.path)
		snprintf(path, sizeof path, "%s", all.path);
	else if (eui != 0)
		snprintf(path, sizeof path, "/gateway/%016" PRIX64, eui);
	all.port = at->port;
	all.tls = at->tls;
	all.path = path;
	if (with_certificate) {
		all.certificate = certificate;
		all.certificate_length = t_pki_gateway(&at->pki, eui, (int64_t)time(NULL) * 1000000,
						       certificate);
		all.key = at->pki.gateway_key_der;
		all.key_length = at->pki.gateway_key_length;
	}
	return t_wire_open(&all);
}

struct t_wire *t_stations_dial(const struct t_stations *at, uint64_t eui, bool with_certificate)
{
	return t_stations_dial_with(at, eui, with_certificate, &(struct t_wire_options){0});
}
