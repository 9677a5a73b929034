/* The demo's traffic on the real processes, as an administrator and an agency have it: five sensors of four kinds, registered by the
 * public command line, joined over real UDP, their readings at an MQTT subscriber. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(every_reading_reaches_the_subscriber)};
	return t_run(tests);
}
