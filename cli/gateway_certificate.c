/* The private key is made here and never sent: the server gets a request (PKCS #10) and answers with a certificate. */
#include "cli/gateway_certificate.h"

#include "cli/client.h"
#include "cli/credential_files.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"
#include "common/crypto/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_verb_run(const struct cli_verb *verbs, size_t count, const char *name,
		 const struct cli_arguments *arguments)
{
	char words[200] = "";
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return verbs[i].run(arguments);
		used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", i ? ", " : "",
					 verbs[i].name);
	}
	return cli_problem(CLI_USAGE, name, NULL, "expected one of %s", words);
}

int cli_gateway_target(char *target, const struct cli_arguments *arguments, const char *gateway,
		       const char *tail)
{
	(void)arguments;
	snprintf(target, CLI_TARGET_MAX, "/api/v1/gateways/");
	if (!cli_target_append(target, gateway) || strlen(target) + strlen(tail) >= CLI_TARGET_MAX)
		return cli_problem(CLI_USAGE, gateway, NULL, "too long");
	snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "%s", tail);
	return CLI_DONE;
}

int cli_gateway_call(const struct cli_arguments *arguments, enum io_http_method method, const char *tail,
		     const char *query, const char *value, json_t *body, json_t **answer)
{
	char target[CLI_TARGET_MAX];
	int code = cli_gateway_target(target, arguments, arguments->operands[0], tail);
	if (code == CLI_DONE && query && !cli_target_append_query(target, query, value))
		code = cli_problem(CLI_USAGE, value, NULL, "too long");
	if (code != CLI_DONE)
		return code;
	struct cli_client *client = cli_client_new(arguments);
	code = cli_call(client, arguments->operands[0], method, target, body, answer);
	cli_client_free(client);
	return code;
}

const char *cli_text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static void print_json(const json_t *answer)
{
	json_dumpf(answer, stdout, JSON_COMPACT);
	putchar('\n');
}

/* --- issue and renew ----------------------------------------------------------------------------------------------- */

static int add_days(const struct cli_arguments *arguments, json_t *body)
{
	unsigned long days;
	const char *text = cli_argument(arguments, "days");
	if (!text)
		return CLI_DONE;
	if (!cli_parse_count("--days", text, &days))
		return CLI_USAGE;
	json_object_set_new(body, "days", json_integer((json_int_t)days));
	return CLI_DONE;
}

static int report_issued(const struct cli_arguments *arguments, const json_t *answer, bool by_cups)
{
	if (arguments->json) {
		json_t *said = json_pack("{ss ss sb}", "serial", cli_text_of(answer, "serial"), "until",
					 cli_text_of(answer, "until"), "cups", (int)by_cups);
		print_json(said);
		json_decref(said);
		return CLI_DONE;
	}
	printf("serial  %s\nuntil   %s\n", cli_text_of(answer, "serial"), cli_text_of(answer, "until"));
	if (by_cups)
		puts("The station gets it when it asks for updates next, and every time until it has it.");
	return CLI_DONE;
}

static int write_credential(const struct cli_arguments *arguments, const json_t *answer,
			    const struct x509_key *key)
{
	const char *tc = cli_argument(arguments, "tc-uri"), *cups = cli_argument(arguments, "cups-uri");
	const struct credential credential = {
		.folder = cli_argument(arguments, "output"),
		.der = cli_argument(arguments, "der") != NULL,
		.ca = cli_text_of(answer, "ca"),
		.certificate = cli_text_of(answer, "certificate"),
		.key = key,
		.tc_uri = tc ? tc : cli_text_of(answer, "tc_uri"),
		.cups_uri = cups ? cups : cli_text_of(answer, "cups_uri"),
	};
	return credential_write(&credential);
}

