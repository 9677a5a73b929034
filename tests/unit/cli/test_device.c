/* Commands that send keys, against a server of a test: what left the program is what counts. The server is a child process,
 * since the client has a loop of its own; it writes every request down, one line each. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"
#include "tests/harness/temp.h"

#include "cli/command.h"
#include "cli/device.h"
#include "cli/import_rows.h"
#include "cli/input.h"
#include "cli/pins.h"
#include "cli/problem.h"
#include "cli/records.h"
#include "common/base/hex.h"
#include "common/crypto/sealed_key.h"
#include "common/io/http_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY_TEXT   "8a1f6c02d94e4b7fa3b05c6de7182930"
#define KEY_COLONS "8A:1F:6C:02:D9:4E:4B:7F:A3:B0:5C:6D:E7:18:29:30"
#define KEY_OTHER  "8a1f6c02d94e4b7fa3b05c6de7182931"
#define EUI_TEXT   "70b3d57ed0000001"

static const uint8_t key_bytes[16] = {0x8a, 0x1f, 0x6c, 0x02, 0xd9, 0x4e, 0x4b, 0x7f,
				      0xa3, 0xb0, 0x5c, 0x6d, 0xe7, 0x18, 0x29, 0x30};
static const uint8_t eui_bytes[8] = {0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0, 0, 1};

static struct secret_box *boxes[CLI_PINNED_COUNT];
static char socket_path[300], keys_path[300], log_path[300], config_path[300], output_path[300];
static pid_t server_pid;

/* --- the server */

struct server {
	struct io_http_server *http;
};

static void write_down(const struct io_http_request *request)
{
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	FILE *log = fopen(log_path, "ae");
	ASSERT(log);
	fprintf(log, "%s %s %.*s\n", io_http_method_name(io_http_request_method(request)),
		io_http_request_path(request), (int)length, (const char *)body);
	fclose(log);
}

static void give_keys(void *ctx, struct now now, const struct io_http_request *request)
{
	struct server *server = ctx;
	char text[1024];
	(void)now;
	write_down(request);
	FILE *file = fopen(keys_path, "re");
	ASSERT(file);
	size_t length = fread(text, 1, sizeof text, file);
	fclose(file);
	(void)io_http_reply(server->http, io_http_request_exchange(request), 200, NULL, text, length);
}

static void accept_all(void *ctx, struct now now, const struct io_http_request *request)
{
	static const char answer[] = "{\"created\": 1, \"updated\": 0}";
	struct server *server = ctx;
	(void)now;
	write_down(request);
	(void)io_http_reply(server->http, io_http_request_exchange(request), 200, NULL, answer,
			    strlen(answer));
}

/* Two pages: the second is asked for with `after`. */
static void give_page(void *ctx, struct now now, const struct io_http_request *request)
{
	static const char first[] = "{\"items\": [{\"dev_eui\": \"0000000000000001\"}], \"next\": \"1\"}";
	static const char last[] = "{\"items\": [{\"dev_eui\": \"0000000000000002\"}]}";
	struct server *server = ctx;
	const char *page = io_http_request_query(request, "after") ? last : first;
	(void)now;
	write_down(request);
	(void)io_http_reply(server->http, io_http_request_exchange(request), 200, NULL, page, strlen(page));
}

/* GET /api/v1/agencies/404 is refused with 404. */
static void refuse(void *ctx, struct now now, const struct io_http_request *request)
{
	static const char problem[] = "{\"title\": \"No\", \"detail\": \"because of the moon\"}";
	struct server *server = ctx;
	const char *id = io_http_request_param(request, "id");
	(void)now;
	(void)io_http_reply(server->http, io_http_request_exchange(request),
			    (int)strtol(id ? id : "404", NULL, 10), "application/problem+json", problem,
			    strlen(problem));
}

static void stream_one(void *ctx, struct now now, const struct io_http_request *request)
{
	static const char event[] = "id: 7\nevent: up\ndata: {\"a\":\ndata: 1}\n\n";
	struct server *server = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	write_down(request);
	if (io_http_request_query(request, "application")) {
		refuse(ctx, now, request);
		return;
	}
	(void)io_http_stream_begin(server->http, exchange, "text/event-stream");
	(void)io_http_stream_send(server->http, exchange, event, strlen(event));
}

