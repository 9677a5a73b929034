#include "tests/harness/harness.h"

#include "common/text/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sample {
	int64_t ring_seconds;
	char udp_listen[64];
	int64_t window_us;
	struct option_map keks;
	struct option_map peers;
	char host[64];
	int64_t port;
};

static struct sample sample;

static const struct option rows[] = {
	{"gateway-bridge", "ring_seconds", OPTION_INT, OPTION_AT(struct sample, ring_seconds),
	 .fallback = "60", .min = 1, .max = 600, .unit = "s",
	 .help = "How long uplinks are kept while the network server is away."},
	{"gateway-bridge", "udp_listen", OPTION_STRING, OPTION_AT(struct sample, udp_listen),
	 .fallback = "0.0.0.0:1700", .help = "Address of Semtech UDP."},
	{"gateway-bridge", "window", OPTION_DURATION, OPTION_AT(struct sample, window_us),
	 .fallback = "200ms", .min = 0, .max = 5000000, .help = "A window.", .reload = true},
	{"gateway-bridge", "keks", OPTION_MAP, OPTION_AT(struct sample, keks), .help = "Keys by label."},
	{"gateway-bridge", "peers", OPTION_MAP, OPTION_AT(struct sample, peers), .words = true,
	 .help = "Groups by label."},
	{"gateway-bridge", "broker.host", OPTION_STRING, OPTION_AT(struct sample, host), .fallback = "",
	 .help = "Of a group."},
	{"gateway-bridge", "broker.port", OPTION_INT, OPTION_AT(struct sample, port), .fallback = "1883",
	 .min = 1, .max = 65535, .help = "Of the same."},
};

static const struct config_program program = {
	"gateway-bridge", "Terminates gateways.", rows, ARRAY_SIZE(rows), &sample, sizeof sample};

