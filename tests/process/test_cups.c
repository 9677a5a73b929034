/* CUPS over real TLS against the whole network: who is let in and who is not, what a station gets, and what it gets while the
 * application server does not answer. And a gateway that must come by certificate, on UDP. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"
#include "tests/harness/process.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EUI    "0016c001ff10a235"
#define OTHERS "0016c001ff10a236"
#define EMPTY  14 /* bytes of an answer with nothing in it */

static struct t_network *network;
static uint16_t cups_port;
static char answer[1 << 20]; /* of the last question */
static size_t answer_length;
static char question[600];

/* --- a station's side ---------------------------------------------------------------------------------------------- */

static const char *path_of(const char *name)
{
	static char paths[4][T_PATH_MAX];
	static int next;
	char *path = paths[next++ % 4];
	snprintf(path, T_PATH_MAX, "%s/%s", t_network_dir(network), name);
	return path;
}

static int dial(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(cups_port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The body behind the head of what was read; returns its status. */
static int take_body(char *text, size_t length)
{
	char *body = memmem(text, length, "\r\n\r\n", 4);
	int status = 0;
	answer_length = 0;
	if (!body || sscanf(text, "HTTP/1.1 %3d", &status) != 1)
		return 0;
	body += 4;
	answer_length = length - (size_t)(body - text);
	memmove(answer, body, answer_length);
	return status;
}

static int exchange(SSL *ssl, const char *request)
{
	static char text[sizeof answer];
	size_t used = 0;
	int count;
	if (SSL_connect(ssl) != 1 || SSL_write(ssl, request, (int)strlen(request)) <= 0)
		return 0;
	while (used < sizeof text && (count = SSL_read(ssl, text + used, (int)(sizeof text - used))) > 0)
		used += (size_t)count;
	return take_body(text, used);
}

/* Asks with the certificate in DIR/`set` (NULL: none) and a header line (NULL: none); returns the status, 0: no answer. The server
 * must prove itself to `trust` (NULL: to anybody). TLS 1.2, as stations speak it. */
static int ask_with(const char *set, const char *trust, const char *header)
{
	char request[2000], file[T_PATH_MAX];
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	if (set) {
		snprintf(file, sizeof file, "%s/cups.crt", path_of(set));
		assert_int_equal(1, SSL_CTX_use_certificate_file(context, file, SSL_FILETYPE_PEM));
		snprintf(file, sizeof file, "%s/cups.key", path_of(set));
		assert_int_equal(1, SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM));
	}
	if (trust) {
		snprintf(file, sizeof file, "%s/cups.trust", path_of(trust));
		assert_int_equal(1, SSL_CTX_load_verify_locations(context, file, NULL));
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	}
	snprintf(request, sizeof request,
		 "POST /update-info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
		 "application/json\r\nContent-Length: %zu  \r\n%s%s\r\n%s",
		 strlen(question), header ? header : "", header ? "\r\n" : "", question);
	int fd = dial();
	SSL *ssl = SSL_new(context);
	SSL_set_fd(ssl, fd);
	if (trust)
		SSL_set1_host(ssl, "localhost");
	int status = fd >= 0 ? exchange(ssl, request) : 0;
	SSL_free(ssl);
	SSL_CTX_free(context);
	if (fd >= 0)
		close(fd);
	return status;
}

static void ask_as(const char *eui, const char *package, uint32_t crc, uint32_t key)
{
	snprintf(question, sizeof question,
		 "{\"router\":\"%.4s:%.4s:%.4s:%.4s\",\"cupsUri\":null,\"tcUri\":\"wss://here:3001\","
		 "\"cupsCredCrc\":%u,\"tcCredCrc\":%u,\"station\":\"2.0.6(linux/std)\",\"model\":\"linux\","
		 "\"package\":\"%s\",\"keys\":[%u]}",
		 eui, eui + 4, eui + 8, eui + 12, crc, crc, package, key);
}

struct expected {
	const char *set, *trust, *header;
	int status;
	size_t length;
};

static bool is_answered(void *ctx)
{
	const struct expected *expected = ctx;
	return ask_with(expected->set, expected->trust, expected->header) == expected->status &&
	       (expected->length == 0 || answer_length == expected->length);
}

/* Lists are pushed; a change is there soon. */
static bool answered(const char *set, const char *header, int status, size_t length)
{
	struct expected expected = {set, NULL, header, status, length};
	return t_wait_until(is_answered, &expected, T_CEILING);
}

static bool run(const char *command)
{
	return system(command) == 0; /* NOLINT(cert-env33-c) */
}

/* --- the network --------------------------------------------------------------------------------------------------- */

static void forge(const char *set, const char *how)
{
	char command[2000];
	snprintf(command, sizeof command, "mkdir -p %s && cd %s && %s 2>/dev/null", path_of(set),
		 path_of(set), how);
	t_true(set, run(command));
}

static int open_network(void **state)
{
	int failed = t_setup(state);
	network = t_network_start("");
	cups_port = t_network_cups_port(network);
	t_cli_must(network, 0, "gateway", "add", EUI, "--name", "roof", "--region", "eu868", "--accept-token",
		   "false");
	t_cli_must(network, 0, "gateway", "add", OTHERS, "--name", "mast", "--region", "eu868");
	t_cli_must(network, 0, "gateway", "certificate", EUI, "issue", "--output", path_of("own"));
	t_cli_must(network, 0, "gateway", "certificate", OTHERS, "issue", "--output", path_of("others"));
	ask_as(EUI, "1.0", 1, 0);
	t_true("let in", answered("own", NULL, 200, EMPTY));
	return failed;
}

static int close_network(void **state)
{
	t_network_free(network);
	return t_teardown(state);
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */

static void only_the_gateway_itself_is_let_in(void **state)
{
	(void)state;
	forge("self", "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout cups.key "
		      "-out cups.crt -days 2 -subj /CN=" EUI);
	forge("elsewhere", "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
			   "ca.key -out ca.crt "
			   "-days 2 -subj '/CN=Lamppost gateway CA' && openssl req -newkey ec -pkeyopt "
			   "ec_paramgen_curve:P-256 -nodes -keyout cups.key -out cups.csr -subj /CN=" EUI
			   " && openssl x509 -req -in cups.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out "
			   "cups.crt -days 2");
	t_true("its certificate", answered("own", NULL, 200, EMPTY));
	t_int("over a server that proves itself", 200, ask_with("own", "own", NULL));
	t_int("nothing", 401, ask_with(NULL, "own", NULL));
	t_uint("and nothing is said", 0, answer_length);
	t_int("another gateway's", 401, ask_with("others", "own", NULL));
	t_int("self-signed with its name", 401, ask_with("self", "own", NULL));
	t_int("another city's with its name", 401, ask_with("elsewhere", "own", NULL));
	t_uint("and nothing is said", 0, answer_length);
	t_int("a token", 401, ask_with(NULL, "own", "Authorization: Bearer abc"));
	ask_as("0016c001ff10a2ff", "1.0", 1, 0);
	t_int("a gateway that is not registered", 401, ask_with("own", "own", NULL));
	snprintf(question, sizeof question, "{\"router\":");
	t_int("no question", 400, ask_with("own", "own", NULL));
}

static void a_token_is_a_way_in_where_it_is_accepted(void **state)
{
	(void)state;
	char header[128];
	t_cli_must(network, 0, "gateway", "token", OTHERS, "issue");
	const char *said = strstr(t_cli_output(network), "shown\n"); /* the note comes first, unbuffered */
	snprintf(header, sizeof header, "Authorization: Bearer %.43s",
		 said ? said + 6 : t_cli_output(network));
	ask_as(OTHERS, "1.0", 1, 0);
	t_true("its token", answered(NULL, header, 200, EMPTY));
	header[strlen(header) - 1] ^= 1;
	t_int("another", 401, ask_with(NULL, "own", header));
	header[strlen(header) - 1] ^= 1;
	t_cli_must(network, 0, "gateway", "token", OTHERS, "revoke");
	t_true("revoked", answered(NULL, header, 401, 0));
}

static void a_known_station_gets_200_while_nothing_of_ours_answers(void **state)
{
	(void)state;
	t_true("well", answered("own", NULL, 200, EMPTY));
	t_cli_must(network, 0, "gateway", "update", EUI, "--tc-uri", "wss://there:3001");
	t_true("sent elsewhere", answered("own", NULL, 200, EMPTY + 16));
	int pid = t_network_pid(network, T_APPLICATION_SERVER);
	int network_pid = t_network_pid(network, T_NETWORK_SERVER);
	kill(pid, SIGSTOP);
	kill(network_pid, SIGSTOP);
	t_int("stopped", 200, ask_with("own", "own", NULL));
	t_uint("nothing changes", EMPTY, answer_length);
	t_int("nobody gets in meanwhile", 401, ask_with("others", "own", NULL));
	kill(network_pid, SIGCONT);
	kill(pid, SIGCONT);
	t_true("and again", answered("own", NULL, 200, EMPTY + 16));
}

/* Writes the bundle of the answer's CUPS credentials as a set of its own. */
static size_t take_credentials(const char *set)
{
	const unsigned char *bytes = (const unsigned char *)answer;
	char command[1200];
	size_t length = (size_t)(bytes[2] | bytes[3] << 8);
	FILE *file;
	snprintf(command, sizeof command, "mkdir -p %s", path_of(set));
	if (bytes[0] || bytes[1] || length < 500 || !run(command))
		return 0;
	snprintf(command, sizeof command, "%s/bundle", path_of(set));
	file = fopen(command, "we");
	assert_non_null(file);
	fwrite(bytes + 4, 1, length, file);
	fclose(file);
	size_t trust = (size_t)(bytes[6] << 8 | bytes[7]) + 4;
	size_t certificate = (size_t)(bytes[4 + trust + 2] << 8 | bytes[4 + trust + 3]) + 4;
	snprintf(
		command, sizeof command,
		"cd %s && tail -c +%zu bundle | head -c %zu | openssl x509 -inform DER -out cups.crt && tail "
		"-c +%zu bundle | openssl ec -inform DER -out cups.key 2>/dev/null",
		path_of(set), trust + 1, certificate, trust + certificate + 1);
	return run(command) ? length : 0;
}

static void credentials_are_replaced_and_revoked(void **state)
{
	(void)state;
	t_true("well", answered("own", NULL, 200, EMPTY));
	t_cli_must(network, 0, "gateway", "certificate", EUI, "renew", "--cups");
	t_int("asked", 200, ask_with("own", "own", NULL));
	size_t length = take_credentials("fresh");
	t_true("given", length > 0);
	t_uint("for both", EMPTY + 2 * length, answer_length);
	t_int("the new one counts", 200, ask_with("fresh", "own", NULL));
	t_uint("the same again", EMPTY + 2 * length, answer_length);
	t_cli_must(network, 0, "gateway", "certificate", EUI, "revoke");
	t_true("revoked", answered("own", NULL, 401, 0));
	t_int("both", 401, ask_with("fresh", "own", NULL));
	t_cli_must(network, 0, "audit", "list", "--subject", EUI);
	t_true("in the audit", strstr(t_cli_output(network), "certificate_revoke") != NULL);
}

static uint32_t key_crc(void)
{
	const char *at = strstr(t_cli_output(network), "report it as ");
	return at ? (uint32_t)strtoul(at + 13, NULL, 10) : 0;
}

static void firmware_is_streamed_and_its_outcome_seen(void **state)
{
	(void)state;
	char image[T_PATH_MAX], digest[T_PATH_MAX], command[1200];
	snprintf(image, sizeof image, "%s", path_of("image"));
	snprintf(digest, sizeof digest, "%s", path_of("image.sig"));
	snprintf(
		command, sizeof command,
		"cd %s && openssl ecparam -name prime256v1 -genkey -noout -out v.key && openssl ec -in v.key "
		"-pubout -out v.pub 2>/dev/null && head -c 900000 /dev/urandom >image && openssl dgst "
		"-sha512 "
		"-sign v.key -out image.sig image",
		t_network_dir(network));
	t_true("made", run(command));
	t_cli_must(network, 0, "gateway", "firmware", "key", path_of("v.pub"), "--key", "vendor");
	uint32_t crc = key_crc();
	t_cli_must(network, 4, "gateway", "firmware", "add", path_of("v.pub"), "--model", "linux",
		   "--version", "2.0", "--key", "vendor", "--signature", digest);
	t_cli_must(network, 0, "gateway", "firmware", "add", image, "--model", "linux", "--version", "2.0",
		   "--key", "vendor", "--signature", digest);
	t_cli_must(network, 0, "gateway", "firmware", "assign", "1", "--gateway", EUI);
	ask_as(EUI, "1.0", 1, crc);
	t_int("asked", 200, ask_with("own", "own", NULL));
	t_true("all of it", answer_length > 900000 + EMPTY);
	FILE *file = fopen(image, "re");
	static char expected[900000];
	assert_non_null(file);
	t_uint("read", sizeof expected, fread(expected, 1, sizeof expected, file));
	fclose(file);
	t_true("as it was", memcmp(expected, answer + answer_length - sizeof expected, sizeof expected) == 0);
	ask_as(EUI, "2.0", 1, crc);
	t_true("installed", answered("own", NULL, 200, EMPTY));
	t_cli_must(network, 0, "gateway", "firmware", "list");
	t_true("done", strstr(t_cli_output(network), "done") != NULL);
}

/* --- the bridge's own certificate ---------------------------------------------------------------------------------- */

static bool names_its_hosts(void *ctx)
{
	(void)ctx;
	char command[600];
	snprintf(command, sizeof command,
		 "openssl x509 -in %s/keys/gateway-bridge.tls.crt -noout -ext subjectAltName 2>/dev/null | "
		 "grep -q "
		 "lns.example.city",
		 t_network_state(network));
	return run(command);
}

static void its_names_follow_the_configuration(void **state)
{
	(void)state;
	char command[600];
	t_row("one more for a folder elsewhere");
	t_cli_must(network, 0, "gateway", "certificate", "server", "issue", "--host", "elsewhere.example",
		   "--output", path_of("server"));
	t_row("where there is one");
	t_cli_must(network, 4, "gateway", "certificate", "server", "issue", "--host", "again.example",
		   "--output", path_of("server"));
	t_cli_must(network, 0, "audit", "list", "--json");
	t_true("none was issued", strstr(t_cli_output(network), "again.example") == NULL);
	t_row("the bridge's own goes on being looked after");
	snprintf(command, sizeof command,
		 "sed -i 's/^application-server:/&\\n  certificates.server_hosts: [\"localhost\", "
		 "\"lns.example.city\"]/' %s",
		 path_of("lamppost.yaml"));
	t_true("changed", run(command));
	t_network_hangup(network);
	t_true("made anew", t_wait_until(names_its_hosts, NULL, T_CEILING));
	t_true("served on", answered("own", NULL, 200, EMPTY));
}

/* --- secrets ------------------------------------------------------------------------------------------------------- */

/* Private keys and tokens are where they were put, for their owner alone, and nowhere else: in no log, no database and no metric. */
static void secrets_stay_where_they_were_put(void **state)
{
	(void)state;
	char command[4 * T_PATH_MAX], body[1 << 16], token[64] = "";
	const char *found;
	t_cli_must(network, 0, "gateway", "token", OTHERS, "issue", "--json");
	found = strstr(t_cli_output(network), "\"token\":\"");
	assert_non_null(found);
	assert_int_equal(1, sscanf(found, "\"token\":\"%63[^\"]", token));
	ask_as(OTHERS, "1.0", 1, 0);
	snprintf(body, sizeof body, "Authorization: Bearer %s", token);
	t_true("it is a way in", answered(NULL, body, 200, EMPTY));
	snprintf(body, sizeof body, "Authorization: Bearer %sx", token);
	t_int("a wrong one", 401, ask_with(NULL, NULL, body));
	t_row("files for their owner alone");
	snprintf(command, sizeof command, "test -z \"$(find %s %s/keys -name '*.key' -perm /077)\"",
		 path_of("own"), t_network_state(network));
	t_true("keys", run(command));
	t_row("nowhere else");
	snprintf(command, sizeof command,
		 "cd %s && { sed -n 2,3p own/tc.key; sed -n 2,3p state/keys/gateway-bridge.tls.key; echo "
		 "'%s'; } "
		 ">patterns && test $(wc -l <patterns) -eq 5 && ! grep -raqF -f patterns --exclude=patterns "
		 "--exclude=command.log "
		 "--exclude='*.key' --exclude-dir=config .",
		 t_network_dir(network), token);
	t_true("in files", run(command));
	for (int i = 0; i < T_ROLE_COUNT; i++) {
		t_unix_get(t_network_admin(network, (enum t_role)i), "/metrics", body, sizeof body);
		t_true("metrics", strstr(body, token) == NULL);
	}
	t_cli_must(network, 0, "audit", "list", "--json");
	t_true("audit", strstr(t_cli_output(network), token) == NULL);
	t_cli_must(network, 0, "gateway", "certificate", OTHERS, "show", "--json");
	t_true("what is shown later", strstr(t_cli_output(network), token) == NULL &&
					      strstr(t_cli_output(network), "token_hash") == NULL);
}

/* --- UDP ----------------------------------------------------------------------------------------------------------- */

static int udp;

static bool was_refused(void *ctx)
{
	static const uint8_t pull_data[] = {2, 1, 2, 2, 0x00, 0x16, 0xc0, 0x01, 0xff, 0x10, 0xa2, 0x35};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(t_network_port(network))};
	(void)ctx;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sendto(udp, pull_data, sizeof pull_data, 0, (struct sockaddr *)&address, sizeof address);
	return t_metric(t_network_admin(network, T_GATEWAY_BRIDGE),
			"lamppost_bridge_verdicts_total{verdict=\"udp_not_allowed\"}") >= 3;
}

static void one_that_must_come_by_certificate_is_refused_on_udp(void **state)
{
	(void)state;
	uint8_t bytes[64];
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	t_cli_must(network, 0, "gateway", "update", EUI, "--accept-udp", "false");
	/* From when the list is there, nothing of it is acknowledged. */
	t_true("refused", t_wait_until(was_refused, NULL, T_CEILING));
	while (recv(udp, bytes, sizeof bytes, 0) > 0)
		;
	double before = t_metric(t_network_admin(network, T_GATEWAY_BRIDGE),
				 "lamppost_bridge_verdicts_total{verdict=\"udp_not_allowed\"}");
	was_refused(NULL);
	was_refused(NULL);
	t_true("counted", t_metric(t_network_admin(network, T_GATEWAY_BRIDGE),
				   "lamppost_bridge_verdicts_total{verdict=\"udp_not_allowed\"}") >= before);
	t_int("no answer", -1, recv(udp, bytes, sizeof bytes, 0));
	t_int("by its certificate it is", 200, ask_with("own", "own", NULL));
	close(udp);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_network, close_network)
	const struct CMUnitTest tests[] = {
		TEST(only_the_gateway_itself_is_let_in),
		TEST(a_token_is_a_way_in_where_it_is_accepted),
		TEST(a_known_station_gets_200_while_nothing_of_ours_answers),
		TEST(credentials_are_replaced_and_revoked),
		TEST(firmware_is_streamed_and_its_outcome_seen),
		TEST(its_names_follow_the_configuration),
		TEST(secrets_stay_where_they_were_put),
		TEST(one_that_must_come_by_certificate_is_refused_on_udp),
	};
	return t_run(tests);
}
