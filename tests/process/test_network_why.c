/* GET /why/... of the real network server over its admin socket: what is known, what is not, what is no name. What the answers
 * say is tested in tests/unit/network-server/test_why_*.c. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include <stdio.h>
#include <string.h>

static char dir[T_DIR_MAX], config[T_DIR_MAX + 32], admin_sock[T_DIR_MAX + 48];
static char body[1u << 20];

static const struct {
	const char *name, *target;
	int status;
	const char *has; /* in the body */
} rows[] = {
	{"every rule", "/why/rules", 200, "\"verdict\":\"fcnt_old\""},
	{"with its template", "/why/rules", 200, "{expected:b}"},
	{"the server itself", "/why/server", 200, "{\"decisions\":["},
	{"a device nobody registered", "/why/device/0004a30b001c0530", 404, ""},
	{"a gateway nobody registered", "/why/gateway/0004a30b001c0530", 404, ""},
	{"a frame nobody heard", "/why/frame/a1b2c3d4", 404, ""},
	{"an address nobody has", "/why/dev-addr/26012f4a", 404, ""},
	{"half an EUI", "/why/device/0004a30b", 400, ""},
	{"a MIC of three bytes", "/why/frame/a1b2c3", 400, ""},
	{"no address", "/why/dev-addr/everything", 400, ""},
	{"none of it", "/why/server?limit=0", 400, ""},
	{"too much", "/why/server?limit=201", 400, ""},
	{"the most", "/why/server?limit=200", 200, ""},
	{"no number", "/why/server?limit=1e2", 400, ""},
	{"no such question", "/why/weather", 404, ""},
};

static void answers_over_the_socket(void **state)
{
	(void)state;
	t_temp_dir(dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(admin_sock, sizeof admin_sock, "%s/run/network-server.admin.sock", dir);
	struct t_process *init = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"init", "--state", dir}, .dir = dir});
	t_int("init", 0, t_process_wait(init));
	t_process_free(init);
	struct t_process *server = t_process_start(&(struct t_process_options){
		.program = "network-server", .arguments = {"-c", config}, .dir = dir});
	assert_true(t_wait_until(t_is_healthy, admin_sock, 3 * T_CEILING));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		body[0] = 0;
		t_int("status", rows[i].status, t_unix_get(admin_sock, rows[i].target, body, sizeof body));
		if (rows[i].status == 200)
			t_true(rows[i].has, strstr(body, rows[i].has) != NULL);
	}
	t_int("an orderly stop", 0, t_process_stop(server));
	t_process_free(server);
	t_temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(answers_over_the_socket)};
	return t_run(tests);
}
