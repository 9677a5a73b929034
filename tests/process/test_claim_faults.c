/* Claims, replacements and the shelf under faults, with the real application server over its real socket: two agencies claim the
 * same device at once, on connections of their own and under users of their own; kill -9 at random points of a claim, of a
 * replacement, of a file on its way to the shelf, and of the join server while it is told. What is judged is what the callers saw
 * and what the databases have afterwards: a device is in one place, its key with it, and a history has one row for one deed.
 *
 * LAMPPOST_TEST_SEED sets the seed of the moments, which is printed. */
#include "tests/harness/harness.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/rng.h"
#include "common/crypto/sealed_key.h"
#include "tests/harness/city_server.h"
#include "tests/harness/network.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__ /* a start takes several times as long */
#define ROUNDS 24
#define KILLS  4
#else
#define ROUNDS 40
#define KILLS  8
#endif
#define PARKS_GROUP 61001
#define WATER_GROUP 61002
#define JOIN        "70b3d57ed0000000"
#define FIRST       UINT64_C(0x70b3d57ed0090000)
#define NEXT        UINT64_C(0x70b3d57ed00a0000)

static struct rng rng;
static char body[2048];

static void seed(void)
{
	const char *text = getenv("LAMPPOST_TEST_SEED");
	uint64_t value = text ? strtoull(text, NULL, 10) : (uint64_t)getpid();
	printf("seed %llu\n", (unsigned long long)value);
	rng = rng_seeded(value);
}

/* --- devices ---------------------------------------------------------------------------------------------------------- */

static const char *eui_text(char text[17], uint64_t eui)
{
	snprintf(text, 17, "%016llx", (unsigned long long)eui);
	return text;
}

static const char *digest(char text[65], uint64_t eui, const char *token)
{
	char words[120];
	uint8_t hash[SECRET_HASH];
	snprintf(words, sizeof words, "lamppost-owner-token%016llX:%s", (unsigned long long)eui, token);
	secret_hash(hash, words, strlen(words));
	hex_encode(text, hash, sizeof hash);
	return text;
}

static const char *sealed_key(char text[128], uint64_t eui)
{
	uint8_t sealed[SEALED_KEY_LENGTH];
	struct lw_eui64 dev_eui = lw_eui64_from_number(eui);
	struct lw_key key;
	secret_random(key.bytes, sizeof key.bytes);
	assert_int_equal(ST_OK, sealed_key_seal(sealed, secret_box_public(t_server.join_box), SEALED_APP_KEY,
						dev_eui.bytes, key.bytes));
	base64_encode(text, sealed, sizeof sealed);
	return text;
}

static void shelve(uint64_t first, unsigned count)
{
	size_t room = 100 + 400 * (size_t)count;
	char *text = malloc(room);
	ASSERT(text);
	size_t at = (size_t)snprintf(text, room, "{\"devices\":[");
	for (unsigned i = 0; i < count; i++) {
		char eui[17], hash[65], key[128];
		at += (size_t)snprintf(text + at, room - at,
				       "%s{\"dev_eui\":\"%s\",\"join_eui\":\"" JOIN
				       "\",\"token_digest\":\"%s\",\"app_key\":\"%s\"}",
				       i ? "," : "", eui_text(eui, first + i),
				       digest(hash, first + i, "TOKEN123"), sealed_key(key, first + i));
	}
	snprintf(text + at, room - at, "]}");
	t_int("shelved", 200, t_server_post("/api/v1/stock", text));
	free(text);
}

static void claim_body(uint64_t device, const char *token, const char *application)
{
	char eui[17], hash[65];
	snprintf(body, sizeof body,
		 "{\"dev_eui\":\"%s\",\"join_eui\":\"" JOIN
		 "\",\"token_digest\":\"%s\",\"name\":\"Bed\",\"application\":\"%s\",\"profile\":\"probe\"}",
		 eui_text(eui, device), digest(hash, device, token), application);
}

