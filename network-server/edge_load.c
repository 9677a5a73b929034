/* The start from the store. While the loop's thread reads rows, another fetches the memory that they will fill from the kernel:
 * with a million sessions that is 380 MB to be zeroed, 0.2 to 0.4 s. That thread looks at nothing and changes nothing; it is
 * gone before the loop runs. */
#include "network-server/edge_process.h"

#include <pthread.h>

#define HELP_FROM 50000 /* sessions */

struct help {
	struct ns_sessions *sessions;
	uint32_t expected;
};

static void *fetch_memory(void *argument)
{
	const struct help *help = argument;
	ns_sessions_expect(help->sessions, help->expected);
	return NULL;
}

enum status ns_edge_load(struct ns_edge *edge, struct now now)
{
	struct help help = {&edge->ns.sessions, ns_store_expected(&edge->store)};
	pthread_t thread;
	bool helped = help.expected >= HELP_FROM && pthread_create(&thread, NULL, fetch_memory, &help) == 0;
	enum status status = ns_store_load(&edge->store, &edge->ns, now);
	if (helped)
		(void)pthread_join(thread, NULL);
	return status;
}
