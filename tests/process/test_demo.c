/* The demo's traffic on the real processes, as an administrator and an agency have it: five sensors of four kinds, registered by the
 * public command line, joined over real UDP, their readings at an MQTT subscriber. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"
#include "tests/harness/temp.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

struct settled {
	struct t_network *network;
	struct t_subscriber *agency;
};

static bool holds(void *ctx)
{
	const struct settled *settled = ctx;
	return t_network_check(settled->network, settled->agency, false, false) == 0;
}

static void every_reading_reaches_the_subscriber(void **state)
{
	(void)state;
	struct t_network *network = t_network_start("network-server:\n  rx_delay_s: 1\n");
	t_network_furnish(network);
	struct t_subscriber *agency = t_network_subscribe(network);
	struct t_process *simulator = t_network_simulate(network, "simulator/scenarios/demo.yaml", "12");
	t_int("simulator", 0, t_process_wait(simulator));
	t_process_free(simulator);
	struct settled settled = {network, agency};
	if (!t_true("check", t_wait_until(holds, &settled, T_CEILING)))
		t_network_check(network, agency, false, true);
	t_subscriber_free(agency);
	t_network_free(network);
}

/* Two in one build directory would take each other's state away. */
static void a_second_demo_is_refused(void **state)
{
	(void)state;
	char lock[1024], command[2300];
	snprintf(lock, sizeof lock, "%s", t_temp("demo.lock"));
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
	*strrchr(lock, '/') = '\0';
	snprintf(command, sizeof command, "mkdir -p '%s/demo/kept' && bash simulator/demo.sh '%s' 2>&1", lock,
		 lock);
	FILE *said = popen(command, "re");
	char text[400] = "";
	size_t length = fread(text, 1, sizeof text - 1, said);
	text[length] = '\0';
	int status = pclose(said);
	t_int("exit code", 1, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	t_true("says why", strstr(text, "another one runs") != NULL);
	snprintf(command, sizeof command, "%s/demo/kept", lock);
	t_int("the first one's files stay", 0, access(command, F_OK));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(every_reading_reaches_the_subscriber),
					   t_test(a_second_demo_is_refused)};
	return t_run(tests);
}