/* --- connections ------------------------------------------------------------------------------------------------------ */

/* Connects as that user and group; what the server sees is who connected. */
static int connect_as(uid_t user, gid_t group)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", t_server.socket);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(0, setegid(group)); /* this test plays other users: it runs as root */
	assert_int_equal(0, seteuid(user));
	int connected = connect(fd, (struct sockaddr *)&address, sizeof address);
	assert_int_equal(0, seteuid(0));
	assert_int_equal(0, setegid(0));
	assert_int_equal(0, connected);
	return fd;
}

static void send_post(int fd, const char *path, const char *json)
{
	char request[3000];
	int length = snprintf(
		request, sizeof request,
		"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
		"%zu\r\nConnection: close\r\n\r\n%s",
		path, strlen(json), json);
	assert_int_equal(length, send(fd, request, (size_t)length, MSG_NOSIGNAL));
}

/* Reads the answer to its end and closes; 0: there was none. `text` has its body. */
static int read_answer(int fd, char *text, size_t capacity)
{
	static char whole[16384];
	size_t used = 0;
	int code = 0;
	for (ssize_t got;
	     used < sizeof whole - 1 && (got = recv(fd, whole + used, sizeof whole - 1 - used, 0)) > 0;)
		used += (size_t)got;
	close(fd);
	whole[used] = '\0';
	const char *rest = strstr(whole, "\r\n\r\n");
	if (!rest || sscanf(whole, "HTTP/1.%*d %d", &code) != 1)
		return 0;
	snprintf(text, capacity, "%s", rest + 4);
	return code;
}

/* --- what the files have ----------------------------------------------------------------------------------------------- */

