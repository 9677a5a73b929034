/* The pages of the manual as they are installed: no program that reads them has a word against them, and every command, option
 * and configuration key is in its page. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "cli/command.h"
#include "common/text/config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char build[4096];

static int shell(char *text, size_t capacity, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Fills what a command prints on both streams, and returns its exit code. */
static int shell(char *text, size_t capacity, const char *format, ...)
{
	char command[8192];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	FILE *pipe = popen(command, "re");
	text[pipe ? fread(text, 1, capacity - 1, pipe) : 0] = '\0';
	return pipe ? pclose(pipe) : -1;
}

static glob_t pages(void)
{
	char pattern[4200];
	glob_t found;
	snprintf(pattern, sizeof pattern, "%s/man/*.[158]", build);
	t_int("found", 0, glob(pattern, 0, NULL, &found));
	return found;
}

static void they_are_made(void **state)
{
	(void)state;
	char text[2000];
	t_int("exit code", 0, shell(text, sizeof text, "sh packaging/manual.sh '%s' 2>&1", build));
	t_str("said", "", text);
}

static void no_reader_warns(void **state)
{
	(void)state;
	glob_t found = pages();
	t_true("many", found.gl_pathc > 15);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char text[4000];
		t_row(strrchr(found.gl_pathv[i], '/') + 1);
		t_int("man", 0,
		      shell(text, sizeof text, "LC_ALL=C.UTF-8 man --warnings -l '%s' 2>&1 >/dev/null",
			    found.gl_pathv[i]));
		t_str("man says", "", text);
		t_int("mandoc", 0,
		      shell(text, sizeof text, "mandoc -T lint -W warning '%s' 2>&1", found.gl_pathv[i]));
		t_str("mandoc says", "", text);
	}
	globfree(&found);
}

static const char *page; /* that was shown last */

/* Reads a page as people see it, without breaks or ornament; each is formatted once and kept. */
static void show(const char *name)
{
	static struct {
		char name[60], *text;
	} kept[64];
	static char text[300000];
	char path[4300];
	size_t i = 0;
	while (kept[i].text && strcmp(kept[i].name, name) != 0)
		i++;
	ASSERT(i + 1 < ARRAY_SIZE(kept));
	if (!kept[i].text) {
		snprintf(path, sizeof path, "%s/man/%s", build, name);
		t_int("shown", 0,
		      shell(text, sizeof text,
			    "LC_ALL=C.UTF-8 MANWIDTH=400 man -E ascii --nh --nj -l '%s' 2>/dev/null | tr -s "
			    "' '",
			    path));
		snprintf(kept[i].name, sizeof kept[i].name, "%s", name);
		kept[i].text = strdup(text);
		ASSERT(kept[i].text);
	}
	page = kept[i].text;
}

static void every_command_and_option_is_there(void **state)
{
	(void)state;
	const struct cli_group *group;
	const struct cli_command *command;
	for (size_t g = 0; (group = cli_group_at(g)); g++) {
		char name[100], wanted[300];
		if (group->hidden)
			continue;
		t_row(group->name);
		show("lamppost.1");
		snprintf(wanted, sizeof wanted, " lamppost-%s(1)\n", group->name);
		t_true("in lamppost.1", strstr(page, wanted) != NULL);
		snprintf(name, sizeof name, "lamppost-%s.1", group->name);
		show(name);
		for (size_t i = 0; (command = cli_command_of(group->name, i)); i++) {
			struct cli_made_options made;
			char title[CLI_NAME_MAX];
			size_t count;
			cli_command_title(command, title);
			t_row(title);
			snprintf(wanted, sizeof wanted, "\n lamppost %s%s%s [OPTION...]\n", title,
				 command->operands ? " " : "", command->operands ? command->operands : "");
			t_true("command", command->hidden || strstr(page, wanted) != NULL);
			const struct cli_option *options = cli_command_options(command, &made, &count);
			for (size_t o = 0; o < count; o++) {
				snprintf(wanted, sizeof wanted, "\n --%s", options[o].name);
				t_true(options[o].name, strstr(page, wanted) != NULL);
			}
		}
	}
}

