/* Bad input on every surface of a running network: an error that names field and rule where somebody reads it, a counter that moves,
 * nothing half-done, and the same processes alive afterwards. */
#include "tests/harness/harness.h"

#include "common/proto/envelope.h"
#include "tests/harness/network.h"
#include "tests/harness/radio.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BODY_ROOM 16384

static struct t_network *network;
static int pids[T_ROLE_COUNT];

static void run_socket(char path[T_PATH_MAX], const char *name)
{
	snprintf(path, T_PATH_MAX, "%s/run/%s", t_network_dir(network), name);
}

static void contains(const char *member, const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		t_str(member, part, text);
}

/* --- counters ------------------------------------------------------------------------------------------------ */

struct counter {
	enum t_role role;
	const char *name;
	double before;
};

static bool has_moved(void *ctx)
{
	const struct counter *counter = ctx;
	return t_metric(t_network_admin(network, counter->role), counter->name) > counter->before;
}

static struct counter counter_at(enum t_role role, const char *name)
{
	struct counter counter = {role, name, t_metric(t_network_admin(network, role), name)};
	t_true("the counter is there", counter.before >= 0);
	return counter;
}

static void moves(struct counter *counter)
{
	t_true("the counter moves", t_wait_until(has_moved, counter, T_CEILING));
}

/* --- datagrams ----------------------------------------------------------------------------------------------- */

#define HEADER "\x02\x12\x34\x00\xaa\x55\x5a\x00\x00\x00\x01\x01" /* PUSH_DATA of the registered gateway */
#define RXPK(members)                                                                                        \
	HEADER "{\"rxpk\":[{\"tmst\":1,\"freq\":903.9,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/" \
	       "5\""                                                                                         \
	       ",\"stat\":1,\"rssi\":-50,\"lsnr\":5,\"chan\":0,\"rfch\":0," members "}]}"

static const struct {
	const char *name, *verdict;
	const char *bytes;
	size_t length;
} datagrams[] = {
#define ROW(name, verdict, bytes)                       \
	{                                               \
		name, verdict, bytes, sizeof(bytes) - 1 \
	}
	ROW("three bytes", "truncated", "\x02\x12\x34"),
	ROW("version 3", "bad_version", "\x03\x12\x34\x00\xaa\x55\x5a\x00\x00\x00\x01\x01{}"),
	ROW("identifier 9", "bad_identifier", "\x02\x12\x34\x09\xaa\x55\x5a\x00\x00\x00\x01\x01{}"),
	ROW("a server's message", "wrong_direction", "\x02\x12\x34\x01\xaa\x55\x5a\x00\x00\x00\x01\x01"),
	ROW("no JSON", "not_json", HEADER "{\"rxpk\":["),
	ROW("bad UTF-8", "bad_utf8", HEADER "{\"rxpk\":[{\"time\":\"\xff\xfe\"}]}"),
	ROW("ten levels", "too_deep", HEADER "{\"a\":[[[[[[[[[[]]]]]]]]]]}"),
	ROW("an array", "not_an_object", HEADER "[]"),
	ROW("rxpk is text", "rxpk_not_an_array", HEADER "{\"rxpk\":\"x\"}"),
	ROW("an entry is a number", "entry_not_an_object", HEADER "{\"rxpk\":[7]}"),
	ROW("no data", "missing_member", RXPK("\"size\":1")),
	ROW("data is no base64", "bad_base64", RXPK("\"size\":1,\"data\":\"!!!!\"")),
	ROW("size and data disagree", "size_differs", RXPK("\"size\":9,\"data\":\"AAAA\"")),
	ROW("size is text", "wrong_type", RXPK("\"size\":\"9\",\"data\":\"AAAA\"")),
#undef ROW
};

static void bad_datagrams(void)
{
	struct t_gateway gateway;
	assert_true(t_gateway_open(&gateway, t_network_port(network), 0xaa555a0000000101));
	for (size_t i = 0; i < ARRAY_SIZE(datagrams); i++) {
		char name[96];
		t_row(datagrams[i].name);
		snprintf(name, sizeof name, "lamppost_bridge_verdicts_total{verdict=\"%s\"}",
			 datagrams[i].verdict);
		struct counter counter = counter_at(T_GATEWAY_BRIDGE, name);
		t_gateway_raw(&gateway, datagrams[i].bytes, datagrams[i].length);
		moves(&counter);
	}
	t_gateway_close(&gateway);
}

