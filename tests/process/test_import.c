/* A large import through the real command line and the real server: what others ask for meanwhile is answered, and a server that
 * is killed in the midst of it registers all or nothing. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include "common/base/check.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define DEVICES  3000
#define TEXT(x)  TEXT_(x)
#define TEXT_(x) #x

static char csv[T_PATH_MAX], city_socket[T_PATH_MAX];

static struct t_network *furnished(void)
{
	struct t_network *network = t_network_start("");
	snprintf(csv, sizeof csv, "%s/devices.csv", t_network_dir(network));
	snprintf(city_socket, sizeof city_socket, "%s/run/city.sock", t_network_dir(network));
	struct t_process *sessions = t_process_start(&(struct t_process_options){
		.program = "lamppost-sim",
		.arguments = {"sessions", "--devices", TEXT(DEVICES), "--csv", csv},
		.dir = t_network_dir(network),
		.name = "sessions"});
	t_int("sessions", 0, t_process_wait(sessions));
	t_process_free(sessions);
	t_cli_must(network, 0, "agency", "add", "--slug", "water", "--name", "Water");
	t_cli_must(network, 0, "application", "add", "--slug", "load", "--name", "Meters", "--agency",
		   "water");
	t_cli_must(network, 0, "profile", "add", "--slug", "load", "--name", "Meter", "--region", "us915",
		   "--mac-version", "1.0.3");
	return network;
}

static struct t_process *start_import(struct t_network *network)
{
	static char variable[T_PATH_MAX + 20];
	snprintf(variable, sizeof variable, "LAMPPOST_SOCKET=%s", city_socket);
	return t_process_start(&(struct t_process_options){.program = "lamppost",
							   .arguments = {"device", "import", csv},
							   .variables = {variable},
							   .dir = t_network_dir(network),
							   .name = "import"});
}

static long registered(struct t_network *network, const char *table)
{
	char path[T_PATH_MAX], sql[80];
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	long count = -1;
	snprintf(path, sizeof path, "%s/city.db", t_network_state(network));
	snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		count = (long)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return count;
}

struct slices {
	struct t_network *network;
	const char *table;
};

static bool any(void *ctx)
{
	const struct slices *slices = ctx;
	return registered(slices->network, slices->table) > 0;
}

static void others_are_answered_meanwhile(void **state)
{
	(void)state;
	struct t_network *network = furnished();
	struct t_process *import = start_import(network);
	char slug[20];
	int changes = 0;
	t_true("it begins", t_wait_until(any, &(struct slices){network, "import_slices"}, T_SLOW_CEILING));
	while (t_process_running(import)) {
		char body[65536];
		snprintf(slug, sizeof slug, "a%d", changes++);
		t_int("a read", 200, t_unix_get(city_socket, "/api/v1/agencies", body, sizeof body));
		t_cli_must(network, 0, "agency", "add", "--slug", slug, "--name", "Other");
	}
	t_int("the import", 0, t_process_wait(import));
	t_process_free(import);
	t_int("devices", DEVICES, registered(network, "devices"));
	t_int("agencies", 1 + changes, registered(network, "agencies"));
	t_network_free(network);
}

static const struct {
	const char *name, *table; /* the server is killed as soon as this has a row */
} kills[] = {
	{"killed while rows are checked", "import_slices"},
	{"killed when it is decided", "import"},
	{"killed while devices are registered", "devices"},
};

static void a_killed_server_registers_all_or_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kills); i++) {
		t_row(kills[i].name);
		struct t_network *network = furnished();
		struct t_process *import = start_import(network);
		t_true("it is there",
		       t_wait_until(any, &(struct slices){network, kills[i].table}, T_SLOW_CEILING));
		t_true("killed", t_network_kill(network, T_APPLICATION_SERVER));
		t_process_wait(import);
		t_process_free(import);
		t_true("well again", t_network_healthy(network));
		/* A change waits until the import that was decided is over. */
		t_cli_must(network, 0, "agency", "add", "--slug", "after", "--name", "After");
		long devices = registered(network, "devices");
		t_true("all or nothing", devices == 0 || devices == DEVICES);
		t_true("what was decided is done", i == 0 || devices == DEVICES);
		t_int("nothing is left", 0, registered(network, "import_slices"));
		t_int("again", 0, t_cli(network, "device", "import", csv));
		t_int("devices", DEVICES, registered(network, "devices"));
		t_network_free(network);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(others_are_answered_meanwhile),
		t_test(a_killed_server_registers_all_or_nothing),
	};
	return t_run(tests);
}