/* Lends a key's own line of a page, or of a section in it (NULL: the page has one alone); NULL: it has none. */
static const char *find_key(const char *section, const char *key)
{
	char heading[60], wanted[100];
	snprintf(heading, sizeof heading, "\n%s\n", section ? section : "");
	snprintf(wanted, sizeof wanted, "\n %s", key);
	const char *at = section ? strstr(page, heading) : page;
	while (at && (at = strstr(at, wanted)) != NULL) {
		at += strlen(wanted);
		if (strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_.") == 0)
			return at;
	}
	return NULL;
}

/* Whether the first word on changes behind a key's name is the one for keys that are taken over at SIGHUP. */
static bool is_marked_reloadable(const char *key)
{
	static char text[4000];
	size_t used = 0;
	for (const char *at = key; *at && used + 1 < sizeof text; at++)
		if ((*at != ' ' && *at != '\n') || (used > 0 && text[used - 1] != ' '))
			text[used++] = *at == '\n' ? ' ' : *at;
	text[used] = '\0';
	const char *reload = strstr(text, "A running process takes a change over at SIGHUP.");
	const char *restart = strstr(text, "A change needs a restart.");
	t_true("is marked", reload || restart);
	return reload && (!restart || reload < restart);
}

static void every_key_is_there(void **state)
{
	(void)state;
	static const char *const processes[] = {"gateway-bridge", "network-server", "join-server",
						"application-server"};
	static char config[100000];
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		char program[4300], command[4400];
		t_program_path(program, sizeof program, processes[i]);
		snprintf(command, sizeof command, "'%s' -c /dev/null --print-config", program);
		/* Keys as the process itself prints them: "  name:" beneath its section. */
		t_int("config", 0, shell(config, sizeof config, "%s", command));
		char *section = strstr(config, processes[i]);
		assert_non_null(section);
		size_t keys = 0;
		bool reloads = false; /* says the comment above the key */
		for (char *line = strchr(section, '\n'); line; line = strchr(line + 1, '\n')) {
			char wanted[100];
			size_t length = strcspn(line + 1, ":\n") + 1;
			if (strncmp(line, "\n  # ", 5) == 0) {
				static const char can[] = "; can change while running.";
				size_t end = strcspn(line + 1, "\n") + 1;
				reloads = end > sizeof can &&
					  strncmp(line + end - (sizeof can - 1), can, sizeof can - 1) == 0;
			}
			if (strncmp(line, "\n  ", 3) != 0 || line[3] == ' ' || line[3] == '#' ||
			    line[length] != ':')
				continue;
			snprintf(wanted, sizeof wanted, "%.*s", (int)(length - 3), line + 3);
			keys++;
			t_row(wanted);
			char name[60];
			snprintf(name, sizeof name, "%s.8", processes[i]);
			show(name);
			const char *key = find_key(NULL, wanted);
			if (t_true(name, key != NULL))
				t_int("reloads", reloads, is_marked_reloadable(key));
			show("lamppost.yaml.5");
			key = find_key(processes[i], wanted);
			if (t_true("lamppost.yaml.5", key != NULL))
				t_int("reloads", reloads, is_marked_reloadable(key));
		}
		t_row(processes[i]);
		t_true("has keys", keys > 1);
	}
}

int main(void)
{
	t_program_path(build, sizeof build, "lamppost");
	char *bin = strstr(build, "/bin/lamppost");
	assert_non_null(bin);
	*bin = '\0';
	const struct CMUnitTest tests[] = {
		t_test(they_are_made),
		t_test(no_reader_warns),
		t_test(every_command_and_option_is_there),
		t_test(every_key_is_there),
	};
	return t_run(tests);
}
