/* The screen's line about a join storm (docs/storm.md), which is there only while one lasts. */
#include "cli/colour.h"
#include "cli/status.h"
#include "cli/status_screen.h"

#include <string.h>

#define YOUNG_S 360 /* before it there may be no estimate though all is well */

static long long number(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

/* "for 4 min: 6120 of 10000 devices have joined, 3880 wait; over in 5 min to 12 min  (350 requests, 120 answers in 10 s)". */
void cli_status_print_storm(struct cli_screen *screen, const json_t *facts)
{
	const json_t *health = json_object_get(cli_status_process(facts, "network-server"), "health");
	const json_t *storm = json_object_get(health, "join_storm");
	const json_t *over = json_object_get(storm, "over_in_s");
	const char *state = json_string_value(json_object_get(storm, "state"));
	char span[32], least[32], most[32];
	if (!state || strcmp(state, "storm") != 0)
		return;
	cli_status_span(number(storm, "lasts_s"), span);
	cli_screen_begin(screen, "Storm");
	cli_screen_put(screen, COLOUR_WARNING, "for %s: ", span);
	if (number(storm, "waiting") == 0)
		cli_screen_put(screen, COLOUR_NONE, "all %lld devices that asked have joined",
			       number(storm, "devices"));
	else
		cli_screen_put(screen, COLOUR_NONE, "%lld of %lld devices have joined, %lld wait",
			       number(storm, "joined"), number(storm, "devices"), number(storm, "waiting"));
	if (number(storm, "waiting") == 0) {
		cli_screen_put(screen, COLOUR_NONE, "; over when a minute was calm");
	} else if (json_is_object(over)) {
		cli_status_span(number(over, "least"), least);
		cli_status_span(number(over, "most"), most);
		cli_screen_put(screen, COLOUR_NONE, "; over in %s to %s", least, most);
	} else if (number(storm, "lasts_s") < YOUNG_S) {
		cli_screen_put(screen, COLOUR_DIM, "; no estimate yet");
	} else {
		cli_screen_put(screen, COLOUR_WARNING, "; none in five minutes");
	}
	cli_screen_put(screen, COLOUR_DIM, "  (%lld requests, %lld answers in 10 s",
		       number(storm, "offered_10s"), number(storm, "answered_10s"));
	if (number(storm, "asking") > 0)
		cli_screen_put(screen, COLOUR_DIM, ", %lld with the join server", number(storm, "asking"));
	cli_screen_put(screen, COLOUR_DIM, ")");
	cli_screen_end(screen);
}
