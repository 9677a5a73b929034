#include "cli/client.h"
#include "cli/gateway_certificate.h"
#include "cli/input.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The operand behind the verb; NULL after reporting that it is missing. */
static const char *second(const struct cli_arguments *arguments, const char *what)
{
	if (arguments->operand_count > 1)
		return arguments->operands[1];
	cli_problem(CLI_USAGE, "gateway firmware", NULL, "expected %s", what);
	return NULL;
}

static const char *needed(const struct cli_arguments *arguments, const char *name)
{
	const char *value = cli_argument(arguments, name);
	if (!value)
		cli_problem(CLI_USAGE, name, NULL, "say --%s", name);
	return value;
}

static int call(const struct cli_arguments *arguments, const char *what, enum io_http_method method,
		const char *target, json_t *body, json_t **answer)
{
	struct cli_client *client = cli_client_new(arguments);
	int code = cli_call(client, what, method, target, body, answer);
	cli_client_free(client);
	json_decref(body);
	return code;
}

/* --- key ----------------------------------------------------------------------------------------------------------- */

static int run_key(const struct cli_arguments *arguments)
{
	json_t *answer = NULL;
	size_t length;
	const char *path = second(arguments, "the file of a public key"), *name = needed(arguments, "key");
	if (!path || !name)
		return CLI_USAGE;
	char *pem = cli_read_file(path, &length);
	if (!pem)
		return cli_problem(CLI_FAILED, path, NULL, "cannot be read: %s", strerror(errno));
	int code = call(arguments, name, IO_HTTP_POST, "/api/v1/firmware-keys",
			json_pack("{ss ss}", "name", name, "public_key", pem), &answer);
	free(pem);
	if (code == CLI_DONE && arguments->json)
		json_dumpf(answer, stdout, JSON_COMPACT);
	else if (code == CLI_DONE)
		printf("key %s  stations report it as %lld when these 64 bytes are in their sig-N.key:\n%s\n",
		       name, (long long)json_integer_value(json_object_get(answer, "crc")),
		       cli_text_of(answer, "point"));
	json_decref(answer);
	return code;
}

/* --- add ----------------------------------------------------------------------------------------------------------- */

static json_t *begin_body(const struct cli_arguments *arguments, const char *signature,
			  size_t signature_length, size_t size)
{
	char hex[512] = "";
	if (signature_length < sizeof hex / 2)
		hex_encode(hex, (const uint8_t *)signature, signature_length);
	return json_pack("{ss ss ss ss sI}", "model", cli_argument(arguments, "model"), "version",
			 cli_argument(arguments, "version"), "key", cli_argument(arguments, "key"),
			 "signature", hex, "size", (json_int_t)size);
}

static int send_pieces(struct cli_client *client, const char *what, const char *bytes, size_t size,
		       const json_t *begun, json_t **answer)
{
	size_t piece = (size_t)json_integer_value(json_object_get(begun, "piece"));
	char *hex = piece > 0 ? malloc(2 * piece + 1) : NULL;
	int code = hex ? CLI_DONE : cli_problem(CLI_FAILED, what, NULL, "no memory");
	for (size_t offset = 0; code == CLI_DONE && offset < size; offset += piece) {
		size_t length = size - offset < piece ? size - offset : piece;
		hex_encode(hex, (const uint8_t *)bytes + offset, length);
		json_t *body = json_pack("{sI sI ss}", "upload",
					 json_integer_value(json_object_get(begun, "upload")), "offset",
					 (json_int_t)offset, "hex", hex);
		json_decref(*answer);
		*answer = NULL;
		code = cli_call(client, what, IO_HTTP_POST, "/api/v1/firmware/pieces", body, answer);
		json_decref(body);
	}
	free(hex);
	return code;
}

static int upload(const struct cli_arguments *arguments, const char *path, const char *bytes, size_t size,
		  const char *signature, size_t signature_length)
{
	json_t *begun = NULL, *answer = NULL;
	json_t *body = begin_body(arguments, signature, signature_length, size);
	struct cli_client *client = cli_client_new(arguments);
	int code = cli_call(client, path, IO_HTTP_POST, "/api/v1/firmware", body, &begun);
	if (code == CLI_DONE)
		code = send_pieces(client, path, bytes, size, begun, &answer);
	if (code == CLI_DONE)
		printf("%lld\n", (long long)json_integer_value(json_object_get(answer, "id")));
	cli_client_free(client);
	json_decref(body);
	json_decref(begun);
	json_decref(answer);
	return code;
}

static int run_add(const struct cli_arguments *arguments)
{
	size_t size, signature_length;
	const char *path = second(arguments, "the file of the package"),
		   *signature_path = needed(arguments, "signature");
	if (!path || !signature_path || !needed(arguments, "model") || !needed(arguments, "version") ||
	    !needed(arguments, "key"))
		return CLI_USAGE;
	char *bytes = cli_read_file(path, &size);
	if (!bytes)
		return cli_problem(CLI_FAILED, path, NULL, "cannot be read: %s", strerror(errno));
	char *signature = cli_read_file(signature_path, &signature_length);
	int code = signature ? upload(arguments, path, bytes, size, signature, signature_length)
			     : cli_problem(CLI_FAILED, signature_path, NULL, "cannot be read: %s",
					   strerror(errno));
	free(signature);
	free(bytes);
	return code;
}

/* --- list ---------------------------------------------------------------------------------------------------------- */

