/* How long one large import keeps the application server from everything else: a registration of many OTAA and ABP devices by the
 * public command line, while a call that needs nothing is made again and again. Its longest wait is how long a Seal request or
 * an event would have waited.
 *
 *	bench_import [DEVICES]     default: 50000 */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WAITS_MAX 200000

static void furnish(struct t_network *network)
{
	t_cli_must(network, 0, "agency", "add", "--slug", "water", "--name", "Water");
	t_cli_must(network, 0, "application", "add", "--slug", "load", "--name", "Meters", "--agency",
		   "water");
	t_cli_must(network, 0, "profile", "add", "--slug", "load", "--name", "Meter", "--region", "us915",
		   "--mac-version", "1.0.3");
}

static int finish(struct t_process *process)
{
	int code = t_process_wait(process);
	t_process_free(process);
	return code;
}

static struct t_process *start(struct t_network *network, const char *program, const char *const *words)
{
	static char variables[2][T_PATH_MAX];
	struct t_process_options options = {
		.program = program, .dir = t_network_dir(network), .name = program};
	snprintf(variables[0], T_PATH_MAX, "LAMPPOST_SOCKET=%s/run/city.sock", t_network_dir(network));
	options.variables[0] = variables[0];
	for (size_t i = 0; words[i]; i++)
		options.arguments[i] = words[i];
	return t_process_start(&options);
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

/* Calls every few milliseconds until the import is over; fills the waits in order of size. */
static size_t probe(struct t_network *network, struct t_process *import, double *waits)
{
	char socket[T_PATH_MAX], body[2048];
	size_t calls = 0;
	snprintf(socket, sizeof socket, "%s/run/city.sock", t_network_dir(network));
	while (calls < WAITS_MAX && t_process_running(import)) {
		double begun = t_seconds();
		while (t_unix_get(socket, "/api/v1/keys", body, sizeof body) != 200)
			; /* it waits for some seconds and gives up */
		waits[calls++] = t_seconds() - begun;
		usleep(2000);
	}
	qsort(waits, calls, sizeof *waits, by_size);
	return calls;
}

int main(int argc, char **argv)
{
	const char *devices = argc > 1 ? argv[1] : "50000";
	char csv[T_PATH_MAX];
	static double waits[WAITS_MAX];
	struct t_network *network = t_network_start("");
	furnish(network);
	snprintf(csv, sizeof csv, "%s/devices.csv", t_network_dir(network));
	ASSERT_CMP(finish(start(network, "lamppost-sim",
				(const char *const[]){"sessions", "--devices", devices, "--csv", csv, NULL})),
		   ==, 0);
	double begun = t_seconds();
	struct t_process *import = start(network, "lamppost",
					 (const char *const[]){"device", "import", csv, NULL});
	size_t calls = probe(network, import, waits);
	double took = t_seconds() - begun;
	char log[4096];
	t_process_log(import, log, sizeof log);
	int code = finish(import);
	double commit = t_metric(t_network_admin(network, T_APPLICATION_SERVER),
				 "lamppost_application_commit_max_microseconds");
	ASSERT(calls > 0);
	printf("%simport of %s devices: exit code %d, %.1f s with the sealing of the keys; %zu other calls "
	       "meanwhile: p50 %.1f, p99 %.1f, p99.9 %.1f, longest %.1f ms (longest commit %.1f ms)\n",
	       log, devices, code, took, calls, waits[calls / 2] * 1e3, waits[calls * 99 / 100] * 1e3,
	       waits[calls * 999 / 1000] * 1e3, waits[calls - 1] * 1e3, commit / 1e3);
	t_network_free(network);
	return code;
}
