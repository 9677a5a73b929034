/* A person is asked for the vault's passphrase on a real terminal: whatever ends the asking leaves the terminal as it was, and
 * makes no vault. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"
#include "tests/harness/pty.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RIGHT "correct horse battery staple"

static char dir[T_DIR_MAX], config[T_DIR_MAX + 32], database[T_DIR_MAX + 32];
static struct t_pty pty;

static bool shows(void *ctx)
{
	t_pty_pump(&pty);
	return t_vt_shows(&pty.vt, ctx);
}

static bool is_over(void *ctx)
{
	(void)ctx;
	t_pty_pump(&pty);
	return pty.over;
}

static void sees(const char *text)
{
	t_true(text, t_wait_until(shows, (void *)(uintptr_t)text, T_CEILING));
}

static void ask_up(void)
{
	t_pty_start(&pty, 100, 40, "lamppost", (const char *const[]){"up", "-c", config, NULL},
		    (const char *const[]){NULL});
}

static int end(void)
{
	t_true("it ended", t_wait_until(is_over, NULL, T_CEILING));
	t_true("the terminal is as it was", t_pty_is_as_before(&pty));
	int code = pty.code;
	t_pty_close(&pty);
	return code;
}

static int open_dir(void **state)
{
	char text[512];
	t_temp_dir(dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(database, sizeof database, "%s/join.db", dir);
	snprintf(text, sizeof text,
		 "common: {state_dir: \"%s\", run_dir: \"%s/run\"}\n"
		 "gateway-bridge: {udp_listen: [\"127.0.0.1:%u\"], station_listen: [], cups_listen: []}\n"
		 "join-server: {master_key: passphrase}\n",
		 dir, dir, t_free_udp_port());
	t_write_file(config, text);
	struct t_process *init = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"init", "-c", config}, .dir = dir});
	t_int("init", 0, t_process_wait(init));
	t_process_free(init);
	return t_setup(state);
}

static int close_dir(void **state)
{
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

/* Before there is a vault: nothing of this may make one. */
static void a_new_passphrase_that_is_not_said_makes_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *name, *first, *second;
		int code;
	} rows[] = {
		{"Ctrl-C at the first", "\003", NULL, 128 + SIGINT},
		{"Ctrl-C in the middle of it", "half a phra\003", NULL, 128 + SIGINT},
		{"Ctrl-\\", "\034", NULL, 128 + SIGQUIT},
		{"Ctrl-C at the second", RIGHT "\n", "\003", 128 + SIGINT},
		{"nothing", "\n", NULL, 2},
		{"the end of input", "\004", NULL, 2},
		{"two that differ", RIGHT "\n", "something else than that\n", 4},
		{"too short", "short\n", NULL, 4},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		ask_up();
		sees("a new passphrase:");
		t_pty_type(&pty, rows[i].first);
		if (rows[i].second) {
			sees("once more:");
			t_pty_type(&pty, rows[i].second);
		}
		t_int("exit code", rows[i].code, end());
		t_false("no vault", t_file_exists(database));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a_new_passphrase_that_is_not_said_makes_nothing",
		 a_new_passphrase_that_is_not_said_makes_nothing, open_dir, close_dir, NULL},
	};
	return t_run(tests);
}