static void add_orders(struct table_text *table, const json_t *package)
{
	size_t i;
	const json_t *order;
	json_array_foreach(json_object_get(package, "gateways"), i, order)
	{
		const char *const cells[] = {"", cli_text_of(order, "gateway"),
					     cli_text_of(order, "reported"), cli_text_of(order, "state"),
					     cli_text_of(order, "reason")};
		table_text_add(table, cells);
		table_text_colour_by_word(table, 3);
	}
}

static int run_list(const struct cli_arguments *arguments)
{
	static const char *const titles[] = {"ID", "MODEL, GATEWAY", "VERSION", "STATE", ""};
	json_t *answer = NULL;
	const json_t *item;
	size_t i;
	int code = call(arguments, "firmware", IO_HTTP_GET, "/api/v1/firmware", NULL, &answer);
	if (code == CLI_DONE && arguments->json)
		json_dumpf(answer, stdout, JSON_COMPACT);
	if (code == CLI_DONE && !arguments->json) {
		struct table_text table;
		table_text_init(&table, ARRAY_SIZE(titles), titles);
		json_array_foreach(json_object_get(answer, "items"), i, item)
		{
			char id[24], about[160];
			snprintf(id, sizeof id, "%lld",
				 (long long)json_integer_value(json_object_get(item, "id")));
			snprintf(about, sizeof about, "%lld bytes, signed with %s",
				 (long long)json_integer_value(json_object_get(item, "size")),
				 cli_text_of(item, "key"));
			const char *const cells[] = {id, cli_text_of(item, "model"),
						     cli_text_of(item, "version"), "", about};
			table_text_add(&table, cells);
			add_orders(&table, item);
		}
		table_text_print(&table, stdout, 0);
		table_text_release(&table);
	}
	json_decref(answer);
	return code;
}

/* --- assign and cancel --------------------------------------------------------------------------------------------- */

static int run_assign(const struct cli_arguments *arguments)
{
	json_t *answer = NULL;
	char target[CLI_TARGET_MAX] = "/api/v1/firmware/";
	const char *id = second(arguments, "the number of a package"),
		   *gateway = cli_argument(arguments, "gateway");
	bool all = cli_argument(arguments, "all-of-model") != NULL;
	if (!id)
		return CLI_USAGE;
	if (all == (gateway != NULL))
		return cli_problem(CLI_USAGE, "gateway firmware assign", "--gateway EUI, or --all-of-model",
				   "say who is to get it");
	if (!cli_target_append(target, id) || strlen(target) + 8 > sizeof target)
		return cli_problem(CLI_USAGE, id, NULL, "too long");
	snprintf(target + strlen(target), sizeof target - strlen(target), "/orders");
	int code = call(arguments, id, IO_HTTP_POST, target,
			all ? json_pack("{sb}", "all_of_model", 1) : json_pack("{ss}", "gateway", gateway),
			&answer);
	if (code == CLI_DONE)
		printf("ordered  %lld\n", (long long)json_integer_value(json_object_get(answer, "ordered")));
	json_decref(answer);
	return code;
}

static int run_cancel(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX];
	json_t *answer = NULL;
	const char *gateway = second(arguments, "a gateway");
	int code = gateway ? cli_gateway_target(target, arguments, gateway, "/firmware") : CLI_USAGE;
	if (code == CLI_DONE)
		code = call(arguments, gateway, IO_HTTP_DELETE, target, NULL, &answer);
	json_decref(answer);
	return code;
}

static int run(const struct cli_arguments *arguments)
{
	static const struct cli_verb verbs[] = {{"add", run_add},
						{"assign", run_assign},
						{"cancel", run_cancel},
						{"key", run_key},
						{"list", run_list}};
	return cli_verb_run(verbs, ARRAY_SIZE(verbs), arguments->operands[0], arguments);
}

static const struct cli_option options[] = {
	{"model", "MODEL", "add: the model that stations report"},
	{"version", "VERSION", "add: the version that stations report as their package when they have it"},
	{"signature", "FILE", "add: ECDSA signature on P-256 over the SHA-512 of the file, DER"},
	{"key", "NAME", "key, add: the name of the public key that the signature is of"},
	{"gateway", "GATEWAY", "assign: this one"},
	{"all-of-model", NULL, "assign: all gateways whose station reported the package's model"},
};

const struct cli_command cli_gateway_firmware_commands[] = {
	{.group = "gateway",
	 .name = "firmware",
	 .summary = "signed firmware for stations, handed over by CUPS",
	 .description =
		 "key FILE gives a public key a name (PEM). add FILE stores a package whose signature that "
		 "key "
		 "verifies. assign ID orders it for a gateway, or for all of its model; a station gets it "
		 "when "
		 "it asks for updates next, if its model is that and it has the key. list shows how far each "
		 "has come: ordered, offered, delivered, and done when the station reports the version. "
		 "cancel "
		 "GATEWAY takes an order back.",
	 .operands = "add|assign|cancel|key|list [FILE]",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost gateway firmware key vendor.pub.pem --key vendor\n"
		     "lamppost gateway firmware add update.bin --model corecell --version 2.1.0 --key vendor "
		     "--signature update.sig\n"
		     "lamppost gateway firmware assign 1 --all-of-model\n",
	 .exits = "4 the signature is not the key's, or the version is there already\n",
	 .run = run},
};
const size_t cli_gateway_firmware_command_count = ARRAY_SIZE(cli_gateway_firmware_commands);