static int issue_here(const struct cli_arguments *arguments, json_t *body)
{
	char csr[X509_PEM_MAX];
	json_t *answer = NULL;
	const char *folder = cli_argument(arguments, "output");
	if (!folder)
		return cli_problem(CLI_USAGE, "--output", "--output DIR, or --cups",
				   "say where the gateway's files are to be written");
	int code = credential_check(folder);
	if (code != CLI_DONE)
		return code;
	struct x509_key *key = x509_key_generate();
	if (!key || !x509_request_write(key, "gateway", csr)) {
		x509_key_free(key);
		return cli_problem(CLI_FAILED, "certificate", NULL, "no key can be made");
	}
	json_object_set_new(body, "csr", json_string(csr));
	code = cli_gateway_call(arguments, IO_HTTP_POST, "/certificates", NULL, NULL, body, &answer);
	if (code == CLI_DONE)
		code = write_credential(arguments, answer, key);
	if (code == CLI_DONE)
		code = report_issued(arguments, answer, false);
	x509_key_free(key);
	json_decref(answer);
	return code;
}

static int issue_by_cups(const struct cli_arguments *arguments, json_t *body)
{
	json_t *answer = NULL;
	json_object_set_new(body, "cups", json_true());
	int code = cli_gateway_call(arguments, IO_HTTP_POST, "/certificates", NULL, NULL, body, &answer);
	if (code == CLI_DONE)
		code = report_issued(arguments, answer, true);
	json_decref(answer);
	return code;
}

static int issue(const struct cli_arguments *arguments, bool renew)
{
	json_t *body = json_pack("{sb}", "renew", (int)renew);
	int code = add_days(arguments, body);
	if (code == CLI_DONE)
		code = cli_argument(arguments, "cups") ? issue_by_cups(arguments, body)
						       : issue_here(arguments, body);
	json_decref(body);
	return code;
}

/* --- the bridge's own ---------------------------------------------------------------------------------------------- */

static int write_server(const struct cli_arguments *arguments, const json_t *answer,
			const struct x509_key *key)
{
	const char *folder = cli_argument(arguments, "output"), *ca = cli_text_of(answer, "ca");
	uint8_t der[X509_KEY_DER_MAX];
	char pem[X509_KEY_PEM_MAX], chain[2 * X509_PEM_MAX];
	size_t length = x509_pem_write(pem, sizeof pem, "EC PRIVATE KEY", der, x509_key_der(key, der));
	snprintf(chain, sizeof chain, "%s%s", cli_text_of(answer, "certificate"), ca);
	int code = credential_file(folder, "gateway-bridge.tls.key", pem, length, 0600);
	secret_wipe(der, sizeof der);
	secret_wipe(pem, sizeof pem);
	if (code == CLI_DONE)
		code = credential_file(folder, "gateway-bridge.ca.crt", ca, strlen(ca), 0644);
	return code == CLI_DONE
		       ? credential_file(folder, "gateway-bridge.tls.crt", chain, strlen(chain), 0644)
		       : code;
}

static json_t *hosts_of(const char *text)
{
	json_t *hosts = json_array();
	while (*text) {
		size_t length = strcspn(text, ",");
		json_array_append_new(hosts, json_stringn(text, length));
		text += length + (text[length] == ',');
	}
	return hosts;
}

static int issue_server(const struct cli_arguments *arguments)
{
	char csr[X509_PEM_MAX];
	json_t *answer = NULL;
	const char *hosts = cli_argument(arguments, "host");
	if (!hosts || !cli_argument(arguments, "output"))
		return cli_problem(CLI_USAGE, "certificate server", "--host NAME,ADDRESS --output DIR",
				   "say the names by which stations reach the bridge, and where to write");
	int code = credential_check_server(cli_argument(arguments, "output"));
	if (code != CLI_DONE)
		return code;
	struct x509_key *key = x509_key_generate();
	json_t *body = json_pack("{so}", "hosts", hosts_of(hosts));
	code = add_days(arguments, body);
	if (code == CLI_DONE && (!key || !x509_request_write(key, "bridge", csr)))
		code = cli_problem(CLI_FAILED, "certificate", NULL, "no key can be made");
	if (code == CLI_DONE) {
		struct cli_client *client = cli_client_new(arguments);
		json_object_set_new(body, "csr", json_string(csr));
		code = cli_call(client, "server", IO_HTTP_POST, "/api/v1/gateway-ca/server", body, &answer);
		cli_client_free(client);
	}
	if (code == CLI_DONE)
		code = write_server(arguments, answer, key);
	if (code == CLI_DONE)
		printf("until   %s\n", cli_text_of(answer, "until"));
	x509_key_free(key);
	json_decref(body);
	json_decref(answer);
	return code;
}

