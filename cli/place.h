/* Where a network lives on this machine: its state directory, its sockets, its configuration file. Used by init, up and
 * status, which look before any process runs. */
#ifndef LAMPPOST_CLI_PLACE_H
#define LAMPPOST_CLI_PLACE_H

#include "common/base/options.h"

#include <stdbool.h>

struct cli_place {
	char state[OPTION_PATH_MAX];
	char run[OPTION_PATH_MAX];
	char config[OPTION_PATH_MAX];
	bool config_given; /* by option, variable, or because /etc has one: init then writes none */
};

/* Finds it. State: the option, LAMPPOST_STATE, the configuration's state_dir, ./var. Configuration: the option,
 * LAMPPOST_CONFIG, /etc/lamppost/lamppost.yaml where no state directory was named and that file is there,
 * STATE/lamppost.yaml. Sockets: LAMPPOST_RUN, the configuration's run_dir if it also named the state, STATE/run. `state`
 * and `config` may be NULL. CLI_DONE, or another exit code after saying why. */
int cli_place_find(struct cli_place *place, const char *command, const char *state, const char *config);

/* The same for what is asked just when something is broken (doctor, status): a configuration that is refused is said on standard
 * error, and its folders are those that its text names all the same, or the one it lies in if keys do as well, or the
 * defaults. */
int cli_place_find_anyway(struct cli_place *place, const char *command, const char *state,
			  const char *config);

/* One supervisor a state: takes its lock, until this process ends. CLI_REFUSED, said, where another holds it. */
int cli_place_claim(const struct cli_place *place);

#endif
