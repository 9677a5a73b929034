/* The completion scripts in the real shells, each asked what it offers behind a line: what stands in the rows, what the
 * application server knows, and nothing, at once and without a word, where none answers. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct {
	const char *name, *program, *option;
} shells[] = {
	{"bash", "bash", "--norc"},
	{"zsh", "zsh", "-f"},
	{"fish", "fish", "--no-config"},
};

static char said[1 << 18], offered[65536];

/* Has the shell complete `lines` of them, one after the other: a shell takes longer to begin than to answer. `lines` are `stride` bytes
 * apart, the first member of the rows of a table. What is offered is in `said`, until look_at(). */
static void ask(size_t shell, const char *const *lines, size_t stride, size_t count)
{
	char command[4096];
	int length = snprintf(command, sizeof command, "timeout 60 %s %s tests/process/completion/drive.%s",
			      shells[shell].program, shells[shell].option, shells[shell].program);
	for (size_t i = 0; i < count; i++)
		length += snprintf(command + length, sizeof command - (size_t)length, " '%s'",
				   *(const char *const *)((const char *)lines + i * stride));
	snprintf(command + length, sizeof command - (size_t)length, " </dev/null 2>&1");
	said[0] = '\n';
	FILE *pipe = popen(command, "re");
	size_t got = pipe ? fread(said + 1, 1, sizeof said - 2, pipe) : 0;
	said[got + 1] = '\0';
	t_row(shells[shell].name);
	t_int("driver's exit code", 0, pipe ? pclose(pipe) : -1);
}

/* Fills `offered` with what was said behind the line: a newline before and behind each word. */
static void look_at(const char *shell, const char *line)
{
	char name[160], head[160];
	snprintf(name, sizeof name, "%s: %s", shell, line);
	t_row(name);
	snprintf(head, sizeof head, "\n> %s\n", line);
	const char *from = strstr(said, head);
	offered[0] = '\0';
	if (!t_true("asked", from != NULL))
		return;
	from += strlen(head) - 1;
	const char *end = strstr(from, "\n> ");
	snprintf(offered, sizeof offered, "%.*s", end ? (int)(end - from) + 1 : (int)strlen(from), from);
}

static bool is_offered(const char *word)
{
	char wanted[100];
	snprintf(wanted, sizeof wanted, "\n%s\n", word);
	return strstr(offered, wanted) != NULL;
}

static const struct {
	const char *line;
	const char *yes[4], *no[2];
} rows[] = {
	{"lamppost ", {"device", "gateway", "up", "completion"}, {"__complete", "--json"}},
	{"lamppost de", {"device", "deployment"}, {"gateway"}},
	{"lamppost device ", {"add", "keys", "import", "watch"}, {"device"}},
	{"lamppost device sh", {"show"}, {"add"}},
	{"lamppost device add --na", {"--name"}, {"--dry-run", "--join-eui"}},
	{"lamppost profile add x --class ", {"A", "B", "C"}, {"D"}},
	{"lamppost events --colour a", {"always", "auto"}, {"never"}},
	{"lamppost device keys ", {"set"}, {NULL}},
	{"lamppost device import READ", {"README.md"}, {"VERSION"}},
	{"lamppost downlink send --port 10 --file VERS", {"VERSION"}, {"README.md"}},
	{"lamppost status --j", {"--json"}, {"--socket"}},
	{"lamppost completion ", {"bash", "zsh", "fish"}, {"sh"}},
};

static void what_stands_in_the_rows(void **state)
{
	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(shells); s++) {
		ask(s, &rows[0].line, sizeof rows[0], ARRAY_SIZE(rows));
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			look_at(shells[s].name, rows[i].line);
			for (size_t w = 0; w < 4 && rows[i].yes[w]; w++)
				t_true(rows[i].yes[w], is_offered(rows[i].yes[w]));
			for (size_t w = 0; w < 2 && rows[i].no[w]; w++)
				t_false(rows[i].no[w], is_offered(rows[i].no[w]));
		}
	}
}

static const struct {
	const char *line, *word, *not ;
} values[] = {
	{"lamppost device show ", T_ABP_EUI, "soil"},
	{"lamppost device show 01020304050607", T_OTAA_EUI, "soil"},
	{"lamppost device watch 0102030405060777", T_OTAA_EUI, T_ABP_EUI},
	{"lamppost device list --application ", "soil", "parks"},
	{"lamppost agency show p", "parks", "soil"},
	{"lamppost device add 0102030405060799 --profile ", "probe", "soil"},
	{"lamppost downlink send ", T_ABP_EUI, "soil"},
};

