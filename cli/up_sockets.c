#include "cli/up_sockets.h"

#include "common/base/check.h"
#include "common/text/yaml_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The lists of section gateway-bridge that the bridge takes from us, and what it listens on where the file does not name one. */
static const struct {
	const char *key, *fallback;
	int type;
} lists[] = {
	{"udp_listen", "*:1700", SOCK_DGRAM},
	{"station_listen", "*:3001", SOCK_STREAM},
	{"cups_listen", "*:3002", SOCK_STREAM},
};

void cli_sockets_init(struct cli_sockets *sockets)
{
	*sockets = (struct cli_sockets){0};
	io_listen_fds_receive(&sockets->received);
}

/* "host:port", "[host]:port". */
static bool split(const char *address, char host[64], uint16_t *port)
{
	const char *colon = strrchr(address, ':');
	bool bracket = address[0] == '[';
	if (!colon || colon == address)
		return false;
	size_t length = (size_t)(colon - address) - (bracket ? 2 : 0);
	char *end;
	unsigned long number = strtoul(colon + 1, &end, 10);
	if (length == 0 || length > 63 || *end || number == 0 || number > UINT16_MAX)
		return false;
	snprintf(host, 64, "%.*s", (int)length, address + (bracket ? 1 : 0));
	*port = (uint16_t)number;
	return true;
}

static void want(struct cli_sockets *sockets, size_t list, unsigned index, const char *address)
{
	char name[IO_LISTEN_NAME_MAX], host[64];
	uint16_t port;
	snprintf(name, sizeof name, "%s.%u", lists[list].key, index);
	for (size_t i = 0; i < sockets->count; i++) {
		if (strcmp(sockets->rows[i].name, name) != 0 ||
		    strcmp(sockets->rows[i].address, address) != 0)
			continue;
		sockets->rows[i].wanted = true;
		return;
	}
	if (sockets->count == CLI_SOCKETS_MAX || !split(address, host, &port))
		return; /* any free port is the bridge's own */
	int fd = io_listen_fds_take(&sockets->received, lists[list].key, index, lists[list].type, host, port);
	if (fd == 0 && io_listen_fd_open(lists[list].type, host, port, &fd) != ST_OK)
		return;
	snprintf(sockets->rows[sockets->count].name, sizeof sockets->rows[0].name, "%s", name);
	snprintf(sockets->rows[sockets->count].address, sizeof sockets->rows[0].address, "%s", address);
	sockets->rows[sockets->count].fd = fd;
	sockets->rows[sockets->count++].wanted = true;
}

static const struct yt_node *child(const struct yt_node *map, const char *key)
{
	const struct yt_node *node = map && map->kind == YT_MAP ? map->first : NULL;
	while (node && strcmp(node->key, key) != 0)
		node = node->next;
	return node;
}

static void want_all(struct cli_sockets *sockets, const struct yt_node *root)
{
	const struct yt_node *section = child(root, "gateway-bridge");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct yt_node *list = child(section, lists[i].key);
		if (!list)
			want(sockets, i, 0, lists[i].fallback);
		unsigned index = 0;
		if (list && list->kind == YT_SCALAR)
			want(sockets, i, 0, list->value);
		else if (list && list->kind == YT_LIST)
			for (const struct yt_node *item = list->first; item; item = item->next)
				if (item->kind == YT_SCALAR)
					want(sockets, i, index++, item->value);
	}
}

static void close_unwanted(struct cli_sockets *sockets)
{
	size_t kept = 0;
	for (size_t i = 0; i < sockets->count; i++) {
		if (sockets->rows[i].wanted)
			sockets->rows[kept++] = sockets->rows[i];
		else
			close(sockets->rows[i].fd);
	}
	sockets->count = kept;
}

static void fill(struct cli_sockets *sockets)
{
	snprintf(sockets->variables[0], sizeof sockets->variables[0], "LISTEN_FDS=%zu", sockets->count);
	snprintf(sockets->variables[1], sizeof sockets->variables[1], IO_LISTEN_PARENT "=%d", getpid());
	size_t room = sizeof sockets->variables[2];
	size_t used = (size_t)snprintf(sockets->variables[2], room, "LISTEN_FDNAMES=");
	for (size_t i = 0; i < sockets->count; i++) {
		sockets->fds[i] = sockets->rows[i].fd;
		used += (size_t)snprintf(sockets->variables[2] + used, room - used, "%s%s", i ? ":" : "",
					 sockets->rows[i].name);
	}
}

static void refresh(struct cli_sockets *sockets, const char *config)
{
	char *text = malloc(YT_TEXT_MAX);
	FILE *file = text ? fopen(config, "r") : NULL;
	size_t length = file ? fread(text, 1, YT_TEXT_MAX, file) : 0;
	struct yt tree;
	if (file && yt_parse(&tree, config, text, length)) {
		for (size_t i = 0; i < sockets->count; i++)
			sockets->rows[i].wanted = false;
		want_all(sockets, tree.root);
		close_unwanted(sockets);
	}
	if (file) {
		yt_release(&tree);
		fclose(file);
	}
	free(text);
	fill(sockets);
}

void cli_sockets_hand_over(struct cli_sockets *sockets, const char *config,
			   struct io_process_options *options, const char **variables)
{
	refresh(sockets, config);
	options->descriptors = sockets->fds;
	options->descriptor_count = sockets->count;
	for (size_t i = 0; i < CLI_SOCKET_VARIABLES; i++)
		variables[i] = sockets->variables[i];
}

void cli_sockets_release(struct cli_sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		close(sockets->rows[i].fd);
	sockets->count = 0;
	io_listen_fds_release(&sockets->received);
}