static bool is_server(const struct cli_arguments *arguments)
{
	return strcmp(arguments->operands[0], "server") == 0;
}

static int refuse_server(void)
{
	return cli_problem(CLI_USAGE, "certificate server", "lamppost gateway certificate server issue",
			   "the bridge's own certificate is issued and shown, nothing else");
}

static int run_issue(const struct cli_arguments *arguments)
{
	return is_server(arguments) ? issue_server(arguments) : issue(arguments, false);
}

static int run_renew(const struct cli_arguments *arguments)
{
	return is_server(arguments) ? issue_server(arguments) : issue(arguments, true);
}

/* --- revoke, list, show -------------------------------------------------------------------------------------------- */

static int run_revoke(const struct cli_arguments *arguments)
{
	json_t *answer = NULL;
	const char *serial = cli_argument(arguments, "serial");
	if (is_server(arguments))
		return refuse_server();
	int code = cli_gateway_call(arguments, IO_HTTP_DELETE, "/certificates", serial ? "serial" : NULL,
				    serial, NULL, &answer);
	if (code == CLI_DONE && arguments->json)
		print_json(answer);
	else if (code == CLI_DONE)
		printf("revoked  all that were issued up to %s\n", cli_text_of(answer, "revoked_until"));
	json_decref(answer);
	return code;
}

static void print_certificates(const json_t *answer)
{
	static const char *const titles[] = {"STATE", "UNTIL", "ISSUED", "BY", "HOW", "SERIAL"};
	struct table_text table;
	size_t i;
	const json_t *item;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(json_object_get(answer, "items"), i, item)
	{
		const char *const cells[] = {cli_text_of(item, "state"),  cli_text_of(item, "until"),
					     cli_text_of(item, "issued"), cli_text_of(item, "issued_by"),
					     cli_text_of(item, "how"),    cli_text_of(item, "serial")};
		table_text_add(&table, cells);
		table_text_colour_by_word(&table, 0);
	}
	table_text_print(&table, stdout, 0);
	table_text_release(&table);
}

static int run_list(const struct cli_arguments *arguments)
{
	json_t *answer = NULL;
	if (is_server(arguments))
		return refuse_server();
	int code = cli_gateway_call(arguments, IO_HTTP_GET, "/certificates", NULL, NULL, NULL, &answer);
	if (code == CLI_DONE && arguments->json)
		print_json(answer);
	else if (code == CLI_DONE)
		print_certificates(answer);
	json_decref(answer);
	return code;
}

static void print_identity(const json_t *answer)
{
	const json_t *delivery = json_object_get(answer, "delivery"),
		     *said = json_object_get(answer, "station");
	printf("accepts  certificate %s, token %s\n",
	       json_is_true(json_object_get(answer, "accepts_certificate")) ? "yes" : "no",
	       json_is_true(json_object_get(answer, "accepts_token")) ? "yes" : "no");
	printf("tokens   %d\n", (int)json_integer_value(json_object_get(answer, "tokens")));
	if (delivery)
		printf("on its way by CUPS  a %s, offered %d times\n", cli_text_of(delivery, "what"),
		       (int)json_integer_value(json_object_get(delivery, "offers")));
	if (said)
		printf("station  %s, model %s, package %s, asked for updates %s with its %s\n",
		       cli_text_of(said, "station"), cli_text_of(said, "model"), cli_text_of(said, "package"),
		       cli_text_of(said, "asked"), cli_text_of(said, "presented"));
	else
		puts("station  never asked for updates (CUPS)");
	print_certificates(answer);
}

