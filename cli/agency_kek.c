/* An agency's KEK: made here, written to a file here, and sent sealed to the join server's box key, which was pinned at first use. The
 * file is written before anything leaves, so that a key that the network uses is never one that nobody has. */
#include "cli/agency_kek.h"

#include "cli/client.h"
#include "cli/gateway_certificate.h"
#include "cli/kek_file.h"
#include "cli/problem.h"
#include "cli/progress.h"
#include "cli/seal.h"
#include "cli/table.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/printable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 15000
#define POLL_MS 200

struct order {
	struct cli_client *client;
	const char *agency;
	char target[CLI_TARGET_MAX];
	char path[4096]; /* of the file */
	json_t *known;   /* owned: what the server says */
};

static int begin(struct order *order, const struct cli_arguments *arguments)
{
	const char *file = cli_argument(arguments, "file");
	*order = (struct order){.agency = arguments->operand_count > 1 ? arguments->operands[1] : NULL};
	if (!order->agency)
		return cli_problem(CLI_USAGE, "agency kek", "lamppost agency kek --help",
				   "expected an agency");
	int length = file ? snprintf(order->path, sizeof order->path, "%s", file)
			  : snprintf(order->path, sizeof order->path, "%s.kek", order->agency);
	snprintf(order->target, sizeof order->target, "/api/v1/agencies/");
	if ((size_t)length >= sizeof order->path || !cli_target_append(order->target, order->agency) ||
	    strlen(order->target) + sizeof "/kek" > sizeof order->target)
		return cli_problem(CLI_USAGE, order->agency, NULL, "too long");
	snprintf(order->target + strlen(order->target), sizeof order->target - strlen(order->target), "/kek");
	order->client = cli_client_new(arguments);
	return cli_call(order->client, order->agency, IO_HTTP_GET, order->target, NULL, &order->known);
}

static void end(struct order *order)
{
	json_decref(order->known);
	cli_client_free(order->client);
}

static uint32_t version_of(const struct order *order)
{
	return (uint32_t)json_integer_value(json_object_get(order->known, "version"));
}

static bool is_state(const struct order *order, const char *state)
{
	return strcmp(cli_text_of(order->known, "state"), state) == 0;
}

/* --- new and rotate ---------------------------------------------------------------------------------------------- */

static int send_sealed(struct order *order, uint32_t version, const uint8_t key[16])
{
	struct cli_seal *seal = NULL;
	json_t *sealed = NULL, *answer = NULL;
	int code = cli_seal_open(order->client, &seal);
	if (code == CLI_DONE)
		code = cli_seal_kek(seal, cli_text_of(order->known, "label"), version, key, &sealed);
	if (code == CLI_DONE) {
		json_t *body = json_pack("{sI so}", "version", (json_int_t)version, "sealed", sealed);
		code = cli_call(order->client, order->agency, IO_HTTP_PUT, order->target, body, &answer);
		json_decref(body);
	}
	cli_seal_free(seal);
	if (code == CLI_DONE) {
		json_decref(order->known);
		order->known = answer;
	}
	return code;
}

/* Until the join server has it, or has said no, or for a while. */
static int wait_for_it(struct order *order)
{
	struct progress progress;
	int code = CLI_DONE;
	progress_start(&progress, "waiting until the join server has it");
	for (unsigned waited = 0; code == CLI_DONE && is_state(order, "on_its_way") && waited < WAIT_MS;
	     waited += POLL_MS) {
		json_t *answer = NULL;
		progress_sleep(&progress, POLL_MS);
		code = cli_call(order->client, order->agency, IO_HTTP_GET, order->target, NULL, &answer);
		if (code == CLI_DONE) {
			json_decref(order->known);
			order->known = answer;
		}
	}
	progress_clear(&progress);
	if (code == CLI_DONE && is_state(order, "refused"))
		code = cli_problem(CLI_REFUSED, order->agency, "lamppost agency kek list", "%s",
				   cli_text_of(order->known, "problem"));
	return code;
}

