/* Every row of every verdict table has a sentence that a person can be shown: one record of each is put into a real ring, served
 * on the admin socket of its process, asked for by the real `lamppost why`, and looked for in what that prints, with its numbers
 * and its next step. What is not kept in a ring (joins, downlinks) is walked in test_why.c. */
#include "tests/harness/harness.h"
#include "tests/harness/loop_wait.h"
#include "tests/harness/process.h"

#include "application-server/why/rules.h"
#include "common/base/decision_euis.h"
#include "common/base/decision_template.h"
#include "common/io/admin_why.h"
#include "common/io/loop.h"
#include "common/text/why.h"
#include "gateway-bridge/verdicts.h"
#include "join-server/verdict.h"
#include "network-server/why/book.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EUI     "0102030405060708"
#define RECORDS 4096
#define LINE    (2 * DECISION_TEXT)

static const struct {
	const struct decision_book *book;
	const char *kind; /* asked for by */
} processes[] = {{&gb_rules, "gateway"}, {&ns_book, "device"}, {&js_rules, "device"}, {&as_rules, "device"}};

/* One process: its admin socket and what it has decided. */
struct served {
	struct decision_euis euis;
	struct io_admin *admin;
	struct io_why why;
};

static struct rig {
	char dir[T_DIR_MAX], socket[T_DIR_MAX + 16];
	struct rng rng;
	struct io_loop *loop;
	struct served served[ARRAY_SIZE(processes)];
	struct t_process *cli;
	char output[2 << 20];
} rig;

static const uint8_t eui[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static const struct decision *newest(void *ctx, const uint8_t asked[8])
{
	const struct served *served = ctx;
	return decision_euis_newest(&served->euis, asked);
}

static void serve(struct served *served, const struct decision_book *book, const char *kind)
{
	char path[T_DIR_MAX + 64];
	snprintf(path, sizeof path, "%s/%s.admin.sock", rig.dir, book->process);
	decision_euis_init(&served->euis, RECORDS, 64, &rig.rng);
	served->why = (struct io_why){
		.kind = kind, .book = book, .ring = &served->euis.ring, .newest = newest, .ctx = served};
	const struct io_admin_options options = {.path = path, .process = book->process};
	assert_int_equal(ST_OK, io_admin_open(rig.loop, &options, &served->admin));
	io_why_add(served->admin, &served->why);
}

static void open_rig(void)
{
	memset(&rig, 0, sizeof rig);
	t_temp_dir(rig.dir);
	snprintf(rig.socket, sizeof rig.socket, "%s/city.sock", rig.dir);
	rig.rng = rng_seeded(7);
	rig.loop = io_loop_new(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++)
		serve(&rig.served[i], processes[i].book, processes[i].kind);
}

static void close_rig(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		io_admin_free(rig.served[i].admin);
		decision_euis_release(&rig.served[i].euis);
	}
	io_loop_free(rig.loop);
	t_temp_dir_remove(rig.dir);
}

static bool has_ended(void *ctx)
{
	(void)ctx;
	return !t_process_running(rig.cli);
}

/* Runs the command against the sockets of the rig; its output is in rig.output. */
static int lamppost(const char *a, const char *b, const char *c)
{
	char log[T_DIR_MAX + 16], variable[T_DIR_MAX + 40];
	snprintf(log, sizeof log, "%s/cli.log", rig.dir);
	(void)remove(log);
	snprintf(variable, sizeof variable, "LAMPPOST_SOCKET=%s", rig.socket);
	rig.cli = t_process_start(
		&(struct t_process_options){.program = "lamppost",
					    .arguments = {"why", a, b, c, c ? "--limit=200" : NULL},
					    .variables = {variable},
					    .dir = rig.dir,
					    .name = "cli"});
	(void)t_wait_on_loop(rig.loop, has_ended, NULL, T_CEILING);
	int code = t_process_wait(rig.cli);
	t_process_log(rig.cli, rig.output, sizeof rig.output);
	t_process_free(rig.cli);
	return code;
}

/* --- the rows ---------------------------------------------------------------------------------------------------- */

static unsigned words_of(const struct decision_rule *rule)
{
	unsigned count = 0;
	while (rule->words && rule->words[count])
		count++;
	return count;
}

/* Puts the nth word into every number of the record that is one. */
static void choose_word(const struct decision_rule *rule, struct decision *decision, unsigned nth)
{
	const char *at = rule->sentence, *text;
	struct decision_placeholder placeholder;
	size_t length;
	bool good = true;
	while (decision_placeholder_take(&at, &text, &length, &placeholder, &good) && good) {
		if (placeholder.how != DECISION_HOW_WORD)
			continue;
		uint32_t mask = UINT32_MAX >> (32 - placeholder.width) << placeholder.shift;
		uint32_t bits = nth << placeholder.shift;
		if (placeholder.field == 'a')
			decision->a = (decision->a & ~mask) | bits;
		else if (placeholder.field == 'b')
			decision->b = (decision->b & ~mask) | bits;
		else
			decision->c = (uint16_t)((decision->c & ~mask) | bits);
	}
}