static int show_server(const struct cli_arguments *arguments)
{
	json_t *answer = NULL;
	struct cli_client *client = cli_client_new(arguments);
	int code = cli_call(client, "server", IO_HTTP_GET, "/api/v1/gateway-ca", NULL, &answer);
	cli_client_free(client);
	const json_t *server = json_object_get(answer, "server");
	if (code == CLI_DONE && arguments->json)
		print_json(answer);
	else if (code == CLI_DONE)
		printf("CA until      %s\nserver until  %s\nserver names  %s\n%s",
		       cli_text_of(answer, "until"), cli_text_of(server, "until"),
		       cli_text_of(server, "hosts"), cli_text_of(answer, "certificate"));
	json_decref(answer);
	return code;
}

static int run_show(const struct cli_arguments *arguments)
{
	json_t *answer = NULL;
	if (is_server(arguments))
		return show_server(arguments);
	int code = cli_gateway_call(arguments, IO_HTTP_GET, "/certificates", NULL, NULL, NULL, &answer);
	if (code == CLI_DONE && arguments->json)
		print_json(answer);
	else if (code == CLI_DONE)
		print_identity(answer);
	json_decref(answer);
	return code;
}

static int run_certificate(const struct cli_arguments *arguments)
{
	static const struct cli_verb verbs[] = {{"issue", run_issue},
						{"renew", run_renew},
						{"revoke", run_revoke},
						{"list", run_list},
						{"show", run_show}};
	return cli_verb_run(verbs, ARRAY_SIZE(verbs), arguments->operands[1], arguments);
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */

static const struct cli_option certificate_options[] = {
	CLI_CREDENTIAL_OPTIONS,
	{"days", "N", "how long it is good for; default: the configuration's"},
	{"serial", "SERIAL", "revoke: this certificate and all before it; default: all"},
	{"host", "NAME,ADDRESS", "server: the names by which stations reach the bridge"},
};
const struct cli_command cli_gateway_certificate_commands[] = {
	{.group = "gateway",
	 .name = "certificate",
	 .summary = "the certificate by which a gateway proves who it is",
	 .description =
		 "issue makes a key on this machine, has the city's CA sign it, and writes tc.* and cups.* "
		 "as "
		 "LoRa Basics Station reads them, ready to be copied. renew does the same once more: the one "
		 "before stays good until its end or until it is revoked. With --cups the key is made by the "
		 "server and handed over when the station asks for updates; that happens by itself in a "
		 "certificate's last third.\n\nrevoke voids all that were issued, or --serial and those "
		 "before "
		 "it; a connection that runs on one ends at once. To be safe from others who use its EUI a "
		 "gateway must not be accepted by UDP: lamppost gateway update EUI --accept-udp false.\n\nIn "
		 "place of a gateway, `server` is the gateway bridge itself, where it runs as another user "
		 "than the application server: issue --host writes its key and certificate.",
	 .operands = "GATEWAY issue|renew|revoke|list|show",
	 .options = certificate_options,
	 .option_count = ARRAY_SIZE(certificate_options),
	 .examples = "lamppost gateway certificate 0016c001ff10a235 issue --output roof-7\n"
		     "lamppost gateway certificate 0016c001ff10a235 renew --cups\n"
		     "lamppost gateway certificate 0016c001ff10a235 revoke\n"
		     "lamppost gateway certificate server issue --host lamppost.example.city --output keys\n",
	 .exits = "4 a file is there already, or there is nothing to revoke\n",
	 .run = run_certificate},
};
const size_t cli_gateway_certificate_command_count = ARRAY_SIZE(cli_gateway_certificate_commands);
