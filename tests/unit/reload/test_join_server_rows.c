/* Others' join servers by reload, with real files: a file that cannot be used refuses the whole reading and changes nothing; what
 * has the same words and files is left alone; what has others is made anew. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"
#include "tests/harness/process.h"
#include "tests/harness/ts002_peer.h"

#include "common/base/check.h"
#include "network-server/edge_join_servers.h"
#include "network-server/edge_process.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;
static struct ns_edge edge;
static char tls[T_DIR_MAX], good[1024];
static struct io_http_server *occupant;
static uint16_t answers_port;

static const char *path_of(const char *name)
{
	static char path[4][T_DIR_MAX + 32];
	static unsigned next;
	char *at = path[next++ % 4];
	snprintf(at, sizeof path[0], "%s/%s", tls, name);
	return at;
}

static void write_closed(const char *name, const char *text, mode_t mode)
{
	(void)unlink(path_of(name));
	t_write_file(path_of(name), text);
	assert_int_equal(0, chmod(path_of(name), mode));
}

/* Reads the lines of section network-server as SIGHUP does. */
static bool reload(const char *lines, char problem[CONFIG_ERROR_MAX])
{
	static struct ns_options options;
	static struct config_common common;
	static char text[4096];
	const struct config_program program = {"network-server",    "Tested.", ns_option_rows,
					       ns_option_row_count, &options,  sizeof options};
	snprintf(text, sizeof text, "network-server:\n%s", lines);
	memset(&options, 0, sizeof options);
	memset(&common, 0, sizeof common);
	problem[0] = '\0';
	if (!config_read_text(&program, &common, "test", text, strlen(text), problem))
		return false;
	const struct reload_wanted wanted = {&common, &options, &common, &options};
	memcpy(&edge.ns, &rig.ns, sizeof edge.ns);
	bool taken = ns_edge_reconfigure(&edge, &wanted, problem);
	memcpy(&rig.ns, &edge.ns, sizeof rig.ns);
	if (taken)
		edge.options = options;
	return taken;
}

static void make_files(void)
{
	t_temp_dir(tls);
	t_tls_authority(tls, "ca");
	t_tls_certificate(tls, "ca", "a");
	t_tls_certificate(tls, "ca", "b");
	write_closed("kek", "0123456789abcdef", 0600);
	write_closed("kek.open", "0123456789abcdef", 0644);
	write_closed("kek.short", "0123456789abcde", 0600);
	write_closed("token", "Authorization: Bearer 1\n", 0600);
	write_closed("token.open", "Authorization: Bearer 1\n", 0640);
	write_closed("token.words", "no header at all\n", 0600);
	write_closed("no.pem", "this is no certificate\n", 0600);
}

#define BLOCK "join_euis: [70b3d57ed0000000/36], url: \"https://js.example/\""

static int open_edge(void **state)
{
	char problem[CONFIG_ERROR_MAX];
	make_files();
	rig_init(&rig);
	memset(&edge, 0, sizeof edge);
	edge.loop = io_loop_new(NULL);
	answers_port = t_free_tcp_port();
	snprintf(
		good, sizeof good,
		"  join_answers: {listen: \"127.0.0.1:%u\", certificate: %s/a.crt, key: %s/a.key, ca: "
		"%s/ca.crt}\n"
		"  join_servers:\n    maker: {" BLOCK
		", certificate: %s/a.crt, key: %s/a.key, ca: %s/ca.crt, headers: %s/token, kek: m, kek_file: "
		"%s/kek}\n",
		answers_port, tls, tls, tls, tls, tls, tls, tls, tls);
	t_true("the beginning", reload(good, problem));
	t_str("its problem", "", problem);
	return t_setup(state);
}

static int close_edge(void **state)
{
	ns_edge_join_servers_release(&edge);
	ns_edge_join_answers_release(&edge);
	io_http_server_free(occupant);
	occupant = NULL;
	io_loop_free(edge.loop);
	rig_release(&rig);
	t_temp_dir_remove(tls);
	return t_teardown(state);
}

/* A row may name files of the folder as @. */
static void write_lines(char *out, size_t capacity, const char *from)
{
	size_t used = 0;
	for (; *from && used + T_DIR_MAX < capacity; from++) {
		if (*from == '@')
			used += (size_t)snprintf(out + used, capacity - used, "%s", tls);
		else
			out[used++] = *from;
	}
	out[used] = '\0';
}

static const struct {
	const char *name, *server, *answers, *problem;
} bad[] = {
	{"a certificate that is not there", "certificate: @/none.crt, key: @/a.key", NULL,
	 "none.crt: No such file"},
	{"another's key", "certificate: @/a.crt, key: @/b.key", NULL, "cannot be used together"},
	{"authorities that are none", "ca: @/no.pem", NULL, "no.pem: certificate, key and authorities"},
	{"headers that are not there", "headers: @/none", NULL, "none: No such file"},
	{"headers that others may read", "headers: @/token.open", NULL, "chmod 600"},
	{"headers that are none", "headers: @/token.words", NULL, "'Name: value'"},
	{"a key of the wrong size", "kek: m, kek_file: @/kek.short", NULL, "kek.short: wrong_size"},
	{"a key that others may read", "kek: m, kek_file: @/kek.open", NULL, "kek.open: open_to_all"},
	{"a key that is not there", "kek: m, kek_file: @/none", NULL, "none: missing"},
	{"a word that is none", "color: red", NULL, "color: expected each at most once"},
	{"asynchronous, and nowhere to answer to", "asynchronous: true, answers_from: js", "",
	 "join_answers.listen: expected an address"},
	{"no place to answer to", "ca: @/ca.crt",
	 "  join_answers: {listen: \"nowhere\", certificate: @/a.crt, key: @/a.key, ca: @/ca.crt}\n",
	 "join_answers: expected listen"},
	{"a place without a certificate", "ca: @/ca.crt", "  join_answers: {listen: \"127.0.0.1:1\"}\n",
	 "join_answers: expected listen"},
	{"the same place with another's key", "ca: @/ca.crt",
	 "  join_answers: {listen: \"127.0.0.1:ANSWERS\", certificate: @/a.crt, key: @/b.key, ca: "
	 "@/ca.crt}\n",
	 "join_answers: expected listen"},
	{"a place that is taken", "ca: @/ca.crt",
	 "  join_answers: {listen: \"127.0.0.1:TAKEN\", certificate: @/a.crt, key: @/a.key, ca: @/ca.crt}\n",
	 "cannot listen there"},
	{"callers who are nobody", "ca: @/ca.crt", "  callers: {bridges: nobody-of-that-name}\n", "callers"},
};