static const struct io_http_route routes[] = {
	{IO_HTTP_GET, "/api/v1/keys", give_keys},
	{IO_HTTP_GET, "/api/v1/devices", give_page},
	{IO_HTTP_GET, "/api/v1/events", stream_one},
	{IO_HTTP_GET, "/api/v1/agencies/{id}", refuse},
	{IO_HTTP_POST, "/api/v1/devices/import", accept_all},
	{IO_HTTP_PUT, "/api/v1/devices/{eui}/keys", accept_all},
};

static void serve(void)
{
	struct server server;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct io_loop *loop = io_loop_new(NULL);
	const struct io_http_server_options options = {.unix_path = socket_path};
	ASSERT(io_http_server_open(loop, &options, &server.http) == ST_OK);
	io_http_server_add(server.http, routes, ARRAY_SIZE(routes), &server);
	_exit(io_loop_run(loop));
}

static bool is_listening(void *path)
{
	char body[16];
	return t_unix_get(path, "/", body, sizeof body) == 404;
}

/* --- what a test sees */

static void read_text(const char *path, char *text, size_t capacity)
{
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, capacity - 1, file) : 0;
	text[length] = '\0';
	if (file)
		fclose(file);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;
	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		count++;
	return count;
}

/* Writes what the server gives as its public keys: of boxes[0..2] in order, `other` in place of one. */
static json_t *public_keys(int changed)
{
	json_t *keys = json_object();
	for (int i = 0; i < CLI_PINNED_COUNT; i++) {
		char text[2 * SECRET_KEY + 1];
		struct secret_box *other = i == changed ? secret_box_generate() : NULL;
		hex_encode(text, secret_box_public(other ? other : boxes[i]), SECRET_KEY);
		json_object_set_new(keys, cli_pinned_names[i], json_string(text));
		secret_box_free(other);
	}
	return keys;
}

static void server_gives(int changed)
{
	json_t *keys = public_keys(changed);
	ASSERT(json_dump_file(keys, keys_path, JSON_COMPACT) == 0);
	json_decref(keys);
}

/* What is typed behind `lamppost`. */
static int typed(int argc, char **argv)
{
	static char program[] = "lamppost";
	char *words[12] = {program};
	ASSERT(argc < 11);
	for (int i = 0; i < argc; i++)
		words[i + 1] = argv[i];
	return cli_command_line(argc + 1, words);
}

