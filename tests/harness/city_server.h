/* The real application server between a scripted network server and a real broker, or none, or one that the test plays.
 *
 *	t_server_open(0, true, "", "");          keys, configuration, broker, server; registered and replicated
 *	t_script_run(t_server.network, ...)
 *	t_server_close();
 *
 * One at a time, so that it stands as one object. Registered are agency `parks`, application `soil`, profile `probe` (EU868,
 * codec), a gateway, the ABP device T_ABP_EUI with AppSKey t_server_app_s_key, the OTAA device T_OTAA_EUI. */
#ifndef LAMPPOST_TESTS_CITY_SERVER_H
#define LAMPPOST_TESTS_CITY_SERVER_H

#include "common/crypto/secret.h"
#include "tests/harness/mosquitto.h"
#include "tests/harness/network_script.h"
#include "tests/harness/process.h"

#define T_ABP_EUI  "0102030405060708"
#define T_OTAA_EUI "0102030405060777"
#define T_ABP_ADDR 0x01020304

struct t_server {
	char dir[T_DIR_MAX], run[T_DIR_MAX + 8], socket[T_DIR_MAX + 32], admin[T_DIR_MAX + 64],
		config[T_DIR_MAX + 32];
	struct secret_box *box, *join_box;
	uint8_t kek[16]; /* `application` */
	struct t_mosquitto *broker;
	struct t_subscriber *subscriber; /* to everything */
	struct t_process *server;
	struct t_network_script *network;
	char answer[65536]; /* of the last call */
};
extern struct t_server t_server;
extern const struct lw_key t_server_app_s_key;

/* `port`: of a broker of the test's own (0: none), unless `with_broker`. `more_mqtt` (", qos: 0") and
 * `more_config` are YAML of the server's section. */
void t_server_open(uint16_t port, bool with_broker, const char *more_mqtt, const char *more_config);
void t_server_close(void); /* an orderly stop; another fails the row */
void t_server_start(void);
void t_server_kill(void);
/* Call the API; the HTTP status, the body in t_server.answer. */
int t_server_post(const char *path, const char *body);
int t_server_get(const char *path);
/* Runs `lamppost` on the API; fills what it printed, and returns its exit code. */
int t_server_cli(char *text, size_t capacity, const char *const *arguments);

#endif
