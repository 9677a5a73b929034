/* A simulated station's way through CUPS against the whole network, over real TLS: it is sent to another LNS and connects there,
 * takes over new credentials and firmware, and what it has is not delivered again, since what it reports of itself has
 * changed. By certificate, by token, and when it is let in no more. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"
#include "tests/harness/process.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOF "0016c001ff10a235"
#define MAST "0016c001ff10a236"

static struct t_network *network;

/* --- what it says of itself ---------------------------------------------------------------------------------------- */

static struct asked {
	const char *eui, *home;
	int wanted;
	int code;
	json_t *said;
} asked;

static int ask(const char *eui, const char *home)
{
	static char text[65536];
	struct t_process *process = t_network_program(
		network, "lamppost-sim", "cups",
		(const char *const[]){"cups", eui, "--home", home, "--json", NULL});
	asked.code = t_process_wait(process);
	t_process_log(process, text, sizeof text);
	t_process_free(process);
	json_decref(asked.said);
	const char *at = strchr(text, '{');
	asked.said = at ? json_loads(at, JSON_DISABLE_EOF_CHECK, NULL) : json_object();
	return asked.code;
}

static bool is_asked(void *ctx)
{
	(void)ctx;
	return ask(asked.eui, asked.home) == asked.wanted;
}

/* Lists and revocations are pushed; they are there soon. */
static bool comes_to(const char *eui, const char *home, int code)
{
	asked.eui = eui;
	asked.home = home;
	asked.wanted = code;
	return t_wait_until(is_asked, NULL, T_CEILING);
}

static const char *word(const char *member)
{
	const char *value = json_string_value(json_object_get(asked.said, member));
	return value ? value : "";
}

static long long number(const char *member)
{
	return json_integer_value(json_object_get(asked.said, member));
}

static bool truth(const char *member)
{
	return json_is_true(json_object_get(asked.said, member));
}

/* In the network's directory. */
static bool run(const char *words)
{
	char command[1200];
	snprintf(command, sizeof command, "cd %s && %s", t_network_dir(network), words);
	return system(command) == 0; /* NOLINT(cert-env33-c) */
}

/* --- the network --------------------------------------------------------------------------------------------------- */

static char lns[64], cups[64];

static int open_network(void **state)
{
	int failed = t_setup(state);
	network = t_network_start_for_gateways("");
	snprintf(lns, sizeof lns, "wss://localhost:%u", t_network_station_port(network));
	snprintf(cups, sizeof cups, "https://localhost:%u", t_network_cups_port(network));
	return failed;
}