/* --- frames inside datagrams --------------------------------------------------------------------------------- */

static const struct {
	const char *name, *verdict;
	const char *phy;
	size_t length;
} frames[] = {
#define ROW(name, verdict, bytes)                       \
	{                                               \
		name, verdict, bytes, sizeof(bytes) - 1 \
	}
	ROW("four bytes of a data frame", "malformed", "\x40\x01\x02\x03"),
	ROW("FOpts past the end", "malformed", "\x40\x04\xda\x00\x01\x0f\x00\x00\x01\x02\x03\x04"),
	ROW("a join-request of 22 bytes", "malformed",
	    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
	    "\x10\x11\x12\x13\x14\x15"),
	ROW("a downlink", "downlink_frame", "\x60\x04\xda\x00\x01\x00\x00\x00\x01\x02\x03\x04"),
	ROW("a proprietary frame", "proprietary", "\xe0\x01\x02\x03\x04"),
	ROW("another network's address", "foreign_dev_addr",
	    "\x40\x04\xda\x00\xfe\x00\x00\x00\x01\x02\x03\x04"),
	ROW("a MIC that fits no key", "mic", "\x40\x04\xda\x00\x01\x00\x00\x00\x01\x02\x03\x04"),
	ROW("a join of a device that nobody knows", "join_unknown_device",
	    "\x00\x01\x00\x00\xd0\x7e\xd5\xb3\x70\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x01\x02\x03\x04"),
#undef ROW
};

static void bad_frames(void)
{
	struct t_gateway gateway;
	assert_true(t_gateway_open(&gateway, t_network_port(network), 0xaa555a0000000101));
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		char name[96];
		struct t_air air = {.end = t_seconds(), .length = frames[i].length};
		t_row(frames[i].name);
		memcpy(air.phy, frames[i].phy, frames[i].length);
		snprintf(name, sizeof name, "lamppost_network_drops_total{reason=\"%s\"}", frames[i].verdict);
		struct counter counter = counter_at(T_NETWORK_SERVER, name);
		t_true("acknowledged", t_gateway_hears(&gateway, &air));
		moves(&counter);
	}
	t_gateway_close(&gateway);
}

/* --- network.sock -------------------------------------------------------------------------------------------- */

/* Sends bytes and reads until the other side closes; false if it does not within the ceiling. */
static bool is_closed_after(const void *bytes, size_t length, char said[512])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[T_PATH_MAX];
	size_t used = 0;
	run_socket(path, "network.sock");
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, connect(fd, (const struct sockaddr *)&address, sizeof address));
	assert_int_equal((ssize_t)length, send(fd, bytes, length, MSG_NOSIGNAL));
	double end = t_seconds() + T_CEILING;
	bool closed = false;
	while (!closed && t_seconds() < end) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		char chunk[256];
		if (poll(&wait, 1, 1000) <= 0)
			continue;
		ssize_t got = recv(fd, chunk, sizeof chunk, 0);
		closed = got <= 0;
		for (ssize_t i = 0; i < got && used < 511; i++)
			said[used++] = chunk[i] >= ' ' && chunk[i] < 127 ? chunk[i] : '.';
	}
	said[used] = '\0';
	close(fd);
	return closed;
}

static size_t framed(uint8_t *out, size_t capacity, const struct proto_message *message)
{
	size_t length;
	assert_int_equal(ST_OK, proto_pack(message, out + 4, capacity - 4, &length));
	for (size_t i = 0; i < 4; i++)
		out[i] = (uint8_t)(length >> (8 * i));
	return length + 4;
}

static void bad_messages(void)
{
	static struct proto_message message;
	uint8_t bytes[2048] = {0};
	char said[512];
	struct counter refused = counter_at(T_NETWORK_SERVER, "lamppost_network_links_refused_total");

	t_row("bytes that are no message");
	t_true("closed", is_closed_after("\x05\x00\x00\x00\xff\xff\xff\xff\xff", 9, said));
	moves(&refused);

	t_row("a protocol of another major version");
	refused = counter_at(T_NETWORK_SERVER, "lamppost_network_links_refused_total");
	message = (struct proto_message){.seq = 1, .kind = PROTO_HELLO};
	message.hello = (struct proto_hello){.role = PROTO_GATEWAY_BRIDGE, .name = "test", .major = 9};
	t_true("closed", is_closed_after(bytes, framed(bytes, sizeof bytes, &message), said));
	contains("the reason", said, "version");
	moves(&refused);

	t_row("something else before the Hello");
	refused = counter_at(T_NETWORK_SERVER, "lamppost_network_links_refused_total");
	message = (struct proto_message){.seq = 1, .kind = PROTO_ACK};
	t_true("closed", is_closed_after(bytes, framed(bytes, sizeof bytes, &message), said));
	moves(&refused);

	t_row("a message longer than any");
	t_true("closed", is_closed_after("\xff\xff\xff\x7f", 4, said));
}