static const struct {
	const char *name;
	const char *text;
	const char *error; /* "": accepted */
} files[] = {
	{"an empty file", "", ""},
	{"nothing but comments", "# nothing\n\n", ""},
	{"another process's section is skipped", "network-server:\n  anything: [1, {a: b}]\n", ""},
	{"a good file", "common:\n  log_level: debug\ngateway-bridge:\n  ring_seconds: 5\n", ""},
	{"a value out of range names file, line, value and range",
	 "common:\n  log_level: info\ngateway-bridge:\n  # comment\n  ring_seconds: 9999\n",
	 "l.yaml:5: gateway-bridge.ring_seconds: 9999: expected 1 to 600 s"},
	{"an unknown key", "gateway-bridge:\n  ring_second: 5\n",
	 "l.yaml:2: gateway-bridge.ring_second: 5: unknown key"},
	{"a group of keys", "gateway-bridge:\n  broker: {host: a.example, port: 8883}\n", ""},
	{"a group of keys in lines", "gateway-bridge:\n  broker:\n    host: a.example\n", ""},
	{"a key of a group by its whole name", "gateway-bridge:\n  broker.host: a.example\n", ""},
	{"an empty group", "gateway-bridge:\n  broker: {}\n", ""},
	{"an unknown key of a group", "gateway-bridge:\n  broker:\n    hosts: a\n",
	 "l.yaml:3: gateway-bridge.broker.hosts: a: unknown key"},
	{"a value out of range in a group", "gateway-bridge:\n  broker: {port: 0}\n",
	 "l.yaml:2: gateway-bridge.broker.port: 0: expected 1 to 65535"},
	{"a group as an entry", "gateway-bridge:\n  peers: {a: {b: c, d: [1, 2]}}\n", ""},
	{"a blank in a member of an entry", "gateway-bridge:\n  peers: {a: {b: \"c d\"}}\n",
	 "l.yaml:2: gateway-bridge.peers.a.b: c d: expected a value without blanks, or a list of them; all "
	 "of them "
	 "together at most 639 characters"},
	{"a group in an entry's group", "gateway-bridge:\n  peers: {a: {b: {c: d}}}\n",
	 "l.yaml:2: gateway-bridge.peers.a.b: expected a value without blanks, or a list of them; all of "
	 "them together "
	 "at most 639 characters"},
	{"a group where a path is expected", "gateway-bridge:\n  keks: {a: {b: c}}\n",
	 "l.yaml:2: gateway-bridge.keks.a: expected a single value"},
	{"a group that is none", "gateway-bridge:\n  broker: 5\n",
	 "l.yaml:2: gateway-bridge.broker: 5: expected a map of keys"},
	{"a group in a group", "gateway-bridge:\n  broker: {broker: {host: a}}\n",
	 "l.yaml:2: gateway-bridge.broker.broker: unknown key"},
	{"a key of a group twice", "gateway-bridge:\n  broker: {port: 1, port: 2}\n",
	 "l.yaml:2: gateway-bridge.broker.port: stands twice, first in line 2"},
	{"a key of a group in both ways", "gateway-bridge:\n  broker: {port: 1}\n  broker.port: 2\n",
	 "l.yaml:3: gateway-bridge.broker.port: 2: stands twice, also in line 2"},
	{"the other way round", "gateway-bridge:\n  broker.port: 2\n  broker: {port: 1}\n",
	 "l.yaml:3: gateway-bridge.broker.port: 1: stands twice, also in line 2"},
	{"an unknown section", "gatewaybridge:\n  ring_seconds: 5\n",
	 "l.yaml:1: gatewaybridge: unknown section"},
	{"a key twice", "gateway-bridge:\n  ring_seconds: 5\n  ring_seconds: 6\n",
	 "l.yaml:3: gateway-bridge.ring_seconds: stands twice, first in line 2"},
	{"a section twice", "common:\n  log_level: info\ncommon:\n  log_level: info\n",
	 "l.yaml:3: common: stands twice, first in line 1"},
	{"a duplicate in another's section", "join-server:\n  a: 1\n  a: 2\n",
	 "l.yaml:3: join-server.a: stands twice, first in line 2"},
	{"a list for a number", "gateway-bridge:\n  ring_seconds: [5]\n",
	 "l.yaml:2: gateway-bridge.ring_seconds: expected 1 to 600 s"},
	{"a number for a map", "gateway-bridge:\n  keks: 5\n",
	 "l.yaml:2: gateway-bridge.keks: 5: expected a map of labels"},
	{"a bad level", "common:\n  log_level: loud\n",
	 "l.yaml:2: common.log_level: loud: expected one of: error warn info debug"},
	{"a bad NetID", "common:\n  net_id: \"00\"\n", "l.yaml:2: common.net_id: 00: expected 6 hex digits"},
	{"a prefix with bits below it", "common:\n  dev_addr_prefixes: [\"26000001/7\"]\n",
	 "l.yaml:2: common.dev_addr_prefixes[0]: 26000001/7: expected 8 hex digits, a slash and 0 to 32 "
	 "bits, as in "
	 "26000000/7"},
	{"no prefix", "common:\n  dev_addr_prefixes: []\n",
	 "l.yaml:2: common.dev_addr_prefixes: expected at least 1 items"},
	{"an empty path", "common:\n  state_dir: \"\"\n",
	 "l.yaml:2: common.state_dir: \"\": expected a path"},
	{"a null", "gateway-bridge:\n  ring_seconds:\n",
	 "l.yaml:2: gateway-bridge.ring_seconds: expected a value"},
	{"a scalar for a section", "common: 5\n", "l.yaml:1: common: 5: expected a map of keys"},
	{"an anchor", "common: &a\n  log_level: info\n",
	 "l.yaml:1: anchors, aliases and tags are not supported"},
	{"an alias", "common:\n  log_level: *a\n", "l.yaml:2: anchors, aliases and tags are not supported"},
	{"a tag", "common:\n  log_level: !a info\n", "l.yaml:2: anchors, aliases and tags are not supported"},
	{"nested without end", "join-server: [[[[[[[[[[[[1]]]]]]]]]]]]\n",
	 "l.yaml:1: join-server[0][0][0][0][0][0][0]: nested too deeply"},
	{"a tab", "common:\n\tlog_level: info\n", "l.yaml:2: found character that cannot start any token"},
};

static void files_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		t_row(files[i].name);
		struct config_common common = {0};
		char error[CONFIG_ERROR_MAX] = "";
		t_int("accepted", files[i].error[0] == '\0',
		      config_read_text(&program, &common, "l.yaml", files[i].text, strlen(files[i].text),
				       error));
		t_str("error", files[i].error, error);
	}
}

