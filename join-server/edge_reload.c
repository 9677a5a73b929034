#include "join-server/edge_reload.h"

#include "common/io/clock.h"
#include "common/io/process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool js_reconfigure(struct js_join *join, struct js_keys *keys, struct js_callers *callers,
		    struct js_peers *peers, const struct reload_wanted *wanted,
		    char problem[CONFIG_ERROR_MAX])
{
	const struct js_config *config = wanted->config;
	struct js_keys read = {0};
	struct js_callers table;
	struct js_peers others = *peers;
	char who[OPTION_EXPECT_MAX];
	bool good = js_callers_init(&table, &config->callers, geteuid(), io_find_user, who, sizeof who);
	if (!good)
		snprintf(problem, CONFIG_ERROR_MAX, "join-server.callers: %s", who);
	good = good && js_peers_init(&others, &config->peers, problem, CONFIG_ERROR_MAX);
	good = good && js_kek_files_load(&read, wanted->common, config, problem);
	const struct lw_kek *clash = good ? js_keks_clash(&join->keks, read.keks, read.kek_count) : NULL;
	if (clash)
		snprintf(problem, CONFIG_ERROR_MAX,
			 "join-server.keks.%s: this version came over join.sock (GET /keks): envelopes could "
			 "not "
			 "say which is meant. Try: the next number, as LABEL.n",
			 clash->label);
	good = good && !clash;
	if (good) {
		*callers = table;
		*peers = others;
		memcpy(keys->keks, read.keks, sizeof keys->keks);
		keys->kek_count = read.kek_count;
		js_join_set_keks(join, keys->keks, keys->kek_count, clock_now().wall);
	}
	secret_wipe(&read, sizeof read);
	return good;
}