/* Runs a command as main() would; its output of both streams goes to `output`. */
static int command(int (*run)(int argc, char **argv), char *output, size_t capacity, int argc,
		   const char **words)
{
	char *argv[10];
	ASSERT(argc < 10);
	for (int i = 0; i < argc; i++)
		argv[i] = (char *)(uintptr_t)words[i];
	fflush(stdout);
	int saved[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
	int file = open(output_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ASSERT(file >= 0);
	dup2(file, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	int exit_code = run(argc, argv);
	fflush(stdout);
	dup2(saved[0], STDOUT_FILENO);
	dup2(saved[1], STDERR_FILENO);
	close(saved[0]);
	close(saved[1]);
	close(file);
	read_text(output_path, output, capacity);
	return exit_code;
}

static void start_anew(void)
{
	unlink(log_path);
	char path[400];
	snprintf(path, sizeof path, "%s/lamppost/pins.json", config_path);
	unlink(path);
	server_gives(-1);
}

/* Opens a sealed key of JSON. */
static bool opens(const json_t *sealed, struct secret_box *box, enum sealed_key_kind kind)
{
	const char *text = json_string_value(sealed);
	uint8_t bytes[SEALED_KEY_LENGTH + 4], key[16];
	size_t length;
	return text && base64_decode(bytes, sizeof bytes, &length, text, strlen(text)) &&
	       sealed_key_open(box, bytes, length, kind, eui_bytes, key) == SEALED_KEY_OK &&
	       memcmp(key, key_bytes, sizeof key) == 0;
}

static const char *set_words[] = {"device",    "keys",   "set",      EUI_TEXT,
				  "--app-key", KEY_TEXT, "--socket", socket_path};

/* --- keys and pins over the whole command */

static void keys_leave_sealed_and_the_servers_keys_are_pinned(void **state)
{
	(void)state;
	char output[4096], log[4096];
	start_anew();
	t_row("first use pins");
	t_int("exit", CLI_DONE, command(typed, output, sizeof output, 8, set_words));
	read_text(log_path, log, sizeof log);
	t_int("one request for the public keys", 1, count_of(log, "GET /api/v1/keys"));
	t_int("one with the key", 1, count_of(log, "PUT /api/v1/devices/" EUI_TEXT "/keys"));
	t_int("plaintext key sent", 0, count_of(log, KEY_TEXT));
	t_int("plaintext key printed", 0, count_of(output, KEY_TEXT));
	char path[400];
	struct stat stat_of;
	snprintf(path, sizeof path, "%s/lamppost/pins.json", config_path);
	assert_int_equal(0, stat(path, &stat_of));
	snprintf(path, sizeof path, "%s/lamppost", config_path);
	assert_int_equal(0, stat(path, &stat_of));
	t_int("folder of the pins", 0700, stat_of.st_mode & 0777);

	t_row("second use agrees");
	t_int("exit", CLI_DONE, command(typed, output, sizeof output, 8, set_words));

	for (int i = 0; i < CLI_PINNED_COUNT; i++) {
		t_row(cli_pinned_names[i]);
		unlink(log_path);
		server_gives(i);
		t_int("a changed key refuses", CLI_REFUSED,
		      command(typed, output, sizeof output, 8, set_words));
		t_true("names whose", strstr(output, cli_pinned_names[i]) != NULL);
		read_text(log_path, log, sizeof log);
		t_int("requests with a key", 0, count_of(log, "PUT"));
		t_int("requests", 1, count_of(log, "\n"));
		t_int("and again: it was not pinned", CLI_REFUSED,
		      command(typed, output, sizeof output, 8, set_words));
	}
	t_row("the first key is back");
	server_gives(-1);
	t_int("exit", CLI_DONE, command(typed, output, sizeof output, 8, set_words));
}

/* --- pins alone */

static void pins_that_do_not_read_as_pins_are_no_first_use(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		int exit_code;
	} rows[] = {
		{"another server's pins", "{\"/other.sock\": {\"join-server\": \"00\"}}", CLI_DONE},
		{"not JSON", "{", CLI_FAILED},
		{"a list", "[]", CLI_FAILED},
		{"an entry that is no object", "{\"/a.sock\": true}", CLI_FAILED},
		{"an empty entry", "{\"/a.sock\": {}}", CLI_FAILED},
		{"a pin that is null",
		 "{\"/a.sock\": {\"join-server\": null, \"network-server\": \"00\", \"application-server\": "
		 "\"00\"}}",
		 CLI_FAILED},
		{"a server that stands twice", "{\"/a.sock\": {}, \"/a.sock\": {}}", CLI_FAILED},
		{"pins of other keys",
		 "{\"/a.sock\": {\"join-server\": \"00\", \"network-server\": \"00\", "
		 "\"application-server\": \"00\"}}",
		 CLI_REFUSED},
	};
	char path[400], after[1024];
	json_t *keys = public_keys(-1);
	snprintf(path, sizeof path, "%s/lamppost/pins.json", config_path);
	start_anew();
	t_row("no file, no folder");
	t_int("exit", CLI_DONE, cli_pins_check("/b.sock", keys));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_write_file(path, rows[i].text);
		t_int("exit", rows[i].exit_code, cli_pins_check("/a.sock", keys));
		read_text(path, after, sizeof after);
		if (rows[i].exit_code == CLI_DONE)
			t_true("the other server's are kept",
			       strstr(after, "/other.sock") && strstr(after, "/a.sock"));
		else
			t_str("the file", rows[i].text, after);
	}
	json_decref(keys);
}

static void pins_stand_where_the_variables_say(void **state)
{
	(void)state;
	char home[340], path[400];
	json_t *keys = public_keys(-1);
	start_anew();
	t_row("neither variable");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("HOME");
	t_int("exit", CLI_FAILED, cli_pins_check("/a.sock", keys));
	t_row("HOME alone");
	snprintf(home, sizeof home, "%s/home", config_path);
	setenv("HOME", home, 1);
	t_int("exit", CLI_DONE, cli_pins_check("/a.sock", keys));
	snprintf(path, sizeof path, "%s/.config/lamppost/pins.json", home);
	t_true("in .config", t_file_exists(path));
	t_row("an empty XDG_CONFIG_HOME is none");
	setenv("XDG_CONFIG_HOME", "", 1);
	unlink(path);
	t_int("exit", CLI_DONE, cli_pins_check("/a.sock", keys));
	t_true("in .config", t_file_exists(path));
	t_row("a folder that cannot be made");
	setenv("XDG_CONFIG_HOME", "/proc/nowhere", 1);
	t_int("exit", CLI_FAILED, cli_pins_check("/a.sock", keys));
	setenv("XDG_CONFIG_HOME", config_path, 1);
	json_decref(keys);
}

/* --- reading a file of devices */

static const char *const header = "dev_eui,name,application,profile,app_key\n";

static const struct {
	const char *name;
	const char *header; /* NULL: the usual one */
	const char *text;
	const char *reasons[3]; /* `LINE: ...` behind the file's name, in order; none: the file is good */
	size_t rows;
} import_rows[] = {
	{"one row", NULL, EUI_TEXT ",Bed 1,soil,probe," KEY_TEXT "\n", {NULL}, 1},
	{"columns in another order",
	 "app_key,profile,application,dev_eui,name\n",
	 KEY_COLONS ",probe,soil," EUI_TEXT ",Bed 1\n",
	 {NULL},
	 1},
	{"an empty cell gives no member", NULL, EUI_TEXT ",,soil,probe," KEY_TEXT "\n", {NULL}, 1},
	{"an unknown column", "dev_eui,nmae\n", EUI_TEXT ",x\n", {":1: nmae: unknown column"}, 0},
	{"a column that the server makes",
	 "dev_eui,last_seen\n",
	 EUI_TEXT ",x\n",
	 {":1: last_seen: unknown column"},
	 0},
	{"a column given twice",
	 "dev_eui,name,name\n",
	 EUI_TEXT ",a,b\n",
	 {":1: name: column given twice"},
	 0},
	{"two unknown columns are both named",
	 "dev_eui,a,b\n",
	 "",
	 {":1: a: unknown column", ":1: b: unknown column"},
	 0},
	{"no dev_eui column", "name,application\n", "x,y\n", {":1: dev_eui: this column is missing"}, 0},
	{"too few cells", NULL, EUI_TEXT ",x,soil,probe\n", {":2: 4 cells, the header has 5"}, 0},
	{"too many cells",
	 NULL,
	 EUI_TEXT ",x,soil,probe," KEY_TEXT ",y\n",
	 {":2: 6 cells, the header has 5"},
	 0},
	{"a wrong EUI and a wrong key, each with its line",
	 NULL,
	 "70b3,x,soil,probe," KEY_TEXT "\n" EUI_TEXT ",\"two\nlines\",soil,probe," KEY_TEXT "\n" EUI_TEXT
	 ",x,soil,probe,0001\n",
	 {":2: dev_eui: expected 16 hex digits", ":5: app_key: expected 32 hex digits"},
	 0},
	{"a quote that is never closed",
	 NULL,
	 EUI_TEXT ",\"x,soil,probe\n",
	 {":2: a quote is never closed"},
	 0},
	{"a header alone", NULL, "", {": no rows"}, 0},
	{"an empty file", "", "", {":1: the file is empty"}, 0},
};

static struct cli_seal *test_seal(void)
{
	struct cli_seal *seal = NULL;
	json_t *keys = public_keys(-1);
	assert_int_equal(CLI_DONE, cli_seal_make(keys, &seal));
	json_decref(keys);
	return seal;
}

static struct {
	const char *path;
	const struct cli_seal *seal;
	json_t *rows;
} reading;

static int read_file_of_devices(const char *path, const struct cli_seal *seal, json_t **rows)
{
	size_t length;
	char *text = cli_read_file(path, &length);
	ASSERT(text != NULL);
	int exit_code = cli_import_read(path, text, length, record_schema(RECORD_DEVICE), seal, rows);
	free(text);
	return exit_code;
}

static int read_import(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return read_file_of_devices(reading.path, reading.seal, &reading.rows);
}

static void a_file_is_taken_whole_or_refused_with_lines(void **state)
{
	(void)state;
	char output[4096], path[300];
	struct cli_seal *seal = test_seal();
	snprintf(path, sizeof path, "%s", t_temp("devices.csv"));
	for (size_t i = 0; i < ARRAY_SIZE(import_rows); i++) {
		t_row(import_rows[i].name);
		char text[2048];
		snprintf(text, sizeof text, "%s%s", import_rows[i].header ? import_rows[i].header : header,
			 import_rows[i].text);
		t_write_file(path, text);
		reading.path = path;
		reading.seal = seal;
		reading.rows = NULL;
		bool good = import_rows[i].reasons[0] == NULL;
		t_int("exit", good ? CLI_DONE : CLI_REFUSED,
		      command(read_import, output, sizeof output, 0, NULL));
		t_int("rows", import_rows[i].rows, json_array_size(reading.rows));
		const char *at = output;
		for (size_t j = 0; j < ARRAY_SIZE(import_rows[i].reasons) && import_rows[i].reasons[j]; j++) {
			const char *found = strstr(at, import_rows[i].reasons[j]);
			if (!t_true(import_rows[i].reasons[j], found != NULL))
				t_str("output", "", output);
			else
				at = found + 1;
		}
		t_int("plaintext key printed", 0, count_of(output, KEY_TEXT));
		json_decref(reading.rows);
	}
	cli_seal_free(seal);
}

static void every_kind_of_key_is_sealed_to_its_reader(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum sealed_key_kind kind;
		int reader;
	} keys[] = {
		{"app_key", SEALED_APP_KEY, 0},
		{"nwk_key", SEALED_NWK_KEY, 0},
		{"nwk_s_key", SEALED_NWK_S_KEY, 1},
		{"s_nwk_s_int_key", SEALED_S_NWK_S_INT_KEY, 1},
		{"nwk_s_enc_key", SEALED_NWK_S_ENC_KEY, 1},
		{"app_s_key", SEALED_APP_S_KEY, 2},
	};
	const struct record_schema *schema = record_schema(RECORD_DEVICE);
	struct cli_seal *seal = test_seal();
	char path[300], text[2048] = "dev_eui", cells[1024] = EUI_TEXT;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(text + strlen(text), sizeof text - strlen(text), ",%s", keys[i].name);
		snprintf(cells + strlen(cells), sizeof cells - strlen(cells), ",%s", KEY_TEXT);
	}
	snprintf(text + strlen(text), sizeof text - strlen(text), "\n%s\n", cells);
	snprintf(path, sizeof path, "%s", t_temp("keys.csv"));
	t_write_file(path, text);
	json_t *rows = NULL;
	assert_int_equal(CLI_DONE, read_file_of_devices(path, seal, &rows));
	char *written = json_dumps(rows, 0);
	t_int("plaintext keys", 0, count_of(written, KEY_TEXT));
	free(written);
	const json_t *row = json_array_get(rows, 0);
	t_int("line", 2, json_integer_value(json_object_get(row, "line")));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		t_row(keys[i].name);
		for (int reader = 0; reader < CLI_PINNED_COUNT; reader++)
			t_int(cli_pinned_names[reader], keys[i].reader == reader,
			      opens(json_object_get(row, keys[i].name), boxes[reader], keys[i].kind));
	}
	t_row("the schema has no key that this test does not know");
	size_t sealed = 0;
	for (size_t i = 0; i < schema->field_count; i++)
		sealed += schema->fields[i].type == RECORD_SEALED_KEY;
	t_int("keys", ARRAY_SIZE(keys), sealed);
	json_decref(rows);
	cli_seal_free(seal);
}

