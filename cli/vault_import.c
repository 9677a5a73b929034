/* `lamppost vault import`: the nonces of an export, into the join server of this machine. Pages are opened here with the secret key and sealed
 * anew to the join server's box; one that was exported to that box itself goes on as it is. */
#include "cli/vault.h"

#include "cli/arguments.h"
#include "cli/problem.h"
#include "cli/vault_file.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <stdio.h>
#include <string.h>

static const char *word(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* What the reasons of the join server mean, and what to do. */
static const struct {
	const char *name, *sentence;
} reasons[] = {
	{"no_key", "the export has not the key that its version joins with"},
	{"malformed", "its version or nonces cannot be"},
	{"another_key",
	 "it is registered here with another root key: register it with the exported one first"},
	{"nonces_of_another_key", "not registered here, but it joined here with another root key: register "
				  "it with the exported one first"},
};

static void print_refused(const json_t *refused)
{
	size_t i;
	json_t *row;
	json_array_foreach(refused, i, row)
	{
		const char *sentence = word(row, "reason");
		for (size_t k = 0; k < ARRAY_SIZE(reasons); k++)
			if (strcmp(reasons[k].name, word(row, "reason")) == 0)
				sentence = reasons[k].sentence;
		fprintf(stderr, "%s refused: %s\n", word(row, "dev_eui"), sentence);
	}
}

struct importing {
	const struct cli_arguments *arguments;
	struct cli_vault_file file;
	struct secret_box *box;     /* owned; NULL: pages are for the join server itself */
	uint8_t target[SECRET_KEY]; /* the join server's box */
	long long counts[4];        /* as `members` */
	json_t *refused;            /* owned */
};
static const char *const members[] = {"devices", "changed", "known", "unregistered"};

/* Before anything is sent: the file is whole, and every page opens. */
static int look_through(struct importing *import)
{
	int code;
	while (cli_vault_file_next(&import->file, &code)) {
		struct vault_page page;
		if (!import->box)
			continue;
		code = cli_vault_file_page(&import->file, import->box, &page);
		if (code != CLI_DONE)
			return code;
		bool has_nonces = page.has_nonces;
		vault_page_wipe(&page);
		if (!has_nonces)
			return cli_problem(CLI_REFUSED, "vault import", "export again with this release",
					   "the export does not say which DevNonces were used");
	}
	return code;
}

static int seal_anew(struct importing *import)
{
	struct vault_page page;
	if (!import->box)
		return CLI_DONE;
	int code = cli_vault_file_page(&import->file, import->box, &page);
	if (code != CLI_DONE)
		return code;
	import->file.length = vault_page_seal(import->file.sealed, import->target, &page);
	vault_page_wipe(&page);
	return import->file.length > 0 ? CLI_DONE
				       : cli_problem(CLI_FAILED, "vault import", NULL,
						     "the join server's public key is not usable");
}

static int send_page(struct importing *import, struct cli_client *client)
{
	char text[BASE64_ROOM(VAULT_PAGE_SEALED)];
	json_t *answer = NULL;
	int code = seal_anew(import);
	if (code != CLI_DONE)
		return code;
	base64_encode(text, import->file.sealed, import->file.length);
	json_t *body = json_pack("{s:s}", "sealed", text);
	code = cli_call(client, "vault import", IO_HTTP_POST, "/vault/import", body, &answer);
	if (code == CLI_DONE) {
		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			import->counts[i] += json_integer_value(json_object_get(answer, members[i]));
		json_array_extend(import->refused, json_object_get(answer, "refused"));
	}
	json_decref(body);
	json_decref(answer);
	return code;
}

static int send_pages(struct importing *import, struct cli_client *client)
{
	json_t *status = NULL;
	int code = cli_call(client, "vault", IO_HTTP_GET, "/vault", NULL, &status);
	if (code == CLI_DONE && !hex_decode_exact(import->target, SECRET_KEY, word(status, "box")))
		code = cli_problem(CLI_FAILED, "vault", NULL, "the join server's public key is not usable");
	json_decref(status);
	if (code == CLI_DONE && !cli_vault_file_rewind(&import->file))
		code = cli_problem(CLI_USAGE, "vault import", "a file", "it has to be read twice");
	while (code == CLI_DONE && cli_vault_file_next(&import->file, &code))
		code = send_page(import, client);
	if (code != CLI_DONE && import->counts[0] > 0)
		fprintf(stderr, "%lld devices were taken before; the whole file may be imported again\n",
			import->counts[0]);
	return code;
}

static int report(const struct importing *import)
{
	size_t refused = json_array_size(import->refused);
	if (import->arguments->json) {
		json_t *document = json_pack("{s:O}", "refused", import->refused);
		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			json_object_set_new(document, members[i], json_integer(import->counts[i]));
		json_dumpf(document, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(document);
	} else {
		printf("%lld devices: nonces of %lld taken over, of %lld known already, %zu refused\n",
		       import->counts[0], import->counts[1], import->counts[2], refused);
		if (import->counts[3] > 0)
			printf("%lld are not registered here yet: lamppost vault open FILE --key KEY ... | "
			       "lamppost device import -\n",
			       import->counts[3]);
	}
	print_refused(import->refused);
	return refused ? CLI_REFUSED : CLI_DONE;
}

static int run_import(const struct cli_arguments *arguments)
{
	const char *key = cli_argument(arguments, "key");
	struct importing import = {.arguments = arguments, .refused = json_array()};
	int code = CLI_DONE;
	if (key)
		import.box = cli_vault_secret_key(key, &code);
	struct cli_client *client = code == CLI_DONE ? cli_vault_client(arguments, &code) : NULL;
	if (client)
		code = cli_vault_file_open(&import.file, "vault import", arguments->operands[0]);
	if (client && code == CLI_DONE)
		code = look_through(&import);
	if (client && code == CLI_DONE)
		code = send_pages(&import, client);
	if (client && code == CLI_DONE)
		code = report(&import);
	cli_vault_file_release(&import.file);
	cli_client_free(client);
	secret_box_free(import.box);
	json_decref(import.refused);
	return code;
}

static const struct cli_option import_options[] = {
	{"key", "FILE",
	 "the secret key that the export opens with; not needed if it is sealed to this join server"},
	{"state", "DIR", "where databases and keys live; default: LAMPPOST_STATE, or ./var"},
	{"config", "FILE", "the configuration (-c for short)"},
};

const struct cli_command cli_vault_import_commands[] = {
	{.group = "vault",
	 .name = "import",
	 .summary = "the nonces of another join server's export: no DevNonce is taken twice",
	 .description =
		 "For devices that come from another join server: every DevNonce that was used there is used "
		 "up "
		 "here as well, and JoinNonces go on 4,096 above the last one there. Nothing is ever "
		 "lowered, so "
		 "that an import may be done again, after a crash too. Devices are registered with lamppost "
		 "device import, best after this. The file is read twice, first to see that it is whole.",
	 .operands = "FILE",
	 .options = import_options,
	 .option_count = ARRAY_SIZE(import_options),
	 .examples = "lamppost vault import city.export --key move.key\n",
	 .exits = "1 the export is not whole\n4 it is sealed to another key, or some devices were refused\n",
	 .local = true,
	 .run = run_import},
};
const size_t cli_vault_import_command_count = ARRAY_SIZE(cli_vault_import_commands);