static void values_arrive(void **state)
{
	(void)state;
	static const char text[] =
		"common:\n  state_dir: /srv/lamppost\n  log_level: warn\n  net_id: 000013\n"
		"  dev_addr_prefixes: [\"26000000/7\", fc00ac00/22]\n"
		"gateway-bridge:\n  window: 1s\n  keks: {as1: /keys/1, \"as 2\": \"/keys/a \\\"b\\\"\"}\n"
		"  broker:\n    host: b.example\n    port: 8883\n";
	struct config_common common = {0};
	char error[CONFIG_ERROR_MAX] = "";
	t_true("read", config_read_text(&program, &common, "l.yaml", text, sizeof text - 1, error));
	t_str("error", "", error);
	t_str("state_dir", "/srv/lamppost", common.state_dir);
	t_str("run_dir", "/run/lamppost", common.run_dir);
	t_int("log_level", LOG_LEVEL_WARN, common.log_level);
	t_uint("net_id", 0x13, config_net_id(&common).value);
	t_uint("prefixes", 2, common.dev_addr_prefixes.count);
	t_int("window", 1000000, sample.window_us);
	t_int("ring_seconds", 60, sample.ring_seconds);
	t_str("a group's text", "b.example", sample.host);
	t_int("a group's number", 8883, sample.port);
	t_uint("keks", 2, sample.keks.count);
	t_str("label", "as 2", sample.keks.entries[1].label);

	/* What is printed reads back to the same. */
	struct config_common printed_common = common;
	struct sample printed = sample;
	char *out_text = NULL;
	size_t out_length;
	FILE *out = open_memstream(&out_text, &out_length);
	assert_non_null(out);
	config_print(out, &program, &common);
	fclose(out);
	t_true("reads back", config_read_text(&program, &common, "printed", out_text, out_length, error));
	t_str("error", "", error);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].key);
		t_true("same", option_equal(&rows[i], &printed, &sample));
	}
	for (size_t i = 0; i < config_common_row_count; i++) {
		t_row(config_common_rows[i].key);
		t_true("same", option_equal(&config_common_rows[i], &printed_common, &common));
	}
	t_true("help as comments", strstr(out_text, "  # Address of Semtech UDP.") != NULL);
	free(out_text);
}

static void command_line_and_environment(void **state)
{
	(void)state;
	char path[] = "/tmp/lamppost-config-XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0);
	static const char text[] = "common:\n  state_dir: /from/file\n  run_dir: /run/file\n";
	assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
	close(file);
	struct config_common common = {0};
	int code = -1;

	setenv("LAMPPOST_STATE", "/from/environment", 1);
	unsetenv("LAMPPOST_RUN");
	unsetenv("LAMPPOST_CONFIG");
	char *with_file[] = {"gateway-bridge", "-c", path, NULL};
	t_true("starts", config_start(&program, &common, 3, with_file, &code));
	t_str("the environment wins over the file", "/from/environment", common.state_dir);
	t_str("the file wins over the default", "/run/file", common.run_dir);
	t_str("file", path, config_file_name(3, with_file));

	setenv("LAMPPOST_CONFIG", "/nowhere/lamppost.yaml", 1);
	char *without[] = {"gateway-bridge", NULL};
	t_false("a named file must be there", config_start(&program, &common, 1, without, &code));
	t_int("exit code", 2, code);
	char *unknown[] = {"gateway-bridge", "--nonsense", NULL};
	t_false("unknown option", config_start(&program, &common, 2, unknown, &code));
	t_int("exit code", 2, code);
	char *dangling[] = {"gateway-bridge", "-c", NULL};
	t_false("-c without a file", config_start(&program, &common, 2, dangling, &code));
	t_int("exit code", 2, code);
	char *check[] = {"gateway-bridge", "--check-config", "-c", path, NULL};
	t_false("check ends", config_start(&program, &common, 4, check, &code));
	t_int("exit code", 0, code);
	unlink(path);
	unsetenv("LAMPPOST_STATE");
	unsetenv("LAMPPOST_CONFIG");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(files_are_read_strictly),
		t_test(values_arrive),
		t_test(command_line_and_environment),
	};
	return t_run(tests);
}
