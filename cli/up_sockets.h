/* The sockets that gateways send to, held by `lamppost up` and handed to each gateway bridge it starts (common/io/listen_fds.h): what
 * arrives while the bridge is away waits in the kernel's buffers, and no gateway is told that nobody is there.
 *
 * Which sockets: those of the configuration's lists udp_listen, station_listen and cups_listen in section gateway-bridge; named
 * "udp_listen.0" and so on. Those that systemd handed to us (socket units) are passed on. A socket that cannot be opened is left
 * to the bridge, which says why. */
#ifndef LAMPPOST_CLI_UP_SOCKETS_H
#define LAMPPOST_CLI_UP_SOCKETS_H

#include "common/io/listen_fds.h"
#include "common/io/process.h"

#define CLI_SOCKETS_MAX      16
#define CLI_SOCKET_VARIABLES 3

struct cli_sockets {
	struct io_listen_fds received; /* from systemd */
	struct {
		char name[IO_LISTEN_NAME_MAX];
		char address[96]; /* as the configuration has it */
		int fd;
		bool wanted;
	} rows[CLI_SOCKETS_MAX];
	size_t count;
	int fds[CLI_SOCKETS_MAX]; /* of `rows`, as io_process_spawn() takes them */
	char variables[CLI_SOCKET_VARIABLES][CLI_SOCKETS_MAX * IO_LISTEN_NAME_MAX];
};

/* Takes what systemd handed over. */
void cli_sockets_init(struct cli_sockets *sockets);
/* Before a start of the bridge: reads `config` again, opens what is new in it, closes what is gone; adds the descriptors to `options` and
 * CLI_SOCKET_VARIABLES texts at `variables`, lent until the next call. A file that cannot be read changes nothing: the bridge
 * refuses it by name. */
void cli_sockets_hand_over(struct cli_sockets *sockets, const char *config,
			   struct io_process_options *options, const char **variables);
void cli_sockets_release(struct cli_sockets *sockets);

#endif