/* --- HTTP bodies --------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *socket, *target, *body;
	int code;
	const char *field, *rule; /* parts of the answer */
	enum t_role role;
	const char *counter;
} bodies[] = {
#define REST    "city.sock", "/api/v1/"
#define COUNTED T_APPLICATION_SERVER, "lamppost_application_api_refused_total"
	{"no JSON", REST "agencies", "{", 400, "JSON", "", COUNTED},
	{"a slug in upper case", REST "agencies", "{\"slug\":\"Parks!\",\"name\":\"P\"}", 422, "slug", "",
	 COUNTED},
	{"no name", REST "agencies", "{\"slug\":\"fire\"}", 422, "name", "", COUNTED},
	{"an unknown field", REST "agencies", "{\"slug\":\"fire\",\"name\":\"F\",\"colour\":\"red\"}", 422,
	 "colour", "", COUNTED},
	{"an agency that is not there", REST "applications",
	 "{\"slug\":\"a\",\"name\":\"A\",\"agency\":\"nobody\"}", 422, "agency", "", COUNTED},
	{"a plaintext key", REST "devices",
	 "{\"dev_eui\":\"70b3d57ed00a0001\",\"name\":\"D\",\"application\":\"city-block\",\"profile\":\"air-"
	 "1-0-4\","
	 "\"app_key\":\"000102030405060708090a0b0c0d0e0f\"}",
	 422, "app_key", "", COUNTED},
	{"a version that there is not", REST "profiles",
	 "{\"slug\":\"x\",\"name\":\"X\",\"region\":\"us915\",\"mac_version\":\"9.9\"}", 422, "mac_version",
	 "1.0.4", COUNTED},
	{"a region that there is not", REST "profiles",
	 "{\"slug\":\"x\",\"name\":\"X\",\"region\":\"mars\",\"mac_version\":\"1.0.4\"}", 422, "region", "",
	 COUNTED},
	{"a codec that is none", REST "profiles",
	 "{\"slug\":\"x\",\"name\":\"X\",\"region\":\"us915\",\"mac_version\":\"1.0.4\",\"codec\":{"
	 "\"fields\":[{\"offset\":-1}]}}",
	 422, "codec", "", COUNTED},
	{"rows that are no array", REST "devices/import", "{\"dry_run\":false,\"rows\":7}", 422, "rows", "",
	 COUNTED},
	{"TS002 that is no JSON", "join.sock", "/", "hello", 400, "detail", "", T_JOIN_SERVER,
	 "lamppost_join_messages_total{verdict=\"unreadable\"}"},
	{"TS002 without a message type", "join.sock", "/", "{\"ProtocolVersion\":\"1.0\"}", 400, "", "",
	 T_JOIN_SERVER, "lamppost_join_messages_total{verdict=\"unreadable\"}"},
	{"provisioning without records", "join.sock", "/provisioning/v1/records", "{}", 422, "city", "",
	 T_ROLE_COUNT, NULL},
	{"provisioning of another city", "join.sock", "/provisioning/v1/records",
	 "{\"city\":\"0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\",\"records\":[]}", 409, "", "", T_ROLE_COUNT,
	 NULL},
#undef REST
#undef COUNTED
};

static void bad_bodies(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		char path[T_PATH_MAX], answer[BODY_ROOM];
		struct counter counter;
		t_row(bodies[i].name);
		run_socket(path, bodies[i].socket);
		if (bodies[i].counter)
			counter = counter_at(bodies[i].role, bodies[i].counter);
		if (!t_int("status", bodies[i].code,
			   t_unix_post(path, bodies[i].target, bodies[i].body, answer, sizeof answer)))
			fprintf(stderr, "%s\n", answer);
		contains("the field", answer, bodies[i].field);
		contains("the rule", answer, bodies[i].rule);
		if (bodies[i].counter)
			moves(&counter);
	}
}