static void what_the_server_knows(void **state)
{
	(void)state;
	t_server_open(0, false, "", "");
	setenv("LAMPPOST_SOCKET", t_server.socket, 1);
	for (size_t s = 0; s < ARRAY_SIZE(shells); s++) {
		ask(s, &values[0].line, sizeof values[0], ARRAY_SIZE(values));
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			look_at(shells[s].name, values[i].line);
			t_true(values[i].word, is_offered(values[i].word));
			t_false(values[i].not, is_offered(values[i].not ));
		}
	}
	t_server_close();
}

/* Plays the server for one question: fills what was asked, answers, and fills `offered`. */
static void play_server(int listener, const char *path, const char *words, const char *body,
			char request[1200])
{
	char command[600], answer[1200];
	snprintf(command, sizeof command, "lamppost __complete --socket '%s' -- %s 2>&1", path, words);
	FILE *pipe = popen(command, "re");
	assert_non_null(pipe);
	int caller = accept(listener, NULL, NULL);
	ssize_t asked = recv(caller, request, 1199, 0);
	request[asked > 0 ? asked : 0] = '\0';
	int length = snprintf(
		answer, sizeof answer,
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(body), body);
	t_int("sent", length, (int)send(caller, answer, (size_t)length, MSG_NOSIGNAL));
	offered[fread(offered, 1, sizeof offered - 1, pipe)] = '\0';
	int status = pclose(pipe);
	t_int("exit code", 0, status);
	close(caller);
}

/* Whoever holds the socket must not get a command into a person's line, nor anything to the terminal. */
static void what_the_list_may_hold(void **state)
{
	(void)state;
	char dir[T_DIR_MAX], path[T_DIR_MAX + 16], request[1200];
	t_temp_dir(dir);
	snprintf(path, sizeof path, "%s/city", dir);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	assert_int_equal(0, bind(listener, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, listen(listener, 16));
	t_row("what could be a command is not offered");
	play_server(listener, path, "agency ''",
		    "{\"items\":[{\"slug\":\"$(id)\",\"name\":\"a\"},{\"slug\":\"`id`\"},{\"slug\":\"x;id\"},"
		    "{\"slug\":\"two words\"},{\"slug\":\"esc\\u001b[2J\"},{\"slug\":\"-rf\"},"
		    "{\"slug\":\"fine-1\",\"name\":\"$(id) `id` \\u001b[2J\\u202e\"}]}",
		    request);
	t_str("offered", "fine-1\t$(id) `id` ?[2J?\n", offered);
	t_row("of a million devices those that begin as what was typed are asked for");
	play_server(listener, path, "device 70b3", "{\"items\":[]}", request);
	/* 70b3000000000000 less one */
	t_true("behind the one before", strstr(request, "after=8120834553079136255") != NULL);
	close(listener);
	t_temp_dir_remove(dir);
}

/* A socket that takes callers and never answers. */
static int open_mute(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	assert_int_equal(0, bind(listener, (struct sockaddr *)&address, sizeof address));
	assert_int_equal(0, listen(listener, 16));
	return listener;
}

static void where_none_answers_nothing_is_said(void **state)
{
	(void)state;
	char dir[T_DIR_MAX], path[T_DIR_MAX + 16];
	t_temp_dir(dir);
	snprintf(path, sizeof path, "%s/mute", dir);
	static const char *const line = "lamppost agency show ";
	int mute = open_mute(path);
	for (size_t s = 0; s < ARRAY_SIZE(shells); s++)
		for (int there = 0; there < 2; there++) {
			setenv("LAMPPOST_SOCKET", there ? path : "/nonexistent/city.sock", 1);
			ask(s, &line, sizeof line, 1);
			look_at(shells[s].name, line);
			/* bash prints the one empty line of an empty array. */
			t_str(there ? "offered when it never answers" : "offered when it is not there", "",
			      offered + strspn(offered, "\n"));
		}
	close(mute);
	unsetenv("LAMPPOST_SOCKET");
	t_temp_dir_remove(dir);
}

int main(void)
{
	char program[4096], path[8192];
	t_program_path(program, sizeof program, "lamppost");
	*strrchr(program, '/') = '\0';
	snprintf(path, sizeof path, "%s:%s", program, getenv("PATH"));
	setenv("PATH", path, 1);
	const struct CMUnitTest tests[] = {
		t_test(what_stands_in_the_rows),
		t_test(what_the_server_knows),
		t_test(where_none_answers_nothing_is_said),
		t_test(what_the_list_may_hold),
	};
	return t_run(tests);
}