static void print_made(const struct order *order, bool json)
{
	if (json) {
		json_dumpf(order->known, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	printf("%s, version %" PRIu32 ": %s\n", cli_text_of(order->known, "label"), version_of(order),
	       is_state(order, "in_use") ? "the join server has it"
					 : "on its way to the join server, which does not answer now");
	printf("The key is in %s and nowhere else on this machine. Whoever has the file can read your "
	       "devices'\n"
	       "payloads, and without it nobody can: keep a copy in a safe place.\n",
	       order->path);
	if (version_of(order) == 1)
		printf("Next: lamppost application update APPLICATION --key-custody agency\n");
}

/* The key to send: a new one, which is written to the file first, or with --again the one that is there. */
static int take_key(const struct order *order, const struct cli_arguments *arguments, const char *name,
		    bool adds, uint8_t key[16])
{
	struct cli_keks keks;
	bool again = cli_argument(arguments, "again") != NULL, lost = cli_argument(arguments, "lost") != NULL;
	if (adds && !lost && access(order->path, F_OK) != 0)
		return cli_problem(CLI_NOT_FOUND, order->path, "--file, or --lost if nobody has a copy of it",
				   "is not there: it has the keys that open what was sent so far");
	if ((!adds && !again) || lost) {
		secret_random(key, 16);
		return cli_keks_write_new(order->path, name, key);
	}
	int code = cli_keks_read(order->path, &keks);
	if (code != CLI_DONE)
		return code;
	const uint8_t *known = cli_keks_find(&keks, name);
	if (known && again) {
		memcpy(key, known, 16);
	} else if (known) {
		code = cli_problem(CLI_REFUSED, order->path, "--again, to send that one",
				   "holds a %s that the server does not know", name);
	} else if (again) {
		code = cli_problem(CLI_NOT_FOUND, order->path, NULL, "holds no %s", name);
	} else {
		secret_random(key, 16);
		code = cli_keks_add(order->path, &keks, name, key);
	}
	cli_keks_release(&keks);
	return code;
}

/* --again after an answer that got lost: the server has taken what the file holds. */
static bool is_taken_already(const struct order *order, const struct cli_arguments *arguments)
{
	struct cli_keks keks;
	char now[SEALED_KEK_NAME], next[SEALED_KEK_NAME];
	const char *label = cli_text_of(order->known, "label");
	uint32_t version = version_of(order);
	bool has_one = !is_state(order, "none") && !is_state(order, "retired");
	if (!has_one || !cli_argument(arguments, "again") || access(order->path, F_OK) != 0 ||
	    cli_keks_read(order->path, &keks) != CLI_DONE)
		return false;
	sealed_kek_name(now, label, version);
	sealed_kek_name(next, label, version + 1);
	bool is = cli_keks_find(&keks, now) && !cli_keks_find(&keks, next);
	cli_keks_release(&keks);
	return is;
}

static int make(const struct cli_arguments *arguments, bool rotate)
{
	struct order order;
	char name[SEALED_KEK_NAME];
	uint8_t key[16];
	if (cli_argument(arguments, "lost") && (!rotate || cli_argument(arguments, "again")))
		return cli_problem(CLI_USAGE, "--lost", "lamppost agency kek rotate AGENCY --lost",
				   "is for rotate, without --again");
	int code = begin(&order, arguments);
	if (code == CLI_DONE && is_taken_already(&order, arguments)) {
		code = wait_for_it(&order);
		if (code == CLI_DONE)
			print_made(&order, arguments->json);
		end(&order);
		return code;
	}
	bool has_one = !is_state(&order, "none") && !is_state(&order, "retired");
	if (code == CLI_DONE && has_one != rotate)
		code = cli_problem(CLI_REFUSED, order.agency,
				   rotate ? "lamppost agency kek new AGENCY"
					  : "lamppost agency kek rotate AGENCY",
				   rotate ? "has no KEK yet" : "has a KEK already");
	if (code == CLI_DONE && secret_init() != ST_OK)
		code = cli_problem(CLI_FAILED, "a key", NULL, "the system has no randomness");
	if (code == CLI_DONE) {
		uint32_t version = version_of(&order) + 1;
		/* After one that was given up the file may be there still: what it holds stays of use. */
		bool adds = rotate || (version > 1 && access(order.path, F_OK) == 0);
		sealed_kek_name(name, cli_text_of(order.known, "label"), version);
		code = take_key(&order, arguments, name, adds, key);
		if (code == CLI_DONE) {
			code = send_sealed(&order, version, key);
			secret_wipe(key, sizeof key);
			if (code != CLI_DONE)
				fprintf(stderr, "lamppost: the key is in %s; send it with --again\n",
					order.path);
		}
		if (code == CLI_DONE)
			code = wait_for_it(&order);
		if (code == CLI_DONE)
			print_made(&order, arguments->json);
	}
	end(&order);
	return code;
}

static int run_new(const struct cli_arguments *arguments)
{
	return make(arguments, false);
}

static int run_rotate(const struct cli_arguments *arguments)
{
	return make(arguments, true);
}

/* --- retire and list ------------------------------------------------------------------------------------------------ */

static int run_retire(const struct cli_arguments *arguments)
{
	struct order order;
	int code = begin(&order, arguments);
	if (code == CLI_DONE && !cli_argument(arguments, "yes"))
		code = cli_problem(
			CLI_REFUSED, "retire", "add --yes",
			"the join server forgets the key, and no device can join under it any more");
	if (code == CLI_DONE)
		code = cli_call(order.client, order.agency, IO_HTTP_DELETE, order.target, NULL, NULL);
	if (code == CLI_DONE && arguments->json)
		printf("{\"retired\": true}\n");
	else if (code == CLI_DONE)
		printf("%s is given up. Keep its file as long as you keep what was sent under it.\n",
		       cli_text_of(order.known, "label"));
	end(&order);
	return code;
}

static void add_row(struct table_text *table, const json_t *kek)
{
	char version[24], changed[24];
	snprintf(version, sizeof version, "%lld",
		 (long long)json_integer_value(json_object_get(kek, "version")));
	snprintf(changed, sizeof changed, "%.19s", cli_text_of(kek, "changed_at"));
	const char *const cells[] = {cli_text_of(kek, "agency_slug"),
				     cli_text_of(kek, "label"),
				     version,
				     cli_text_of(kek, "state"),
				     changed,
				     cli_text_of(kek, "problem")};
	table_text_add(table, cells);
}

static void print_list(const json_t *keks, bool json)
{
	static const char *const titles[] = {"agency", "label", "version", "state", "changed", "problem"};
	struct table_text table;
	size_t i;
	const json_t *kek;
	if (json) {
		json_dumpf(keks, stdout, JSON_INDENT(2));
		putchar('\n');
		return;
	}
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(keks, i, kek) add_row(&table, kek);
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
	json_array_foreach(keks, i, kek)
	{
		if (*cli_text_of(kek, "next"))
			printf("%s: %s\n", cli_text_of(kek, "agency_slug"), cli_text_of(kek, "next"));
	}
}

/* Of every agency that the caller sees; the first 1,000. */
static int fetch_all(struct cli_client *client, json_t *keks)
{
	json_t *agencies = NULL, *agency;
	size_t i;
	int code = cli_call(client, "agencies", IO_HTTP_GET, "/api/v1/agencies?limit=1000", NULL, &agencies);
	json_array_foreach(json_object_get(agencies, "items"), i, agency)
	{
		char target[CLI_TARGET_MAX];
		json_t *kek = NULL;
		snprintf(target, sizeof target, "/api/v1/agencies/%.40s/kek", cli_text_of(agency, "id"));
		if (code == CLI_DONE)
			code = cli_call(client, "kek", IO_HTTP_GET, target, NULL, &kek);
		if (code == CLI_DONE && strcmp(cli_text_of(kek, "state"), "none") != 0)
			json_array_append(keks, kek);
		json_decref(kek);
	}
	json_decref(agencies);
	return code;
}

static int run_list(const struct cli_arguments *arguments)
{
	json_t *keks = json_array();
	int code;
	if (arguments->operand_count > 1) {
		struct order order;
		code = begin(&order, arguments);
		if (code == CLI_DONE)
			json_array_append(keks, order.known);
		end(&order);
	} else {
		struct cli_client *client = cli_client_new(arguments);
		code = fetch_all(client, keks);
		cli_client_free(client);
	}
	if (code == CLI_DONE)
		print_list(keks, arguments->json);
	json_decref(keks);
	return code;
}

/* --- the rows ----------------------------------------------------------------------------------------------------------- */

static int run_kek(const struct cli_arguments *arguments)
{
	static const struct cli_verb verbs[] = {
		{"new", run_new}, {"list", run_list}, {"rotate", run_rotate}, {"retire", run_retire}};
	return cli_verb_run(verbs, ARRAY_SIZE(verbs), arguments->operands[0], arguments);
}

static const struct cli_option kek_options[] = {
	{"file", "FILE",
	 "new, rotate: where the key is kept on this machine; default: AGENCY.kek in this folder"},
	{"lost", NULL, "rotate: the file is lost: begin another; what was sent under its keys stays closed"},
	{"again", NULL, "new, rotate: send the key that is in the file, after an answer got lost"},
	{"yes", NULL, "retire: do not ask"},
};

const struct cli_command cli_agency_kek_commands[] = {
	{.group = "agency",
	 .name = "kek",
	 .summary = "the key under which devices' payloads are the agency's alone",
	 .description = "new makes a key on this machine, writes it to a file that only you can read, and "
			"sends it sealed to "
			"the join server: nothing between can open it. Devices with key_custody agency then "
			"have their AppSKeys "
			"wrapped under it from their next join on, and the city's servers pass their "
			"payloads on without being "
			"able to read them.\n\nrotate makes the next version: it is used from each device's "
			"next join on, the file "
			"keeps the older ones; where the file is lost --lost begins another. retire has the "
			"join server forget it. list shows where each "
			"stands: on_its_way, "
			"in_use, refused (with the reason), retired.",
	 .operands = "new|list|rotate|retire [AGENCY]",
	 .options = kek_options,
	 .option_count = ARRAY_SIZE(kek_options),
	 .examples = "lamppost agency kek new parks --file parks.kek\n"
		     "lamppost agency kek rotate parks --file parks.kek\n"
		     "lamppost agency kek rotate parks --file parks-2.kek --lost\n"
		     "lamppost agency kek list\n",
	 .exits = "4 it has one already or none, the file is there, or the join server does not take it\n",
	 .run = run_kek},
};
const size_t cli_agency_kek_command_count = ARRAY_SIZE(cli_agency_kek_commands);
