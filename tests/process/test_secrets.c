/* No key in clear outside its owner: five sensors and one more join, send, are answered; then every key that there is, those of the
 * sessions derived here as the devices derive them, is looked for in every file, and in everything that the processes said to each
 * other, raw (in both byte orders), as hex and as base64. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/lorawan/keys.h"
#include "simulator/scenario.h"
#include "tests/harness/network.h"
#include "tests/harness/relay.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEEDLES 128
#define FORMS   7 /* raw, reversed, hex, HEX, base64 at three alignments */
#define KEY_MAX 32

static const char *const key_files[] = {
	"network-server.master",      "join-server.master",      "application-server.master",
	"network-server.box",         "join-server.box",         "application-server.box",
	"kek-network.network-server", "kek-network.join-server", "kek-application.application-server",
	"kek-application.join-server"};

struct form {
	uint8_t bytes[2 * KEY_MAX + 8];
	size_t length;
};

struct needle {
	char name[64];
	struct form forms[FORMS];
	size_t form_count;
};

static struct needle needles[NEEDLES];
static size_t needle_count;

/* --- what is looked for -------------------------------------------------------------------------------------- */

static void add_form(struct needle *needle, const void *bytes, size_t length)
{
	struct form *form = &needle->forms[needle->form_count++];
	assert_true(length <= sizeof form->bytes && needle->form_count <= FORMS);
	memcpy(form->bytes, bytes, length);
	form->length = length;
}

/* In a longer base64 text a key begins at one of three alignments; the characters that it shares with its neighbours are left out. */
static void add_base64(struct needle *needle, const uint8_t *key, size_t length)
{
	for (size_t before = 0; before < 3; before++) {
		uint8_t bytes[KEY_MAX + 2] = {0};
		char text[BASE64_ROOM(sizeof bytes)];
		memcpy(bytes + before, key, length);
		base64_encode(text, bytes, before + length);
		size_t first = before == 0 ? 0 : before + 1, last = (before + length) * 8 / 6;
		add_form(needle, text + first, last - first);
	}
}

static void add_needle(const char *name, const uint8_t *key, size_t length)
{
	assert_true(needle_count < NEEDLES && length <= KEY_MAX);
	struct needle *needle = &needles[needle_count++];
	uint8_t reversed[KEY_MAX];
	char hex[2 * KEY_MAX + 1];
	snprintf(needle->name, sizeof needle->name, "%s", name);
	for (size_t i = 0; i < length; i++)
		reversed[i] = key[length - 1 - i];
	add_form(needle, key, length);
	add_form(needle, reversed, length);
	hex_encode(hex, key, length);
	add_form(needle, hex, 2 * length);
	for (char *at = hex; *at; at++)
		*at = (char)(*at >= 'a' ? *at - 'a' + 'A' : *at);
	add_form(needle, hex, 2 * length);
	add_base64(needle, key, length);
}

static void add_key(const char *device, const char *what, const struct lw_key *key)
{
	static const struct lw_key none;
	char name[64];
	if (memcmp(key->bytes, none.bytes, sizeof none.bytes) == 0)
		return;
	snprintf(name, sizeof name, "%.30s %s", device, what);
	add_needle(name, key->bytes, sizeof key->bytes);
}

static void add_session(const char *device, const struct lw_session_keys *keys)
{
	add_key(device, "FNwkSIntKey", &keys->f_nwk_s_int_key);
	add_key(device, "SNwkSIntKey", &keys->s_nwk_s_int_key);
	add_key(device, "NwkSEncKey", &keys->nwk_s_enc_key);
	add_key(device, "AppSKey", &keys->app_s_key);
}

/* Derives a joined device's session as the device does. */
static void add_joined(const struct sim_device_config *device, const json_t *accept)
{
	struct aes *aes = aes_new();
	struct lw_session_keys keys;
	uint32_t join_nonce = (uint32_t)json_integer_value(json_object_get(accept, "join_nonce"));
	uint16_t dev_nonce = (uint16_t)json_integer_value(json_object_get(accept, "dev_nonce"));
	assert_non_null(aes);
	if (device->mac_version >= LW_MAC_1_1_0) {
		lw_session_keys_1_1(aes, &device->nwk_key, &device->app_key, join_nonce, &device->join_eui,
				    dev_nonce, &keys);
		struct lw_key js_int = lw_key_js_int(aes, &device->nwk_key, &device->dev_eui);
		struct lw_key js_enc = lw_key_js_enc(aes, &device->nwk_key, &device->dev_eui);
		add_key(device->name, "JSIntKey", &js_int);
		add_key(device->name, "JSEncKey", &js_enc);
	} else {
		lw_session_keys_1_0(aes, &device->app_key, join_nonce, (struct lw_net_id){0}, dev_nonce,
				    &keys);
	}
	add_session(device->name, &keys);
	aes_free(aes);
}