static void an_import_is_one_request(void **state)
{
	(void)state;
	char output[4096], log[8192], path[300];
	start_anew();
	snprintf(path, sizeof path, "%s", t_temp("import.csv"));
	t_write_file(path, "dev_eui,name,application,profile,app_key\n" EUI_TEXT ",a,soil,probe," KEY_TEXT
			   "\n70b3d57ed0000002,b,soil,probe," KEY_OTHER "\n");
	const char *words[] = {"device", "import", path, "--dry-run", "--socket", socket_path};
	t_int("exit", CLI_DONE, command(typed, output, sizeof output, 6, words));
	read_text(log_path, log, sizeof log);
	t_int("imports", 1, count_of(log, "POST /api/v1/devices/import"));
	t_int("requests", 2, count_of(log, "\n"));
	t_true("dry run", strstr(log, "\"dry_run\":true") != NULL);
	t_int("plaintext key sent", 0, count_of(log, KEY_TEXT));
	t_row("a file with one wrong line");
	unlink(log_path);
	t_write_file(path, "dev_eui,name,application,profile,app_key\n" EUI_TEXT ",a,soil,probe," KEY_TEXT
			   "\nx,b,c,d,e\n");
	t_int("exit", CLI_REFUSED, command(typed, output, sizeof output, 6, words));
	read_text(log_path, log, sizeof log);
	t_int("imports", 0, count_of(log, "POST"));
	t_row("a file that is not there");
	unlink(log_path);
	unlink(path);
	t_int("exit", CLI_FAILED, command(typed, output, sizeof output, 6, words));
	t_true("says which", strstr(output, path) != NULL);
	read_text(log_path, log, sizeof log);
	t_int("requests", 0, count_of(log, "\n"));
}

