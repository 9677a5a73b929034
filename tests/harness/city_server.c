#include "tests/harness/city_server.h"

#include "common/base/hex.h"
#include "common/crypto/sealed_key.h"
#include "common/lorawan/cipher.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define APP_KEY "00112233445566778899aabbccddeeff"

const struct lw_key t_server_app_s_key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

struct t_server t_server;

/* --- the world ---------------------------------------------------------------------------------------------- */

static void write_key(const char *name, const uint8_t *bytes, size_t size)
{
	char path[200];
	snprintf(path, sizeof path, "%s/keys/%s", t_server.dir, name);
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(size, fwrite(bytes, 1, size, out));
	fclose(out);
	assert_int_equal(0, chmod(path, 0600));
}

static void write_public(const char *process, const struct secret_box *box)
{
	char path[200], text[2 * SECRET_KEY + 2];
	snprintf(path, sizeof path, "%s/keys/%s.box.pub", t_server.dir, process);
	hex_encode(text, secret_box_public(box), SECRET_KEY);
	t_write_file(path, text);
}

static void make_keys(void)
{
	uint8_t master[SECRET_KEY];
	char path[200];
	assert_int_equal(ST_OK, secret_init());
	snprintf(path, sizeof path, "%s/keys", t_server.dir);
	assert_int_equal(0, mkdir(path, 0700));
	t_server.box = secret_box_generate();
	t_server.join_box = secret_box_generate();
	secret_random(master, sizeof master);
	secret_random(t_server.kek, sizeof t_server.kek);
	write_key("application-server.master", master, sizeof master);
	write_key("application-server.box", secret_box_secret(t_server.box), SECRET_KEY);
	write_key("kek-application.application-server", t_server.kek, sizeof t_server.kek);
	write_public("application-server", t_server.box);
	write_public("join-server", t_server.join_box);
}

void t_server_start(void)
{
	t_server.server = t_process_start(&(struct t_process_options){
		.program = "application-server", .arguments = {"-c", t_server.config}, .dir = t_server.dir});
	if (!t_wait_until(t_is_healthy, t_server.admin, T_CEILING)) {
		char log[4000];
		fprintf(stderr, "%s\n", t_process_log(t_server.server, log, sizeof log));
		fail_msg("the application server is not healthy");
	}
}

void t_server_kill(void)
{
	t_process_kill(t_server.server);
	t_process_free(t_server.server);
}

int t_server_post(const char *path, const char *body)
{
	return t_unix_post(t_server.socket, path, body, t_server.answer, sizeof t_server.answer);
}

int t_server_get(const char *path)
{
	return t_unix_get(t_server.socket, path, t_server.answer, sizeof t_server.answer);
}

static const char *seal(char text[128], const struct secret_box *box, enum sealed_key_kind kind,
			const char *dev_eui, const struct lw_key *key)
{
	uint8_t sealed[SEALED_KEY_LENGTH];
	struct lw_eui64 eui;
	assert_true(lw_eui64_parse(dev_eui, &eui));
	assert_int_equal(ST_OK, sealed_key_seal(sealed, secret_box_public(box), kind, eui.bytes, key->bytes));
	base64_encode(text, sealed, sizeof sealed);
	return text;
}

static void must_post(const char *path, const char *body)
{
	if (!t_int(path, 201, t_server_post(path, body)))
		fprintf(stderr, "%s\n", t_server.answer);
}

