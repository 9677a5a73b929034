/* Whose a sensor is, as an agency says it with the command line, reaches those who ask the city's join server: a network server of
 * another (libcurl over real TLS) is told the home of each sensor (HomeNSReq), may have its own join and no other's, and the city's
 * own network may not have a sensor join that is another's. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"
#include "tests/harness/ts002_peer.h"
#include "tests/harness/ts002_request.h"

#include "common/lorawan/types.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define THEIRS   "60000d"
#define JOIN_EUI "70b3d57ed1000001"
/* A device's number ends its key, too. */
#define KEY_HEAD "8a1f6c02d94e4b7fa3b05c6de71829"

static char tls[T_DIR_MAX], url[64], path[T_PATH_MAX];
static struct t_network *network;

static void start(void)
{
	static char more[2048];
	char kek[T_DIR_MAX + 32];
	uint16_t port = t_free_tcp_port();
	t_temp_dir(tls);
	t_tls_authority(tls, "ca");
	t_tls_certificate(tls, "ca", "js.a");
	t_tls_certificate(tls, "ca", "ns.b");
	snprintf(kek, sizeof kek, "%s/city-b.kek", tls);
	t_write_file(kek, "0123456789abcdef");
	assert_int_equal(0, chmod(kek, 0600));
	snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
	snprintf(more, sizeof more,
		 "join-server:\n  listen: 127.0.0.1:%u\n  certificate: %s/js.a.crt\n  key: %s/js.a.key\n"
		 "  ca: %s/ca.crt\n"
		 "  keks: {city-b: %s}\n"
		 "  peers:\n    city-b: {certificate: ns.b, net_ids: [" THEIRS
		 "], messages: [joins, home], join_euis: any, kek: city-b}\n",
		 port, tls, tls, tls, kek);
	network = t_network_start(more);
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "desk", "--name", "Desk", "--agency", "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.4");
}

/* What the other network server is answered. */
static const char *key_of(const char *dev_eui)
{
	static char key[33];
	snprintf(key, sizeof key, KEY_HEAD "%s", dev_eui + 14);
	return key;
}

static struct bi_message ask(enum bi_type type, const char *dev_eui, uint16_t dev_nonce)
{
	static uint32_t transaction = 100;
	transaction++;
	char text[BI_WRITTEN_MAX], body[BI_WRITTEN_MAX];
	struct bi_message answer = {0};
	struct bi_error error;
	t_ts002_write(text, &(struct t_ts002_request){.type = type,
						      .protocol = BI_PROTOCOL_1_1,
						      .sender = THEIRS,
						      .join_eui = JOIN_EUI,
						      .dev_eui = dev_eui,
						      .transaction = transaction,
						      .app_key = key_of(dev_eui),
						      .dev_nonce = dev_nonce});
	t_int("code", 200, t_tls_post(tls, "ca", "ns.b", url, text, body, sizeof body));
	t_true("an answer", bi_read(body, strlen(body), &answer, &error));
	return answer;
}

static void expect_home(const char *what, const char *dev_eui, const char *net_id)
{
	char home[LW_NET_ID_TEXT];
	t_row(what);
	struct bi_message answer = ask(BI_HOME_NS_REQ, dev_eui, 0);
	t_str("result", "Success", bi_result_name(answer.envelope.result, BI_PROTOCOL_1_1));
	lw_net_id_format(home, answer.home_ns_ans.h_net_id);
	t_str("HNetID", net_id, home);
}

static void expect_join(const char *what, const char *dev_eui, uint16_t dev_nonce, enum bi_result result)
{
	t_row(what);
	struct bi_message answer = ask(BI_JOIN_REQ, dev_eui, dev_nonce);
	t_str("result", bi_result_name(result, BI_PROTOCOL_1_1),
	      bi_result_name(answer.envelope.result, BI_PROTOCOL_1_1));
	if (result == BI_SUCCESS)
		t_str("under the KEK of that network", "city-b", answer.join_ans.nwk_s_key.label);
}