static void a_wrong_key_is_refused_before_the_server_is_asked(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *words[8];
	} rows[] = {
		{"keys set, a key too short",
		 {"device", "keys", "set", EUI_TEXT, "--app-key", "0123", "--socket", socket_path}},
		{"keys set, an EUI too short",
		 {"device", "keys", "set", "70b3", "--app-key", KEY_TEXT, "--socket", socket_path}},
		{"keys set, letters beyond f",
		 {"device", "keys", "set", EUI_TEXT, "--nwk-key", "0g0102030405060708090a0b0c0d0e0f",
		  "--socket", socket_path}},
		{"add, a key too short",
		 {"device", "add", "--dev-eui", EUI_TEXT, "--app-key", "0123", "--socket", socket_path}},
	};
	char output[4096], log[4096];
	start_anew();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *words[8];
		memcpy(words, rows[i].words, sizeof words);
		t_row(rows[i].name);
		unlink(log_path);
		t_int("exit", CLI_REFUSED, command(typed, output, sizeof output, 8, words));
		read_text(log_path, log, sizeof log);
		t_int("requests", 0, count_of(log, "\n"));
		t_int("key printed", 0, count_of(output, KEY_TEXT));
	}
}

/* --- calls one after the other, and calls that are cut short */

static void a_list_fetches_page_after_page(void **state)
{
	(void)state;
	char output[4096], log[4096];
	start_anew();
	const char *words[] = {"device", "list", "--json", "--socket", socket_path};
	t_int("exit", CLI_DONE, command(typed, output, sizeof output, 5, words));
	t_true("both pages", strstr(output, "0000000000000001") && strstr(output, "0000000000000002"));
	read_text(log_path, log, sizeof log);
	t_int("requests", 2, count_of(log, "GET /api/v1/devices"));
	static const char *const limits[] = {"-1", "0", "", "1x", " 1", "+1", "99999999999999999999"};
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		t_row(limits[i]);
		const char *limited[] = {"device", "list", "--limit", limits[i], "--socket", socket_path};
		t_int("refused", CLI_USAGE, command(typed, output, sizeof output, 6, limited));
	}
	t_row("one of two");
	const char *one[] = {"device", "list", "--json", "--limit", "1", "--socket", socket_path};
	t_int("exit", CLI_DONE, command(typed, output, sizeof output, 7, one));
	t_true("the second is left out", strstr(output, "0000000000000002") == NULL);
}