static long long ask_file(const char *path, const char *sql, uint64_t eui)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	long long value = -1;
	char text[17];
	eui_text(text, eui);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_busy_timeout(db, 5000) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK) {
		(void)sqlite3_bind_int64(statement, 1, (sqlite3_int64)eui);
		if (sqlite3_bind_parameter_count(statement) > 1)
			(void)sqlite3_bind_text(statement, 2, text, -1, SQLITE_TRANSIENT);
		if (sqlite3_step(statement) == SQLITE_ROW)
			value = sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

static long long in_city(const char *sql, uint64_t eui)
{
	char path[T_DIR_MAX + 16];
	snprintf(path, sizeof path, "%s/city.db", t_server.dir);
	return ask_file(path, sql, eui);
}

#define WAITS                                                                                               \
	"SELECT count(*) FROM stock WHERE dev_eui = ?1 AND waits = 1 AND app_key IS NOT NULL AND token IS " \
	"NOT NULL"
#define SPENT                                                                                           \
	"SELECT count(*) FROM stock WHERE dev_eui = ?1 AND waits = 0 AND app_key IS NULL AND token IS " \
	"NULL"
#define REGISTERED  "SELECT count(*) FROM devices WHERE dev_eui = ?1 AND app_key IS NOT NULL"
#define REPLACED    "SELECT count(*) FROM replacements WHERE old_eui = ?1"
#define NOTED(what) "SELECT count(*) FROM audit WHERE ?1 = ?1 AND subject = ?2 AND what = '" what "'"

/* --- two at once ------------------------------------------------------------------------------------------------------- */

static void open_to_all(void)
{
	t_server_open(0, false, "", "  callers: {gid 61001: manager parks, gid 61002: manager water}\n");
	assert_int_equal(0, chmod(t_server.dir, 0755));
	assert_int_equal(0, chmod(t_server.run, 0755));
	assert_int_equal(0, chmod(t_server.socket, 0666));
	t_int("agency", 201, t_server_post("/api/v1/agencies", "{\"slug\":\"water\",\"name\":\"Water\"}"));
	t_int("application", 201,
	      t_server_post("/api/v1/applications",
			    "{\"slug\":\"pipes\",\"name\":\"Pipes\",\"agency\":\"water\"}"));
}

static int wrong_token(gid_t group, const char *application, char *words, size_t capacity)
{
	int fd = connect_as(60999, group);
	claim_body(FIRST + ROUNDS, "WRONG999", application);
	send_post(fd, "/api/v1/devices/claim", body);
	return read_answer(fd, words, capacity);
}

static void one_of_two_gets_it(void **state)
{
	(void)state;
	char wrong[2][1024], answer[2][4096];
	static const gid_t groups[2] = {PARKS_GROUP, WATER_GROUP};
	static const char *const applications[2] = {"soil", "pipes"};
	unsigned won[2] = {0, 0};
	seed();
	open_to_all();
	shelve(FIRST, ROUNDS + 1);
	for (int i = 0; i < 2; i++)
		t_int("a wrong token", 403,
		      wrong_token(groups[i], applications[i], wrong[i], sizeof wrong[i]));
	for (unsigned round = 0; round < ROUNDS; round++) {
		char row[40];
		int fd[2], code[2], first = (int)rng_below(&rng, 2);
		bool frozen = rng_below(
			&rng, 2); /* both stand before the door when it opens: one turn of the loop */
		uint64_t device = FIRST + round;
		snprintf(row, sizeof row, "round %u%s", round, frozen ? ", in one turn" : "");
		t_row(row);
		if (frozen)
			t_process_signal(t_server.server, SIGSTOP);
		for (int i = 0; i < 2; i++)
			fd[i] = connect_as(62000 + 2 * round + (unsigned)i, groups[i]);
		for (int n = 0; n < 2; n++) {
			int i = n ? 1 - first : first;
			claim_body(device, "TOKEN123", applications[i]);
			send_post(fd[i], "/api/v1/devices/claim", body);
		}
		if (frozen)
			t_process_signal(t_server.server, SIGCONT);
		for (int i = 0; i < 2; i++)
			code[i] = read_answer(fd[i], answer[i], sizeof answer[i]);
		int winner = code[0] == 201 ? 0 : 1;
		won[winner]++;
		t_int("one has it", 201, code[winner]);
		if (!t_int("the other has not", 403, code[1 - winner]) ||
		    !t_str("and is told what a wrong token is told", wrong[1 - winner], answer[1 - winner]))
			break;
		t_int("registered once, with its key", 1, (int)in_city(REGISTERED, device));
		t_int("its token is spent", 1, (int)in_city(SPENT, device));
		t_int("the audit has the claim", 1, (int)in_city(NOTED("device_claim"), device));
		t_int("and the refusal", 1, (int)in_city(NOTED("claim_refused"), device));
		char path[80], eui[17], who[40];
		snprintf(path, sizeof path, "/api/v1/audit?subject=%s", eui_text(eui, device));
		t_int("audit", 200, t_server_get(path));
		for (int i = 0; i < 2; i++) {
			snprintf(who, sizeof who, "\"uid %u\"", 62000 + 2 * round + (unsigned)i);
			t_true("each by name", strstr(t_server.answer, who) != NULL);
		}
	}
	t_row("all rounds");
	t_true("either may be first", won[0] > 0 && won[1] > 0);
	t_server_close();
}

/* --- kill -9 ------------------------------------------------------------------------------------------------------------ */

/* Sends it and kills the server at a random moment, now and then behind the answer. Returns the status; 0: none was seen. */
static int post_and_kill(const char *path, unsigned number)
{
	char answer[4096];
	int fd = connect_as(0, 0), code = 0;
	if (number % 4 == 1) /* it begins when we say so */
		t_process_signal(t_server.server, SIGSTOP);
	send_post(fd, path, body);
	if (number % 4 == 1) {
		t_process_signal(t_server.server, SIGCONT);
		for (uint32_t spin = rng_below(&rng, 200000); spin > 0; spin--)
			__asm__ volatile("");
		t_server_kill();
		code = read_answer(fd, answer, sizeof answer);
	} else if (number % 4 == 3) {
		code = read_answer(fd, answer, sizeof answer);
		t_server_kill();
	} else {
		usleep(rng_below(&rng, number % 4 == 0 ? 400 : 6000));
		t_server_kill();
		code = read_answer(fd, answer, sizeof answer); /* what left it before */
	}
	t_server_start();
	return code;
}

static void a_claim_is_whole_or_was_none(void **state)
{
	(void)state;
	unsigned before = 0, after = 0;
	seed();
	t_server_open(0, false, "", "");
	shelve(FIRST, KILLS);
	for (unsigned i = 0; i < KILLS; i++) {
		uint64_t device = FIRST + i;
		char row[40];
		snprintf(row, sizeof row, "claim %u", i);
		t_row(row);
		claim_body(device, "TOKEN123", "soil");
		int code = post_and_kill("/api/v1/devices/claim", i);
		long long waits = in_city(WAITS, device), there = in_city(REGISTERED, device);
		t_int("in one place, with its key", 1, (int)(waits + there));
		t_int("the shelf's token and key go with it", (int)there, (int)in_city(SPENT, device));
		t_true("what was answered is done", code == 0 || (code == 201 && there == 1));
		t_int("the audit has it if it was", (int)there, (int)in_city(NOTED("device_claim"), device));
		before += waits == 1;
		after += there == 1;
		claim_body(device, "TOKEN123", "soil");
		t_int("asked again", there ? 409 : 201, t_server_post("/api/v1/devices/claim", body));
		t_int("is done", 1, (int)in_city(REGISTERED, device));
		t_int("once", 1, (int)in_city(NOTED("device_claim"), device));
	}
	printf("%u before, %u after\n", before, after);
	t_row("all kills");
	t_true("some fell behind the deed", after > 0);

	for (unsigned i = 0; i < KILLS; i++) {
		uint64_t old = FIRST + i, next = NEXT + i;
		char row[40], eui[17], path[80], key[128];
		snprintf(row, sizeof row, "replacement %u", i);
		t_row(row);
		snprintf(path, sizeof path, "/api/v1/devices/%s/downlinks", eui_text(eui, old));
		t_int("a command waits", 202, t_server_post(path, "{\"f_port\":5,\"data\":\"AQI=\"}"));
		snprintf(path, sizeof path, "/api/v1/devices/%s/replace", eui_text(eui, old));
		snprintf(body, sizeof body, "{\"dev_eui\":\"%s\",\"app_key\":\"%s\",\"queue\":\"move\"}",
			 eui_text(eui, next), sealed_key(key, next));
		int code = post_and_kill(path, i);
		long long replaced = in_city(REPLACED, old);
		t_int("the old one is there", 1, (int)in_city(REGISTERED, old));
		t_int("the new one if it stands there", (int)replaced, (int)in_city(REGISTERED, next));
		t_int("the command is with it", (int)replaced,
		      (int)in_city("SELECT count(*) FROM downlinks WHERE dev_eui = ?1", next));
		t_int("the audit has it if it was", (int)replaced,
		      (int)in_city(NOTED("device_replace"), old));
		t_true("what was answered is done", code == 0 || (code == 200 && replaced == 1));
		t_int("asked again", replaced ? 409 : 200, t_server_post(path, body));
		t_int("is done, once", 1, (int)in_city(NOTED("device_replace"), old));
		snprintf(path, sizeof path, "/api/v1/devices/%s", eui_text(eui, next));
		t_int("the new one", 200, t_server_get(path));
		t_true("is one place with the old", strstr(t_server.answer, eui_text(eui, old)) != NULL);
	}
	t_server_close();
}

/* --- the join server, and a whole file --------------------------------------------------------------------------------------- */

#define FILE_ROWS 600
#define CLAIMED   6

static struct t_network *network;

static long long in_state(const char *file, const char *sql)
{
	char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", t_network_state(network), file);
	return ask_file(path, sql, 0);
}

static void write_delivery(const char *path)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("DevEUI;AppKey;Owner Token\n", file);
	for (unsigned i = 0; i < FILE_ROWS; i++)
		fprintf(file, "%016llX;8a1f6c02d94e4b7fa3b05c6de71%05x;TOKEN%03u\n",
			(unsigned long long)FIRST + i, i, i);
	fclose(file);
}