/* --- CSV ----------------------------------------------------------------------------------------------------- */

#define COLUMNS "dev_eui,name,application,profile,activation,join_eui,app_key\n"
#define GOOD                                                                \
	"70b3d57ed00b0001,good,city-block,air-1-0-4,otaa,70b3d57ed0000001," \
	"8a1f6c02d94e4b7fa3b05c6de7182930\n"

static const struct {
	const char *name, *text, *place, *field;
} files[] = {
	{"a key of 31 digits",
	 COLUMNS GOOD "70b3d57ed00b0002,b,city-block,air-1-0-4,otaa,,00010203040506070809"
		      "0a0b0c0d0e0\n",
	 ":3:", "app_key"},
	{"an EUI of 15 digits", COLUMNS GOOD "70b3d57ed00b000,b,city-block,air-1-0-4,otaa,,\n",
	 ":3:", "dev_eui"},
	{"a cell too few", COLUMNS GOOD "70b3d57ed00b0002,b,city-block,air-1-0-4,otaa,\n", ":3:", "cells"},
	{"a profile that is not there", COLUMNS GOOD "70b3d57ed00b0002,b,city-block,none,otaa,,\n",
	 ":3:", "profile"},
	{"an activation that there is not", COLUMNS GOOD "70b3d57ed00b0002,b,city-block,air-1-0-4,magic,,\n",
	 ":3:", "activation"},
	{"the same device twice", COLUMNS GOOD GOOD, ":3:", "dev_eui"},
	{"an unknown column", "dev_eui,colour\n70b3d57ed00b0001,red\n", ":1:", "colour"},
	{"a quote that does not end", COLUMNS GOOD "70b3d57ed00b0002,\"b,city-block,air-1-0-4,otaa,,\n",
	 ":3:", ""},
	{"an empty file", "", ":", "empty"},
};

static void bad_csv(void)
{
	char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/bad.csv", t_network_dir(network));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		t_row(files[i].name);
		t_write_file(path, files[i].text);
		t_cli_must(network, 4, "device", "import", path);
		contains("file and line", t_cli_output(network), files[i].place);
		contains("the field", t_cli_output(network), files[i].field);
		t_cli_must(network, 3, "device", "show", "70b3d57ed00b0001");
	}
}