static int close_network(void **state)
{
	json_decref(asked.said);
	asked.said = NULL;
	t_network_free(network);
	return t_teardown(state);
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */

static void a_station_with_a_certificate(void)
{
	t_cli_must(network, 0, "gateway", "add", ROOF, "--name", "Roof", "--region", "eu868", "--accept-udp",
		   "false", "--accept-token", "false", "--tc-uri", lns);
	t_cli_must(network, 0, "gateway", "certificate", ROOF, "issue", "--output", "roof", "--tc-uri",
		   "wss://localhost:1", "--cups-uri", cups);
	t_row("sent to another LNS");
	t_true("answered, and connected", comes_to(ROOF, "roof", 0));
	t_str("result", "changed", word("result"));
	t_true("another LNS", truth("new_tc_uri"));
	t_str("which", lns, word("tc_uri"));
	t_str("there", "running", word("station"));
	t_row("once there, nothing changes");
	t_int("answered, and connected", 0, ask(ROOF, "roof"));
	t_str("result", "unchanged", word("result"));
	t_str("there", "running", word("station"));
}

static void credentials_are_rotated(void)
{
	long long before = number("tc_crc");
	t_true("what it has is kept", run("cp -r roof roof-old"));
	t_cli_must(network, 0, "gateway", "certificate", ROOF, "renew", "--cups");
	t_row("a new certificate");
	t_int("answered, and connected with it", 0, ask(ROOF, "roof"));
	t_true("for CUPS", truth("new_cups_credentials"));
	t_true("for the LNS", truth("new_tc_credentials"));
	t_str("there", "running", word("station"));
	long long after = number("tc_crc");
	t_true("another checksum", after != before);
	t_int("the same for both", after, number("cups_crc"));
	t_row("one that does not report it gets it again");
	t_true("what it had", run("cp -r roof-old roof-lost"));
	t_int("answered, and connected", 0, ask(ROOF, "roof-lost"));
	t_true("given", truth("new_tc_credentials"));
	t_int("byte for byte", after, number("tc_crc"));
	t_row("the new checksum ends it");
	t_int("answered", 0, ask(ROOF, "roof"));
	t_str("result", "unchanged", word("result"));
	t_int("kept", after, number("tc_crc"));
	t_row("for the old one, too");
	t_int("answered", 0, ask(ROOF, "roof-old"));
	t_str("result", "unchanged", word("result"));
	t_int("its own", before, number("tc_crc"));
}

static bool a_ping_comes_back(void *ctx)
{
	(void)ctx;
	return t_cli(network, "gateway", "ping", ROOF) == 0;
}

static void it_is_pinged(void)
{
	char scenario[4096], answer[2048], city[T_PATH_MAX];
	snprintf(scenario, sizeof scenario, "%s/roof.yaml", t_network_dir(network));
	t_true("its files as people read them, for the run",
	       t_cli_must(network, 0, "gateway", "certificate", ROOF, "issue", "--output", "roof-pem"));
	t_write_file(scenario,
		     "seed: 1\nregion: eu868\narea_m: 100\nduration_s: 300\ngateways:\n  - {eui: " ROOF
		     ", x: 0, y: 0, protocol: basics_station, tls: {trust: roof-pem/tc.trust, certificate: "
		     "roof-pem/tc.crt, key: roof-pem/tc.key}}\ndevices: []\n");
	struct t_process *station = t_network_program(
		network, "lamppost-sim", "station",
		(const char *const[]){"run", scenario, "--lns", lns, "--quiet", NULL});
	t_row("a ping of a station: there and back through its connection");
	t_true("answered", t_wait_until(a_ping_comes_back, NULL, T_CEILING));
	t_true("by a ping", strstr(t_cli_output(network), " ms") != NULL);
	snprintf(city, sizeof city, "%s/run/city.sock", t_network_dir(network));
	t_int("by the API", 200,
	      t_unix_post(city, "/api/v1/gateways/" ROOF "/ping", "", answer, sizeof answer));
	t_true("how", strstr(answer, "websocket_ping") != NULL);
	t_row("and when it has gone");
	t_process_kill(station);
	t_process_free(station);
	t_int("refused", 1, t_cli(network, "gateway", "ping", ROOF) != 0);
}

static void firmware_is_installed_once(void)
{
	t_true("made",
	       run("openssl ecparam -name prime256v1 -genkey -noout -out v.key && openssl ec -in v.key "
		   "-pubout -out v.pub 2>/dev/null && openssl ec -in v.key -pubout -outform DER 2>/dev/null "
		   "| tail -c 64 >roof/sig-0.key && { echo 'version 2.0.6-7'; head -c 300000 /dev/urandom; } "
		   ">image && openssl dgst -sha512 -sign v.key -out image.sig image"));
	t_cli_must(network, 0, "gateway", "firmware", "key", "v.pub", "--key", "vendor");
	t_cli_must(network, 0, "gateway", "firmware", "add", "image", "--model", "simulated", "--version",
		   "2.0.6-7", "--key", "vendor", "--signature", "image.sig");
	t_cli_must(network, 0, "gateway", "firmware", "assign", "1", "--gateway", ROOF);
	t_row("firmware");
	t_int("answered, and connected", 0, ask(ROOF, "roof"));
	t_int("all of it", 300016, number("firmware_bytes"));
	t_str("installed", "2.0.6-7", word("package"));
	t_true("as it was", run("cmp -s image roof/update.bin"));
	t_row("what it reports now ends it");
	t_int("answered", 0, ask(ROOF, "roof"));
	t_int("none", 0, number("firmware_bytes"));
	t_str("result", "unchanged", word("result"));
	t_cli_must(network, 0, "gateway", "firmware", "list");
	t_true("done", strstr(t_cli_output(network), "done") != NULL);
	t_row("signed by another key than the station keeps");
	t_true("another", run("head -c 64 /dev/urandom >roof/sig-0.key && rm roof/version.txt"));
	t_cli_must(network, 0, "gateway", "firmware", "assign", "1", "--gateway", ROOF);
	t_int("answered", 0, ask(ROOF, "roof"));
	t_int("none", 0, number("firmware_bytes"));
	t_cli_must(network, 0, "gateway", "firmware", "list");
	t_true("refused", strstr(t_cli_output(network), "does not have the key") != NULL);
}

static void it_is_let_in_no_more(void)
{
	t_row("revoked");
	t_cli_must(network, 0, "gateway", "certificate", ROOF, "revoke");
	t_true("refused", comes_to(ROOF, "roof", 4));
	t_str("result", "refused", word("result"));
	t_int("by HTTP 401", 401, number("code"));
	t_str("it goes nowhere", "resting", word("station"));
	t_row("nobody is there");
	t_true("elsewhere", run("echo https://localhost:1 >roof/cups.uri; rm -f roof/cups-bak.*"));
	t_int("not reached", 5, ask(ROOF, "roof"));
	t_row("a server of another city");
	t_true("another's trust", run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
				      "-keyout other.key -out roof/cups.trust -days 2 -subj /CN=elsewhere "
				      "2>/dev/null && cp roof-old/cups.uri roof/cups.uri"));
	t_int("it does not ask", 5, ask(ROOF, "roof"));
}

static void a_certificate_leads_through(void **state)
{
	(void)state;
	a_station_with_a_certificate();
	credentials_are_rotated();
	it_is_pinged();
	firmware_is_installed_once();
	it_is_let_in_no_more();
}

static void a_token_leads_through(void **state)
{
	(void)state;
	t_cli_must(network, 0, "gateway", "add", MAST, "--name", "Mast", "--region", "eu868", "--accept-udp",
		   "false", "--accept-certificate", "false", "--accept-token", "true");
	t_cli_must(network, 0, "gateway", "token", MAST, "issue", "--output", "mast", "--tc-uri", lns,
		   "--cups-uri", cups);
	t_row("its token");
	t_true("answered, and connected", comes_to(MAST, "mast", 0));
	t_str("there", "running", word("station"));
	t_true("what it has is kept", run("cp -r mast mast-old"));
	t_row("another");
	t_cli_must(network, 0, "gateway", "token", MAST, "rotate", "--cups");
	t_true("answered, and connected with it", comes_to(MAST, "mast", 0));
	t_true("given", truth("new_tc_credentials"));
	t_str("there", "running", word("station"));
	t_row("the new checksum ends it");
	t_int("answered", 0, ask(MAST, "mast"));
	t_str("result", "unchanged", word("result"));
	t_row("and the older one");
	t_true("refused", comes_to(MAST, "mast-old", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_certificate_leads_through, open_network, close_network),
		cmocka_unit_test_setup_teardown(a_token_leads_through, open_network, close_network),
	};
	return t_run(tests);
}