static bool imports_are_over(void *ctx)
{
	(void)ctx;
	return in_state("city.db", "SELECT (SELECT count(*) FROM import_slices) + ?1") == 0;
}

static void a_file_and_its_claims_survive(void **state)
{
	(void)state;
	char path[T_PATH_MAX];
	seed();
	network = t_network_start("");
	snprintf(path, sizeof path, "%s/delivery.csv", t_network_dir(network));
	write_delivery(path);
	for (int i = 0; i < 2; i++) {
		t_row("a file is cut short on its way to the shelf");
		struct t_process *cli = t_network_program(
			network, "lamppost", "shelve", (const char *const[]){"device", "shelve", path, NULL});
		usleep(rng_below(&rng, 150000));
		(void)t_network_kill(network, T_APPLICATION_SERVER);
		int code = t_process_wait(cli);
		t_process_free(cli);
		t_true("healthy again", t_network_healthy(network));
		t_true("what was decided is done", t_wait_until(imports_are_over, NULL, T_SLOW_CEILING));
		long long there = in_state("city.db", "SELECT count(*) + ?1 FROM stock");
		t_true("all or none", there == 0 || there == FILE_ROWS);
		t_true("what was answered is done", code != 0 || there == FILE_ROWS);
	}
	t_row("the same file again");
	t_cli_must(network, 0, "device", "shelve", path);
	t_int("is the whole", FILE_ROWS,
	      (int)in_state("city.db", "SELECT count(*) + ?1 FROM stock WHERE waits"));

	t_row("claims while the join server dies");
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "soil", "--name", "Soil", "--agency", "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "eu868",
		   "--mac-version", "1.0.4");
	for (unsigned i = 0; i < CLAIMED; i++) {
		char code[120];
		snprintf(code, sizeof code, "LW:D0:0000000000000000:%016llX:00000000:OTOKEN%03u",
			 (unsigned long long)FIRST + i, i);
		if (i % 2)
			(void)t_network_kill(network, T_JOIN_SERVER);
		t_cli_must(network, 0, "device", "claim", "--qr", code, "--application", "soil", "--profile",
			   "probe");
		if (i % 2 == 0) {
			usleep(rng_below(&rng, 20000));
			(void)t_network_kill(network, T_JOIN_SERVER);
		}
		t_true("healthy again", t_network_healthy(network));
	}
	t_true("told", t_network_replicated(network));
	t_int("the join server has each with its key", CLAIMED,
	      (int)in_state("join.db", "SELECT count(*) + ?1 FROM devices WHERE app_key IS NOT NULL"));
	t_int("none of the others", CLAIMED, (int)in_state("join.db", "SELECT count(*) + ?1 FROM devices"));
	t_row("the same file once more");
	t_cli_must(network, 0, "device", "shelve", path, "--json");
	t_true("takes nothing back", strstr(t_cli_output(network), "\"claimed\":6") != NULL);
	t_row("off the shelf");
	t_cli_must(network, 0, "device", "unshelve", "70b3d57ed0090010", "70b3d57ed0090011", "--yes");
	t_int("two less", FILE_ROWS - CLAIMED - 2,
	      (int)in_state("city.db", "SELECT count(*) + ?1 FROM stock WHERE waits"));
	t_cli_must(network, 3, "device", "unshelve", "70b3d57ed0090010", "--yes");
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(one_of_two_gets_it), t_test(a_claim_is_whole_or_was_none),
					   t_test(a_file_and_its_claims_survive)};
	return t_run(tests);
}