static void events_are_json_lines(void **state)
{
	(void)state;
	char output[4096];
	start_anew();
	const char *words[] = {"events", "--follow", "--json", "--count", "1", "--socket", socket_path};
	t_int("exit", CLI_DONE, command(typed, output, sizeof output, 7, words));
	t_str("one line", "{\"id\":\"7\",\"kind\":\"up\",\"event\":{\"a\":1}}\n", output);
}

static void what_the_server_refuses_has_its_exit_code_and_reason(void **state)
{
	(void)state;
	static const struct {
		const char *code;
		int exit_code;
	} rows[] = {
		{"400", CLI_REFUSED},   {"403", CLI_REFUSED}, {"404", CLI_NOT_FOUND},
		{"409", CLI_REFUSED},   {"422", CLI_REFUSED}, {"408", CLI_TIMED_OUT},
		{"504", CLI_TIMED_OUT}, {"500", CLI_FAILED},  {"503", CLI_FAILED},
	};
	char output[1024];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].code);
		const char *words[] = {"agency", "show", rows[i].code, "--socket", socket_path};
		t_int("exit", rows[i].exit_code, command(typed, output, sizeof output, 5, words));
		t_true("form and reason",
		       strncmp(output, "lamppost: ", 10) == 0 && strstr(output, ": because of the moon."));
	}
	t_row("a stream that is refused");
	const char *words[] = {"events", "--follow", "--application", "none", "--socket", socket_path};
	t_int("exit", CLI_NOT_FOUND, command(typed, output, sizeof output, 6, words));
	t_true("reason", strstr(output, ": because of the moon.") != NULL);
}