static void add_devices(const json_t *report)
{
	char error[SIM_SCENARIO_ERROR];
	struct sim_scenario scenario;
	FILE *file = fopen("simulator/scenarios/demo.yaml", "r");
	static char text[65536];
	assert_non_null(file);
	size_t length = fread(text, 1, sizeof text, file);
	fclose(file);
	assert_true(sim_scenario_load(&scenario, "demo.yaml", text, length, error));
	unsigned joined = 0;
	for (size_t i = 0; i < scenario.device_count; i++) {
		const struct sim_device_config *device = &scenario.devices[i];
		const json_t *accepts = json_object_get(json_array_get(json_object_get(report, "devices"), i),
							"accepts");
		add_key(device->name, "AppKey", &device->app_key);
		add_key(device->name, "NwkKey", &device->nwk_key);
		if (device->activation == SIM_ABP)
			add_session(device->name, &device->session_keys);
		for (size_t a = 0; a < json_array_size(accepts); a++, joined++)
			add_joined(device, json_array_get(accepts, a));
	}
	t_true("joins", joined >= 4);
	sim_scenario_release(&scenario);
}

static void add_key_files(const struct t_network *network)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_files); i++) {
		char path[T_PATH_MAX];
		uint8_t key[KEY_MAX + 1];
		snprintf(path, sizeof path, "%s/keys/%s", t_network_state(network), key_files[i]);
		FILE *file = fopen(path, "r");
		assert_non_null(file);
		size_t length = fread(key, 1, sizeof key, file);
		fclose(file);
		t_row(key_files[i]);
		t_true("a key's length", length == 16 || length == 32);
		add_needle(key_files[i], key, length);
	}
}

/* --- where --------------------------------------------------------------------------------------------------- */

static unsigned search(const char *where, const uint8_t *bytes, size_t length, bool silent)
{
	unsigned found = 0;
	for (size_t n = 0; n < needle_count; n++) {
		for (size_t f = 0; f < needles[n].form_count; f++) {
			const struct form *form = &needles[n].forms[f];
			if (memmem(bytes, length, form->bytes, form->length) == NULL)
				continue;
			found++;
			if (!silent)
				fprintf(stderr, "%s holds %s in form %zu\n", where, needles[n].name, f);
		}
	}
	return found;
}

static unsigned search_file(const char *path, size_t *searched, bool silent)
{
	FILE *file = fopen(path, "r");
	if (file == NULL) /* a file that went meanwhile, or a socket */
		return 0;
	struct stat info;
	assert_int_equal(0, fstat(fileno(file), &info));
	uint8_t *bytes = malloc((size_t)info.st_size + 1);
	assert_non_null(bytes);
	size_t length = fread(bytes, 1, (size_t)info.st_size, file);
	fclose(file);
	unsigned found = search(path, bytes, length, silent);
	free(bytes);
	*searched += length;
	return found;
}

/* Every file below a folder but for the owners' key files. */
static unsigned search_folder(const char *folder, size_t *searched, bool silent)
{
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	unsigned found = 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char path[2 * T_PATH_MAX];
		struct stat info;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || lstat(path, &info) != 0)
			continue;
		if (S_ISDIR(info.st_mode) && strcmp(entry->d_name, "keys") != 0)
			found += search_folder(path, searched, silent);
		else if (S_ISREG(info.st_mode))
			found += search_file(path, searched, silent);
	}
	closedir(dir);
	return found;
}

/* A key file holds its own key and no other. */
static void search_key_files(const struct t_network *network)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_files); i++) {
		char path[T_PATH_MAX];
		size_t searched = 0;
		snprintf(path, sizeof path, "%s/keys/%s", t_network_state(network), key_files[i]);
		bool shared = strncmp(key_files[i], "kek-", 4) ==
			      0; /* the other reader's file has the same */
		t_row(key_files[i]);
		t_uint("keys in it", shared ? 2 : 1, search_file(path, &searched, true));
	}
}

/* --- the test ------------------------------------------------------------------------------------------------ */

struct settled {
	struct t_network *network;
	struct t_subscriber *agency;
};

static bool holds(void *ctx)
{
	const struct settled *settled = ctx;
	return t_network_check(settled->network, settled->agency, true, false) == 0;
}

