/* TLS contexts of the client, found again by what they were read from: reading a trust file costs more than a resumed handshake, and
 * the ticket lies in the context. */
#include "common/io/websocket_line.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define IDLE_MAX 2048 /* contexts that no line uses */

static void add_file(char *key, size_t capacity, const char *file)
{
	struct stat stat_of = {0};
	size_t used = strlen(key);
	if (file && stat(file, &stat_of) != 0)
		stat_of = (struct stat){0};
	snprintf(key + used, capacity - used, "%s|%lld.%09ld|%llu|%llu\n", file ? file : "",
		 (long long)stat_of.st_mtim.tv_sec, stat_of.st_mtim.tv_nsec,
		 (unsigned long long)stat_of.st_ino, (unsigned long long)stat_of.st_size);
}

static void drop(struct io_ws_client *client, struct ws_trust *trust)
{
	for (struct ws_trust **at = &client->trusts; *at; at = &(*at)->next) {
		if (*at == trust) {
			*at = trust->next;
			break;
		}
	}
	io_tls_context_free(trust->context);
	free(trust->key);
	free(trust);
}

/* The list is in order of use: what stands at its end and is idle goes. */
static void bound(struct io_ws_client *client)
{
	size_t idle = 0;
	for (struct ws_trust *trust = client->trusts, *next; trust; trust = next) {
		next = trust->next;
		if (trust->lines == 0 && ++idle > IDLE_MAX)
			drop(client, trust);
	}
}

static struct ws_trust *find(struct io_ws_client *client, const char *key)
{
	for (struct ws_trust **at = &client->trusts; *at; at = &(*at)->next) {
		struct ws_trust *trust = *at;
		if (strcmp(trust->key, key) != 0)
			continue;
		*at = trust->next; /* to the front */
		trust->next = client->trusts;
		client->trusts = trust;
		return trust;
	}
	return NULL;
}

struct ws_trust *ws_trust_take(struct io_ws_client *client, const struct io_ws_dial *dial,
			       const char *server_name)
{
	char key[4096];
	snprintf(key, sizeof key, "%s %d\n", server_name, dial->tls_1_2_only);
	add_file(key, sizeof key, dial->ca_file);
	add_file(key, sizeof key, dial->cert_file);
	add_file(key, sizeof key, dial->key_file);
	struct ws_trust *trust = find(client, key);
	if (trust) {
		trust->lines++;
		return trust;
	}
	struct io_tls_context *context;
	enum status status = io_tls_context_new(&(struct io_tls_options){.client = true,
									 .cert_file = dial->cert_file,
									 .key_file = dial->key_file,
									 .ca_file = dial->ca_file,
									 .tls_1_2_only = dial->tls_1_2_only},
						&context);
	if (status != ST_OK)
		return NULL;
	trust = calloc(1, sizeof *trust);
	ASSERT(trust);
	*trust = (struct ws_trust){
		.next = client->trusts, .context = context, .key = strdup(key), .lines = 1};
	ASSERT(trust->key);
	client->trusts = trust;
	bound(client);
	return trust;
}

void ws_trust_give_back(struct ws_trust *trust)
{
	if (trust)
		trust->lines--;
}

void ws_trust_release(struct io_ws_client *client)
{
	while (client->trusts)
		drop(client, client->trusts);
}