static void register_all(void)
{
	char body[800], sealed[128];
	struct lw_key root;
	assert_true(lw_key_parse(APP_KEY, &root));
	must_post("/api/v1/agencies", "{\"slug\":\"parks\",\"name\":\"Parks\"}");
	must_post("/api/v1/applications", "{\"slug\":\"soil\",\"name\":\"Soil\",\"agency\":\"parks\"}");
	must_post("/api/v1/profiles",
		  "{\"slug\":\"probe\",\"name\":\"Probe\",\"region\":\"eu868\",\"mac_version\":\"1.0.3\","
		  "\"codec\":{\"name\":"
		  "\"p\",\"fields\":[{\"fport\":2,\"offset\":0,\"width_bits\":16,\"property\":\"count\"}]}}");
	must_post("/api/v1/gateways", "{\"eui\":\"0102030405060709\",\"name\":\"Roof\",\"region\":\"eu868\","
				      "\"lat\":50.5,\"lon\":14.25}");
	snprintf(body, sizeof body,
		 "{\"dev_eui\":\"" T_ABP_EUI
		 "\",\"name\":\"Probe 1\",\"application\":\"soil\",\"profile\":\"probe\","
		 "\"activation\":\"abp\",\"dev_addr\":\"01020304\",\"app_s_key\":\"%s\"}",
		 seal(sealed, t_server.box, SEALED_APP_S_KEY, T_ABP_EUI, &t_server_app_s_key));
	must_post("/api/v1/devices", body);
	snprintf(body, sizeof body,
		 "{\"dev_eui\":\"" T_OTAA_EUI
		 "\",\"name\":\"Probe 2\",\"application\":\"soil\",\"profile\":\"probe\","
		 "\"join_eui\":\"0000000000000001\",\"app_key\":\"%s\"}",
		 seal(sealed, t_server.join_box, SEALED_APP_KEY, T_OTAA_EUI, &root));
	must_post("/api/v1/devices", body);
}

static bool has_state(struct t_network_script *network)
{
	return t_script_seen(network)->ends >= 1 && t_script_seen(network)->devices >= 2;
}

void t_server_open(uint16_t port, bool with_broker, const char *more_mqtt, const char *more_config)
{
	char text[3000], broker[100] = "{}";
	memset(&t_server, 0, sizeof t_server);
	t_temp_dir(t_server.dir);
	snprintf(t_server.run, sizeof t_server.run, "%s/run", t_server.dir);
	snprintf(t_server.socket, sizeof t_server.socket, "%s/city.sock", t_server.run);
	snprintf(t_server.admin, sizeof t_server.admin, "%s/application-server.admin.sock", t_server.run);
	snprintf(t_server.config, sizeof t_server.config, "%s/lamppost.yaml", t_server.dir);
	make_keys();
	assert_int_equal(0, mkdir(t_server.run, 0700));
	if (with_broker) {
		t_server.broker = t_mosquitto_start(t_server.dir, 0);
		t_server.subscriber = t_subscribe(t_mosquitto_port(t_server.broker), "agency", "#");
		port = t_mosquitto_port(t_server.broker);
	}
	if (port)
		snprintf(broker, sizeof broker, "{host: \"127.0.0.1\", port: %u%s}", port, more_mqtt);
	snprintf(text, sizeof text,
		 "common:\n  state_dir: \"%s\"\n  run_dir: \"%s\"\napplication-server:\n  mqtt: %s\n%s",
		 t_server.dir, t_server.run, broker, more_config);
	t_write_file(t_server.config, text);
	t_server.network = t_script_open(t_server.run);
	t_server_start();
	register_all();
	if (!t_true("desired state", t_script_run(t_server.network, has_state, T_CEILING)))
		fail_msg("no desired state");
}

void t_server_close(void)
{
	if (t_server.server) {
		if (!t_int("orderly stop", 0, t_process_stop(t_server.server))) {
			static char log[1 << 20];
			t_process_log(t_server.server, log, sizeof log);
			size_t length = strlen(log);
			fprintf(stderr, "%s\n", log + (length > 4000 ? length - 4000 : 0));
		}
		t_process_free(t_server.server);
	}
	t_script_free(t_server.network);
	t_subscriber_free(t_server.subscriber);
	t_mosquitto_free(t_server.broker);
	secret_box_free(t_server.box);
	secret_box_free(t_server.join_box);
	t_temp_dir_remove(t_server.dir);
}

int t_server_cli(char *text, size_t capacity, const char *const *arguments)
{
	char socket[T_DIR_MAX + 64];
	struct t_process_options options = {.program = "lamppost", .dir = t_server.dir, .name = "cli"};
	char log[T_DIR_MAX + 16];
	snprintf(socket, sizeof socket, "LAMPPOST_SOCKET=%s", t_server.socket);
	options.variables[0] = socket;
	for (size_t i = 0; arguments[i]; i++)
		options.arguments[i] = arguments[i];
	snprintf(log, sizeof log, "%s/cli.log", t_server.dir);
	(void)remove(log);
	struct t_process *cli = t_process_start(&options);
	int code = t_process_wait(cli);
	t_process_log(cli, text, capacity);
	t_process_free(cli);
	return code;
}