/* Takes the place of the three inner sockets; whoever was connected is killed, so that it connects through the relay. */
static void listen_in(struct t_network *network, struct t_relay *relays[3])
{
	static const char *const sockets[] = {"join.sock", "network.sock", "city.sock"};
	static const enum t_role callers[3][2] = {{T_NETWORK_SERVER, T_APPLICATION_SERVER},
						  {T_APPLICATION_SERVER, T_GATEWAY_BRIDGE},
						  {T_ROLE_COUNT, T_ROLE_COUNT}};
	for (size_t i = 0; i < 3; i++) {
		char path[T_PATH_MAX];
		snprintf(path, sizeof path, "%s/run/%s", t_network_dir(network), sockets[i]);
		relays[i] = t_relay_start(path);
		for (size_t c = 0; c < 2 && callers[i][c] < T_ROLE_COUNT; c++)
			t_true("killed", t_network_kill(network, callers[i][c]));
		t_true("well again", t_network_healthy(network));
	}
}

static bool says(struct t_relay *relay, const char *text)
{
	size_t length;
	const uint8_t *bytes = t_relay_bytes(relay, &length);
	return memmem(bytes, length, text, strlen(text)) != NULL;
}

static void traffic(struct t_network *network)
{
	struct t_subscriber *agency = t_network_subscribe(network);
	t_network_furnish(network);
	t_row("traffic");
	t_cli_must(network, 0, "device", "add", "70b3d57ed0050009", "--name", "Set by hand", "--application",
		   "city-block", "--profile", "air-1-0-4", "--join-eui", "70b3d57ed0000001");
	t_cli_must(network, 0, "device", "keys", "set", "70b3d57ed0050009", "--app-key",
		   "5d0fe1c2b3a4958677f8e9dacbbcad9e");
	t_cli_must(network, 2, "device", "keys", "set", "70b3d57ed0050009", "--app-key");
	t_cli_must(network, 4, "device", "keys", "set", "70b3d57ed0050009", "--app-key",
		   "5d0fe1c2b3a4958677f8e9dacbbcad");
	struct t_process *simulator = t_network_simulate(network, "simulator/scenarios/demo.yaml", "10");
	t_int("simulator", 0, t_process_wait(simulator));
	t_process_free(simulator);
	struct settled settled = {network, agency};
	if (!t_true("check", t_wait_until(holds, &settled, T_CEILING)))
		t_network_check(network, agency, true, true);
	t_subscriber_free(agency);
}

static void no_key_in_clear_outside_its_owner(void **state)
{
	(void)state;
	struct t_relay *relays[3];
	struct t_network *network = t_network_start("network-server:\n  rx_delay_s: 1\n");
	const char *dir = t_network_dir(network);
	listen_in(network, relays);
	traffic(network);
	t_row("what is looked for");
	json_t *report = t_network_report(network);
	assert_non_null(report);
	add_devices(report);
	json_decref(report);
	struct lw_key by_hand;
	assert_true(lw_key_parse("5d0fe1c2b3a4958677f8e9dacbbcad9e", &by_hand));
	add_key("Set by hand", "AppKey", &by_hand);
	add_key_files(network);
	t_row("files while it runs");
	size_t searched = 0;
	t_uint("keys in clear", 0, search_folder(dir, &searched, false));
	t_true("searched", searched > 100000);
	search_key_files(network);
	t_row("what was said on join.sock");
	t_true("joins were", says(relays[0], "JoinReq"));
	t_true("records were", says(relays[0], "records"));
	t_row("what was said on network.sock");
	t_true("regions were", says(relays[1], "us915"));
	t_row("what was said on city.sock");
	t_true("devices were", says(relays[2], "70b3d57ed0050003"));
	for (size_t i = 0; i < 3; i++) {
		size_t length;
		const uint8_t *bytes = t_relay_bytes(relays[i], &length);
		t_uint("keys in clear on a socket", 0, search("socket", bytes, length, false));
	}
	t_network_stop(network);
	for (size_t i = 0; i < 3; i++)
		t_relay_free(relays[i]);
	t_row("files afterwards");
	t_uint("keys in clear", 0, search_folder(dir, &searched, false));
	t_row("the search itself finds what is planted");
	char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/state/planted", dir);
	for (size_t f = 0; f < needles[0].form_count; f++) {
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		fputs("some text before ", file);
		fwrite(needles[0].forms[f].bytes, 1, needles[0].forms[f].length, file);
		fputs(" and after", file);
		fclose(file);
		t_true("found", search_folder(dir, &searched, true) >= 1);
	}
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(no_key_in_clear_outside_its_owner)};
	return t_run(tests);
}