/* --- YAML ---------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *program, *text, *message;
} configurations[] = {
	{"an unknown key", "gateway-bridge", "gateway-bridge:\n  colour: red\n",
	 "bad.yaml:2: gateway-bridge.colour"},
	{"a number out of range", "gateway-bridge", "gateway-bridge:\n  ring_seconds: 9999\n",
	 "expected 1 to 600"},
	{"an address that is none", "gateway-bridge", "gateway-bridge:\n  udp_listen: [\"here\"]\n",
	 "udp_listen"},
	{"a region that there is not", "network-server", "network-server:\n  regions: [mars]\n", "regions"},
	{"text for a number", "network-server", "network-server:\n  rx_delay_s: soon\n", "rx_delay_s"},
	{"a KEK that is no path", "join-server", "join-server:\n  keks: [1, 2]\n", "keks"},
	{"a port out of range", "application-server",
	 "application-server:\n  mqtt:\n    host: x\n    port: 99999\n", "port"},
	{"an unknown section", "application-server", "applications: {}\n", "applications"},
	{"a NetID of four digits", "network-server", "common:\n  net_id: \"0000\"\n", "net_id"},
	{"not YAML", "join-server", "common: [\n", "bad.yaml"},
};

static void bad_yaml(void)
{
	char path[T_PATH_MAX], log[4096];
	snprintf(path, sizeof path, "%s/bad.yaml", t_network_dir(network));
	for (size_t i = 0; i < ARRAY_SIZE(configurations); i++) {
		t_row(configurations[i].name);
		t_write_file(path, configurations[i].text);
		char name[32];
		snprintf(name, sizeof name, "config-%zu", i);
		struct t_process *process = t_process_start(
			&(struct t_process_options){.program = configurations[i].program,
						    .arguments = {"-c", path, "--check-config"},
						    .dir = t_network_dir(network),
						    .name = name});
		t_int("exit code", 2, t_process_wait(process));
		contains("the message", t_process_log(process, log, sizeof log), configurations[i].message);
		t_process_free(process);
	}
	t_row("a codec");
	t_write_file(path, "name: x\nfields:\n  - {offset: 0, width_bits: 99, property: p}\n");
	char word[T_PATH_MAX + 1];
	snprintf(word, sizeof word, "@%s", path);
	t_cli_must(network, 4, "profile", "add", "--slug", "bad", "--name", "bad", "--region", "us915",
		   "--mac-version", "1.0.4", "--codec", word);
	contains("the field", t_cli_output(network), "width_bits");
	t_cli_must(network, 3, "profile", "show", "bad");
	t_row("a built-in codec");
	t_cli_must(network, 4, "profile", "add", "--slug", "lpp", "--name", "lpp", "--region", "us915",
		   "--mac-version", "1.0.4", "--codec", "cayenne");
	contains("what there is", t_cli_output(network), "expected cayenne-lpp, or @FILE");
	t_cli_must(network, 0, "profile", "add", "--slug", "lpp", "--name", "lpp", "--region", "us915",
		   "--mac-version", "1.0.4", "--codec", "cayenne-lpp");
	t_cli_must(network, 0, "profile", "show", "lpp");
	contains("it", t_cli_output(network), "cayenne-lpp");
	t_cli_must(network, 0, "profile", "update", "lpp", "--codec", "");
	t_cli_must(network, 0, "profile", "show", "lpp");
	t_true("no more", strstr(t_cli_output(network), "cayenne-lpp") == NULL);
	t_cli_must(network, 0, "profile", "remove", "lpp", "--yes");
}

/* --- the command line ---------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *words[12];
	int code;
	const char *message;
} commands[] = {
	{"no such command", {"sensor", "add"}, 2, "sensor"},
	{"no such verb", {"device", "paint"}, 2, "paint"},
	{"no such option", {"device", "list", "--colour", "red"}, 2, "colour"},
	{"an option without its value", {"agency", "add", "--slug"}, 2, "slug"},
	{"a number that is none", {"device", "list", "--limit", "many"}, 2, "limit"},
	{"a record that is not there", {"device", "show", "ffffffffffffffff"}, 3, "ffffffffffffffff"},
	{"an EUI that is none", {"gateway", "add", "roof", "--name", "R", "--region", "us915"}, 4, "eui"},
	{"a slug that is taken", {"agency", "add", "--slug", "parks", "--name", "P"}, 4, "parks"},
	{"a latitude beyond the pole",
	 {"gateway", "add", "aa555a00000001ff", "--name", "R", "--region", "us915", "--lat", "91"},
	 4,
	 "lat"},
	{"a file that is not there", {"device", "import", "/nowhere.csv"}, 1, "/nowhere.csv"},
};

static void bad_commands(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		t_row(commands[i].name);
		t_cli_must_at(network, commands[i].code, commands[i].words);
		contains("what it is about", t_cli_output(network), commands[i].message);
		contains("the form", t_cli_output(network), "lamppost: ");
	}
}

/* --- the whole ----------------------------------------------------------------------------------------------- */

static size_t lines_of(const char *kind)
{
	t_cli_must(network, 0, kind, "list", "--json");
	json_t *list = json_loads(t_cli_output(network), 0, NULL);
	size_t count = json_is_array(list) ? json_array_size(list)
					   : json_array_size(json_object_get(list, "items"));
	json_decref(list);
	return count;
}

static void on_every_surface(void **state)
{
	static const char *const kinds[] = {"agency", "application", "profile", "device", "gateway"};
	size_t before[ARRAY_SIZE(kinds)];
	(void)state;
	network = t_network_start("");
	t_network_furnish(network);
	for (unsigned role = 0; role < T_ROLE_COUNT; role++)
		pids[role] = t_network_pid(network, (enum t_role)role);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		before[i] = lines_of(kinds[i]);
		t_true("records are counted", before[i] > 0);
	}
	bad_datagrams();
	bad_frames();
	bad_messages();
	bad_bodies();
	bad_csv();
	bad_yaml();
	bad_commands();
	t_row("afterwards");
	t_true("all are well", t_network_healthy(network));
	for (unsigned role = 0; role < T_ROLE_COUNT; role++)
		t_int(t_role_name((enum t_role)role), pids[role], t_network_pid(network, (enum t_role)role));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		t_uint(kinds[i], before[i], lines_of(kinds[i]));
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(on_every_surface)};
	return t_run(tests);
}