static uint16_t occupy(void)
{
	const struct io_http_server_options options = {.host = "127.0.0.1"};
	assert_int_equal(ST_OK, io_http_server_open(edge.loop, &options, &occupant));
	return io_http_server_port(occupant);
}

/* Puts a number in the place of a word. */
static void put_port(char *lines, const char *word, uint16_t port)
{
	char *at = strstr(lines, word), rest[1024];
	if (!at)
		return;
	snprintf(rest, sizeof rest, "%u%s", port, at + strlen(word));
	memcpy(at, rest, strlen(rest) + 1);
}

static void a_bad_reading_changes_nothing(void **state)
{
	(void)state;
	const struct ns_edge_join_server *maker = edge.join_servers[0];
	const struct io_http_server *answers = edge.answers_server;
	uint16_t taken = occupy();
	assert_non_null(maker);
	assert_non_null(answers);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char lines[2048], text[1024], problem[CONFIG_ERROR_MAX];
		t_row(bad[i].name);
		snprintf(text, sizeof text, "%s  join_servers:\n    other: {" BLOCK ", %s}\n",
			 bad[i].answers ? bad[i].answers : "", bad[i].server);
		write_lines(lines, sizeof lines, text);
		put_port(lines, "TAKEN", taken);
		put_port(lines, "ANSWERS", answers_port);
		t_false("taken", reload(lines, problem));
		if (!t_true("says what is wrong", strstr(problem, bad[i].problem) != NULL))
			fprintf(stderr, "%s\n", problem);
		t_true("the one that is there stays", edge.join_servers[0] == maker);
		t_true("nobody came", edge.join_servers[1] == NULL);
		t_str("in the core as well", "maker", rig.ns.config.join_servers[0].name);
		t_uint("of which there is one", 1, rig.ns.config.join_server_count);
		t_true("answers are taken as before",
		       edge.answers_server == answers && io_http_server_port(answers) == answers_port);
	}
}

static void what_has_other_files_is_made_anew(void **state)
{
	(void)state;
	static const struct {
		const char *name, *file, *text;
		bool anew;
	} rows[] = {
		{"nothing changed", NULL, NULL, false},
		{"another token", "token", "Authorization: Bearer 2\n", true},
		{"the same token once more", "token", "Authorization: Bearer 2\n", false},
		{"another KEK", "kek", "fedcba9876543210", true},
		{"nothing changed since", NULL, NULL, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char problem[CONFIG_ERROR_MAX];
		const struct ns_edge_join_server *before = edge.join_servers[0];
		uint8_t mark[IO_HTTP_IDENTITY_MARK], kek[16];
		memcpy(mark, before->identity.mark, sizeof mark);
		memcpy(kek, rig.ns.config.join_servers[0].kek, sizeof kek);
		t_row(rows[i].name);
		if (rows[i].file)
			write_closed(rows[i].file, rows[i].text, 0600);
		t_true("taken", reload(good, problem));
		bool differs = memcmp(mark, edge.join_servers[0]->identity.mark, sizeof mark) != 0 ||
			       memcmp(kek, rig.ns.config.join_servers[0].kek, sizeof kek) != 0;
		t_int("anew", rows[i].anew, differs);
		if (!rows[i].anew)
			t_true("left alone", edge.join_servers[0] == before);
	}
	t_str("the line is sent", "Authorization: Bearer 2", edge.join_servers[0]->identity.headers[0]);
	t_bytes("the key opens", (const uint8_t *)"fedcba9876543210", 16, rig.ns.config.join_servers[0].kek,
		16);
}

static void what_is_not_named_any_more_leaves(void **state)
{
	(void)state;
	char problem[CONFIG_ERROR_MAX];
	t_str("its metrics' label", "server=\"maker\"", edge.join_server_labels[0]);
	t_true("taken", reload("  dedup_window_ms: 100\n", problem));
	t_true("nobody is there", edge.join_servers[0] == NULL);
	t_true("answers are taken nowhere", edge.answers_server == NULL);
	t_str("no metrics", "", edge.join_server_labels[0]);
	t_true("and again", reload(good, problem));
	t_true("it is there", edge.join_servers[0] != NULL && edge.answers_server != NULL);
}

int main(void)
{
#define IN_EDGE(f)                                 \
	{                                          \
#f, f, open_edge, close_edge, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_EDGE(a_bad_reading_changes_nothing),
		IN_EDGE(what_has_other_files_is_made_anew),
		IN_EDGE(what_is_not_named_any_more_leaves),
	};
	return t_run(tests);
}
