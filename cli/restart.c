#include "cli/restart.h"

void cli_restart_health(struct cli_restart *restart, struct mono now, bool healthy)
{
	if (healthy && !restart->healthy)
		restart->healthy_since = now;
	restart->healthy = healthy;
}

span_us cli_restart_after_end(struct cli_restart *restart, struct mono now)
{
	if (restart->healthy && mono_since(now, restart->healthy_since) >= CLI_RESTART_HEALTHY_US)
		restart->failures = 0;
	restart->healthy = false;
	span_us delay = 0;
	for (unsigned i = 0; i < restart->failures && delay < CLI_RESTART_LONGEST_US; i++)
		delay = delay ? 2 * delay : CLI_RESTART_FIRST_US;
	restart->failures++;
	return delay < CLI_RESTART_LONGEST_US ? delay : CLI_RESTART_LONGEST_US;
}