/* As the city's own network server does. */
static void expect_own_join(const char *what, const char *dev_eui, uint16_t dev_nonce, enum bi_result result)
{
	char socket[T_PATH_MAX + 32], text[BI_WRITTEN_MAX], body[BI_WRITTEN_MAX];
	struct bi_message answer = {0};
	struct bi_error error;
	t_row(what);
	snprintf(socket, sizeof socket, "%s/run/join.sock", t_network_dir(network));
	t_ts002_write(text, &(struct t_ts002_request){.type = BI_JOIN_REQ,
						      .sender = "000000",
						      .join_eui = JOIN_EUI,
						      .dev_eui = dev_eui,
						      .transaction = dev_nonce,
						      .app_key = key_of(dev_eui),
						      .dev_nonce = dev_nonce});
	t_int("code", 200, t_unix_post(socket, "/", text, body, sizeof body));
	t_true("an answer", bi_read(body, strlen(body), &answer, &error));
	t_str("result", bi_result_name(result, BI_PROTOCOL_1_0),
	      bi_result_name(answer.envelope.result, BI_PROTOCOL_1_0));
}

static void the_home_that_the_city_says_is_told_to_others(void **state)
{
	(void)state;
	start();
	t_cli_must(network, 0, "device", "add", "70b3d57ed1060001", "--name", "Theirs", "--application",
		   "desk", "--profile", "probe", "--join-eui", JOIN_EUI, "--app-key", KEY_HEAD "01",
		   "--home-net-id", THEIRS);
	snprintf(path, sizeof path, "%s/sensors.csv", t_network_dir(network));
	t_write_file(path, "dev_eui,name,application,profile,join_eui,app_key,home_net_id\n"
			   "70b3d57ed1060002,Ours,desk,probe," JOIN_EUI "," KEY_HEAD "02,\n"
			   "70b3d57ed1060003,Another's,desk,probe," JOIN_EUI "," KEY_HEAD "03,C00001\n");
	t_cli_must(network, 0, "device", "import", path);
	t_network_replicated(network);

	expect_home("registered with theirs", "70b3d57ed1060001", THEIRS);
	expect_home("nothing was said: the city's own", "70b3d57ed1060002", "000000");
	expect_home("imported with a third's", "70b3d57ed1060003", "c00001");
	expect_join("their own joins by them", "70b3d57ed1060001", 1, BI_SUCCESS);
	expect_join("the city's own does not", "70b3d57ed1060002", 1, BI_ACTIVATION_DISALLOWED);
	expect_join("nor a third's", "70b3d57ed1060003", 1, BI_ACTIVATION_DISALLOWED);
	expect_own_join("the city has its own join", "70b3d57ed1060002", 2, BI_SUCCESS);
	expect_own_join("and not theirs", "70b3d57ed1060001", 2, BI_ACTIVATION_DISALLOWED);

	t_row("the command line");
	t_cli_must(network, 0, "device", "show", "70b3d57ed1060001");
	t_true("device show", strstr(t_cli_output(network), "60000d") != NULL);
	t_cli_must(network, 0, "device", "list", "--json");
	t_true("device list --json", strstr(t_cli_output(network), "\"c00001\"") != NULL);
	t_cli_must(network, 0, "why", "device", "70b3d57ed1060001");
	t_true("why", strstr(t_cli_output(network), "home is the network of NetID 60000d") != NULL);
	t_true("and the refusal of our network", strstr(t_cli_output(network), "home") != NULL);

	t_cli_must(network, 0, "device", "update", "70b3d57ed1060002", "--home-net-id", THEIRS);
	t_cli_must(network, 0, "device", "update", "70b3d57ed1060001", "--home-net-id", "");
	t_network_replicated(network);
	expect_home("given away", "70b3d57ed1060002", THEIRS);
	expect_join("and joins there", "70b3d57ed1060002", 5, BI_SUCCESS);
	expect_join("what was taken back does not", "70b3d57ed1060001", 5, BI_ACTIVATION_DISALLOWED);
	expect_own_join("but here", "70b3d57ed1060001", 6, BI_SUCCESS);
	t_network_free(network);
	t_temp_dir_remove(tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(the_home_that_the_city_says_is_told_to_others)};
	return t_run(tests);
}