static int refuse_import(int argc, char **argv)
{
	json_t *answer = json_loads(argv[argc - 1], 0, NULL);
	int code = cli_complaints_answer("devices.csv", 422, answer);
	json_decref(answer);
	return code;
}

static void what_the_server_refuses_of_a_file_has_its_lines(void **state)
{
	(void)state;
	static const char one[] = "{\"line\": 2, \"field\": \"name\", \"reason\": \"is needed\"}";
	char output[8192], whole[400], part[16384];
	int length = snprintf(part, sizeof part, "{\"read_to_line\": 61, \"errors\": [%s", one);
	for (int i = 0; i < 59; i++)
		length += snprintf(part + length, sizeof part - (size_t)length, ", %s", one);
	snprintf(part + length, sizeof part - (size_t)length, "]}");
	snprintf(whole, sizeof whole, "{\"errors\": [%s]}", one);
	const struct {
		const char *name, *answer, *says[2];
		int lines;
		bool unread;
	} rows[] = {
		{"one", whole, {"devices.csv:2: name: is needed\n", ": 1 error; nothing"}, 1, false},
		{"more than are read, of which fifty are shown",
		 part,
		 {"devices.csv: lines behind 61 were not looked at\n", ": 60 errors so far; nothing"},
		 50,
		 true},
		{"none by line", "{\"detail\": \"the shelf is full\"}", {"the shelf is full", ""}, 0, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *words[] = {rows[i].answer};
		t_row(rows[i].name);
		t_int("exit", CLI_REFUSED, command(refuse_import, output, sizeof output, 1, words));
		for (size_t j = 0; j < ARRAY_SIZE(rows[i].says); j++)
			t_true(rows[i].says[j], strstr(output, rows[i].says[j]) != NULL);
		t_int("lines", rows[i].lines, count_of(output, "devices.csv:2:"));
		t_true("unread", (strstr(output, "not looked at") != NULL) == rows[i].unread);
	}
}

static bool is_followed(void *ctx)
{
	char log[4096];
	(void)ctx;
	read_text(log_path, log, sizeof log);
	return count_of(log, "GET /api/v1/events") > 0;
}

static void an_interrupt_is_exit_130(void **state)
{
	(void)state;
	start_anew();
	fflush(stdout);
	pid_t child = fork();
	ASSERT(child >= 0);
	if (child == 0) {
		char output[256];
		const char *words[] = {"events", "--follow", "--json", "--socket", socket_path};
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(command(typed, output, sizeof output, 5, words));
	}
	t_true("the stream began", t_wait_until(is_followed, NULL, T_CEILING));
	int end = 0;
	kill(child, SIGINT);
	assert_int_equal(child, waitpid(child, &end, 0));
	t_true("it ended by itself", WIFEXITED(end));
	t_int("exit", CLI_INTERRUPTED, WEXITSTATUS(end));
}

static void nobody_on_the_socket_is_exit_5(void **state)
{
	(void)state;
	char output[1024];
	static const char *words[] = {"device", "list", "--socket", "/nowhere/city.sock"};
	t_int("exit", CLI_NOT_REACHED, command(typed, output, sizeof output, 4, words));
	t_true("names the socket", strstr(output, "/nowhere/city.sock") != NULL);
	t_row("the configuration says where");
	char path[300], text[400];
	snprintf(path, sizeof path, "%s", t_temp("lamppost.yaml"));
	snprintf(text, sizeof text, "common: {state_dir: /elsewhere/state, run_dir: /elsewhere/run}\n");
	t_write_file(path, text);
	setenv("LAMPPOST_CONFIG", path, 1);
	t_int("exit", CLI_NOT_REACHED, command(typed, output, sizeof output, 2, words));
	t_true("names that socket", strstr(output, "/elsewhere/run/city.sock") != NULL);
	t_row("a configuration that cannot be read");
	setenv("LAMPPOST_CONFIG", "/nowhere/lamppost.yaml", 1);
	t_int("exit", CLI_USAGE, command(typed, output, sizeof output, 2, words));
	t_row("an option is stronger than a configuration");
	t_int("exit", CLI_NOT_REACHED, command(typed, output, sizeof output, 4, words));
	unsetenv("LAMPPOST_CONFIG");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(keys_leave_sealed_and_the_servers_keys_are_pinned),
		t_test(pins_that_do_not_read_as_pins_are_no_first_use),
		t_test(pins_stand_where_the_variables_say),
		t_test(a_file_is_taken_whole_or_refused_with_lines),
		t_test(every_kind_of_key_is_sealed_to_its_reader),
		t_test(an_import_is_one_request),
		t_test(a_wrong_key_is_refused_before_the_server_is_asked),
		t_test(a_list_fetches_page_after_page),
		t_test(events_are_json_lines),
		t_test(what_the_server_refuses_has_its_exit_code_and_reason),
		t_test(what_the_server_refuses_of_a_file_has_its_lines),
		t_test(an_interrupt_is_exit_130),
		t_test(nobody_on_the_socket_is_exit_5),
	};
	static const char *const variables[] = {"LAMPPOST_SOCKET", "LAMPPOST_RUN", "LAMPPOST_STATE",
						"LAMPPOST_CONFIG"};
	char dir[T_DIR_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		unsetenv(variables[i]);
	(void)signal(SIGPIPE, SIG_IGN);
	ASSERT(secret_init() == ST_OK);
	for (size_t i = 0; i < CLI_PINNED_COUNT; i++)
		boxes[i] = secret_box_generate();
	t_temp_dir(dir);
	snprintf(socket_path, sizeof socket_path, "%s", t_temp("city.sock"));
	snprintf(keys_path, sizeof keys_path, "%s", t_temp("keys.json"));
	snprintf(log_path, sizeof log_path, "%s", t_temp("requests.log"));
	snprintf(output_path, sizeof output_path, "%s", t_temp("output"));
	snprintf(config_path, sizeof config_path, "%s/config", dir);
	setenv("XDG_CONFIG_HOME", config_path, 1);
	fflush(stdout);
	server_pid = fork();
	ASSERT(server_pid >= 0);
	if (server_pid == 0)
		serve();
	ASSERT(t_wait_until(is_listening, socket_path, T_CEILING));
	int exit_code = t_run(tests);
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
	for (size_t i = 0; i < CLI_PINNED_COUNT; i++)
		secret_box_free(boxes[i]);
	t_temp_dir_remove(dir);
	return exit_code;
}