static void put(struct served *served, const struct decision_book *book, unsigned table, unsigned verdict,
		unsigned word, struct decision *decision)
{
	memset(decision, 0, sizeof *decision);
	decision_sample(book, table, verdict, decision);
	choose_word(&book->tables[table].rules[verdict], decision, word);
	decision_euis_add(&served->euis, (struct wall){INT64_C(1800000000) * US_PER_S}, eui, decision);
}

static void find(const struct decision_book *book, const char *kind, const struct decision_rule *rule,
		 const struct decision *decision)
{
	char sentence[DECISION_TEXT], line[LINE];
	struct decision_names names = {.device = ""};
	memcpy(strcmp(kind, "gateway") == 0 ? names.gateway : names.device, EUI, sizeof EUI);
	size_t length = decision_say(sentence, book, decision, &names);
	t_true("has a sentence", length > 0 && strchr(sentence, '{') == NULL);
	snprintf(line, sizeof line, "%s  %s\n    %s\n", book->process, rule->name, sentence);
	t_true("its sentence is printed", strstr(rig.output, line) != NULL);
	const char *after = strstr(rig.output, line);
	snprintf(line, sizeof line, "  → %s\n", rule->next);
	if (after && *rule->next)
		t_true("and its next step behind it", strstr(after, line) != NULL);
}

/* Rows whose records fit into one answer; from `*at` on, which moves. */
static void walk_some(size_t process, unsigned table, unsigned *at)
{
	const struct decision_book *book = processes[process].book;
	const struct decision_table *rows = &book->tables[table];
	unsigned first = *at, records = 0;
	struct decision decision;
	open_rig();
	for (; *at < rows->count; (*at)++) {
		const struct decision_rule *rule = &rows->rules[*at];
		unsigned words = words_of(rule) ? words_of(rule) : 1;
		if (records + words > WHY_LIMIT_MAX)
			break;
		for (unsigned word = 0; rule->name && word < words; word++, records++)
			put(&rig.served[process], book, table, *at, word, &decision);
	}
	t_int("exit", 0, lamppost(processes[process].kind, EUI, "--since=366d"));
	for (unsigned i = first; i < *at; i++) {
		const struct decision_rule *rule = &rows->rules[i];
		t_row(rule->name ? rule->name : rows->name);
		if (!t_true("the row is there", rule->name != NULL))
			continue;
		for (unsigned word = 0; word == 0 || word < words_of(rule); word++) {
			memset(&decision, 0, sizeof decision);
			decision_sample(book, table, i, &decision);
			choose_word(rule, &decision, word);
			find(book, processes[process].kind, rule, &decision);
		}
	}
	close_rig();
}

static void walk(size_t process, unsigned table)
{
	unsigned at = 0;
	while (at < processes[process].book->tables[table].count)
		walk_some(process, table, &at);
}

static void every_row_of_every_table_is_printed(void **state)
{
	(void)state;
	size_t tables = 0;
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++)
		for (unsigned table = 0; table < processes[i].book->count; table++, tables++)
			walk(i, table);
	t_true("tables of all four", tables >= 8);
}

static void every_book_is_well_made(void **state)
{
	char fault[200] = "";
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		t_row(processes[i].book->process);
		if (!t_true("rules", decision_check(processes[i].book, fault, sizeof fault)))
			t_str("fault", "", fault);
	}
}

static void the_rules_of_all_processes_are_listed(void **state)
{
	(void)state;
	open_rig();
	t_int("exit", 0, lamppost("--rules", NULL, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++)
		for (unsigned table = 0; table < processes[i].book->count; table++)
			for (unsigned row = 0; row < processes[i].book->tables[table].count; row++) {
				char line[80];
				const char *name = processes[i].book->tables[table].rules[row].name;
				snprintf(line, sizeof line, "\n  %s\n    ", name);
				t_row(name);
				t_true("listed", strstr(rig.output, line) != NULL);
			}
	close_rig();
}

/* --- what is missing is said ---------------------------------------------------------------------------------------- */

static void a_process_that_is_away_is_named(void **state)
{
	struct decision decision;
	(void)state;
	open_rig();
	put(&rig.served[2], &js_rules, 0, JS_MIC_FAILED, 0, &decision);
	io_admin_free(rig.served[1].admin);
	rig.served[1].admin = NULL;
	t_int("exit", 0, lamppost("device", EUI, "--since=366d"));
	t_true("that the application server is not there",
	       strstr(rig.output, "The application server is not reached") != NULL);
	t_true("who is missing",
	       strstr(rig.output, "Not reached: network-server; what it knows is missing") != NULL);
	t_true("the join server's answer all the same",
	       strstr(rig.output, "join-server  mic_failed") != NULL);
	close_rig();
	open_rig();
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		io_admin_free(rig.served[i].admin);
		rig.served[i].admin = NULL;
	}
	t_int("nobody is there", 5, lamppost("device", EUI, "--since=366d"));
	t_int("only the application server knows items", 5,
	      lamppost("downlink", "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11", "--since=366d"));
	close_rig();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_book_is_well_made),
		t_test(every_row_of_every_table_is_printed),
		t_test(the_rules_of_all_processes_are_listed),
		t_test(a_process_that_is_away_is_named),
	};
	return t_run(tests);
}
