/* kill -9 of the join server at KILLS random points under a stream of joins, judged from outside alone, by what its callers saw: no
 * JoinNonce of a device comes twice or goes back, no DevNonce is accepted twice, every accept that was seen stays known, and after
 * each restart answers come without anybody's help.
 *
 * Two callers keep WINDOW requests each under way, as the network server does, so that a kill falls into reading, judging, the
 * commit, a checkpoint, or between the commit and the answers; every eighth falls into the start. What was answered before the
 * kill is read to its last byte. Before every second kill the callers fall silent: what was answered last has no later turn that
 * could make it last. The last accepted joins of a life are the first that are asked for again in the next. A request without an answer may have been accepted or not: it is asked again now and then, and
 * whatever is said, it is said once.
 *
 * LAMPPOST_TEST_SEED sets the seed, which is printed; LAMPPOST_TEST_KILLS another number of points. */
#include "tests/harness/harness.h"

#include "common/backend/ts002.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/rng.h"
#include "common/crypto/aes.h"
#include "common/crypto/sealed_key.h"
#include "common/lorawan/join_frame.h"
#include "common/lorawan/version.h"
#include "tests/harness/foreign_join.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CITY     "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define JOIN_EUI UINT64_C(0x0807060504030201)
#ifdef __SANITIZE_ADDRESS__ /* a start takes several times as long */
#define KILLS 40
#else
#define KILLS 200
#endif
#define DEVICES    48
#define CALLERS    2
#define WINDOW     24
#define LIFE_US    15000 /* at most, from the first question to the kill */
#define START_US   20000
#define PART_ROOM  65536
#define LAST       8    /* accepted joins of a caller, asked for again after a kill */
#define CHECKED    4000 /* accepted DevNonces that are asked for again at the end */
#define NEW_NONCES 60000

enum fate { UNUSED, UNKNOWN, REFUSED, ACCEPTED };

static struct device {
	uint8_t fate[65536]; /* of each DevNonce */
	uint16_t accepted[NEW_NONCES];
	uint32_t accepted_count;
	uint16_t unknown; /* a DevNonce that was asked for and not answered */
	bool has_unknown;
	uint32_t join_nonce; /* the greatest one seen */
	uint32_t asked;      /* new DevNonces so far */
} devices[DEVICES];

struct question {
	unsigned device;
	uint16_t dev_nonce;
	enum fate before;
};

static struct caller {
	int fd; /* −1: not connected */
	struct question asked[WINDOW];
	size_t first, count;
	char in[PART_ROOM];
	size_t used;
} callers[CALLERS];

static struct last {
	struct question accepted[LAST];
	size_t count; /* so far; the newest LAST are kept */
	size_t again; /* of these, to be asked for now */
} lasts[CALLERS];

static struct t_foreign_join join;
static struct aes *aes;
static struct rng rng;
static uint32_t transaction, answers, accepts;
static unsigned kills = KILLS;

/* --- devices ----------------------------------------------------------------------------------------------------- */

static enum lw_mac_version version_of(unsigned device)
{
	static const enum lw_mac_version versions[] = {LW_MAC_1_0_3, LW_MAC_1_0_4, LW_MAC_1_1_0};
	return versions[device % ARRAY_SIZE(versions)];
}

static struct lw_eui64 eui_of(unsigned device)
{
	return lw_eui64_from_number(UINT64_C(0xa000000000000000) + device);
}

static struct lw_key root_key(unsigned device, enum sealed_key_kind kind)
{
	struct lw_key key;
	memset(key.bytes, 0x40 + (int)device, sizeof key.bytes);
	key.bytes[0] = (uint8_t)kind;
	return key;
}

static struct lw_key join_key(unsigned device)
{
	return root_key(device,
			lw_behaves(version_of(device), LW_TWO_ROOT_KEYS) ? SEALED_NWK_KEY : SEALED_APP_KEY);
}

static void seal(char text[BASE64_ROOM(SEALED_KEY_LENGTH)], unsigned device, enum sealed_key_kind kind)
{
	char path[T_DIR_MAX + 64], hex[80] = "";
	uint8_t public_key[SECRET_KEY], sealed[SEALED_KEY_LENGTH];
	snprintf(path, sizeof path, "%s/keys/join-server.box.pub", join.dir);
	FILE *file = fopen(path, "re");
	ASSERT(file && fgets(hex, sizeof hex, file));
	fclose(file);
	hex[64] = '\0';
	struct lw_key key = root_key(device, kind);
	ASSERT(hex_decode_exact(public_key, sizeof public_key, hex));
	ASSERT(sealed_key_seal(sealed, public_key, kind, eui_of(device).bytes, key.bytes) == ST_OK);
	base64_encode(text, sealed, sizeof sealed);
}

static void provision(void)
{
	static char body[DEVICES * 640], answer[1024];
	char app_key[BASE64_ROOM(SEALED_KEY_LENGTH)], nwk_key[BASE64_ROOM(SEALED_KEY_LENGTH)],
		eui[LW_EUI64_TEXT], join_eui[LW_EUI64_TEXT];
	struct lw_eui64 join_number = lw_eui64_from_number(JOIN_EUI);
	size_t used = (size_t)snprintf(body, sizeof body,
				       "{\"city\":\"" CITY "\",\"full\":true,\"end\":true,\"records\":[");
	lw_eui64_format(join_eui, &join_number);
	for (unsigned i = 0; i < DEVICES; i++) {
		struct lw_eui64 dev_eui = eui_of(i);
		lw_eui64_format(eui, &dev_eui);
		seal(app_key, i, SEALED_APP_KEY);
		seal(nwk_key, i, SEALED_NWK_KEY);
		used += (size_t)snprintf(body + used, sizeof body - used,
					 "%s{\"version\":%u,\"dev_eui\":\"%s\",\"enabled\":true,\"join_eui\":"
					 "\"%s\",\"mac_version\":"
					 "\"%s\",\"app_key\":\"%s\",\"nwk_key\":\"%s\"}",
					 i ? "," : "", i + 1, eui, join_eui,
					 lw_mac_version_name(version_of(i)), app_key, nwk_key);
		ASSERT_CMP(used, <, sizeof body);
	}
	snprintf(body + used, sizeof body - used, "]}");
	t_int("provisioned", 200,
	      t_unix_post(join.join_sock, "/provisioning/v1/records", body, answer, sizeof answer));
}

/* --- asking ------------------------------------------------------------------------------------------------------ */

/* 65,536 numbers that jump about for 1.0.3, a counter from 1.0.4 on. */
static uint16_t next_dev_nonce(unsigned device)
{
	uint32_t number = ++devices[device].asked;
	ASSERT(number < NEW_NONCES);
	return lw_behaves(version_of(device), LW_DEV_NONCE_COUNTS) ? (uint16_t)number
								   : (uint16_t)(number * 40503u);
}

static size_t write_request(const struct question *question, char *text, size_t capacity)
{
	struct bi_message request = {.envelope = {.type = BI_JOIN_REQ,
						  .sender_id = "000000",
						  .receiver_id = "0807060504030201",
						  .transaction_id = ++transaction},
				     .join_req = {.mac_version = version_of(question->device),
						  .phy_length = LW_JOIN_REQUEST_LENGTH,
						  .dev_eui = eui_of(question->device),
						  .dev_addr = {0x01020304},
						  .rx_delay = 5}};
	struct lw_join_request frame = {.join_eui = lw_eui64_from_number(JOIN_EUI),
					.dev_eui = request.join_req.dev_eui,
					.dev_nonce = question->dev_nonce};
	struct lw_key key = join_key(question->device);
	uint8_t *phy = request.join_req.phy_payload;
	if (lw_behaves(version_of(question->device), LW_OPT_NEG))
		request.join_req.dl_settings = 0x80;
	lw_join_request_encode(&frame, phy);
	struct lw_mic mic = lw_mic_join(aes, &key, phy, LW_JOIN_REQUEST_LENGTH - sizeof mic.bytes);
	memcpy(phy + LW_JOIN_REQUEST_LENGTH - sizeof mic.bytes, mic.bytes, sizeof mic.bytes);
	char body[BI_WRITTEN_MAX];
	size_t length = bi_write(&request, body, sizeof body);
	int all = snprintf(text, capacity,
			   "POST / HTTP/1.1\r\nHost: lamppost\r\nContent-Length: %zu\r\n\r\n%s", length,
			   body);
	ASSERT(length > 0 && all > 0 && (size_t)all < capacity);
	return (size_t)all;
}

/* A new DevNonce mostly; else one that was accepted, or one that nothing is known of. */
static struct question think_of(unsigned device)
{
	struct device *one = &devices[device];
	uint32_t dice = rng_below(&rng, 8);
	uint16_t dev_nonce;
	if (dice == 0 && one->accepted_count > 0) {
		dev_nonce = one->accepted[rng_below(&rng, one->accepted_count)];
	} else if (dice == 1 && one->has_unknown) {
		dev_nonce = one->unknown;
		one->has_unknown = false;
	} else {
		dev_nonce = next_dev_nonce(device);
	}
	return (struct question){device, dev_nonce, (enum fate)one->fate[dev_nonce]};
}

static bool send_question(struct caller *caller, const struct question *question)
{
	char text[BI_WRITTEN_MAX + 128];
	size_t length = write_request(question, text, sizeof text);
	ssize_t sent = send(caller->fd, text, length, MSG_NOSIGNAL);
	if (sent > 0) { /* it may have reached the server, whole or not */
		caller->asked[(caller->first + caller->count++) % WINDOW] = *question;
		uint8_t *fate = &devices[question->device].fate[question->dev_nonce];
		if (*fate == UNUSED)
			*fate = UNKNOWN;
	}
	return sent == (ssize_t)length;
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

static void note_accept(const struct question *question, struct bi_join_ans *ans)
{
	struct device *device = &devices[question->device];
	struct lw_key key = join_key(question->device);
	struct lw_join_accept accept;
	ASSERT(lw_join_accept_decrypt(aes, &key, ans->phy_payload, ans->phy_length) == LW_OK &&
	       lw_join_accept_parse(&accept, ans->phy_payload, ans->phy_length) == LW_OK);
	if (device->fate[question->dev_nonce] == ACCEPTED)
		t_true("a DevNonce was accepted twice", false);
	if (accept.join_nonce <= device->join_nonce)
		t_true("a JoinNonce came again, or went back", false);
	device->join_nonce = accept.join_nonce;
	device->fate[question->dev_nonce] = ACCEPTED;
	device->accepted[device->accepted_count++] = question->dev_nonce;
	struct last *last = &lasts[question->device % CALLERS];
	last->accepted[last->count++ % LAST] = (struct question){question->device, question->dev_nonce,
								 ACCEPTED};
	accepts++;
}

static void note_answer(const struct question *question, const char *body, size_t length)
{
	struct bi_message answer;
	struct bi_error error;
	if (!t_true("an answer of TS002", bi_read(body, length, &answer, &error)))
		return;
	uint8_t *fate = &devices[question->device].fate[question->dev_nonce];
	answers++;
	if (answer.envelope.result == BI_SUCCESS) {
		note_accept(question, &answer.join_ans);
		return;
	}
	t_str("refused as used", "JoinReqFailed", bi_result_name(answer.envelope.result, BI_PROTOCOL_1_0));
	if (question->before == UNUSED)
		t_true("a new join was refused", false);
	if (*fate != ACCEPTED)
		*fate = REFUSED;
}

/* Takes one whole answer out of what came; false: there is none. */
static bool take_answer(struct caller *caller)
{
	static const char length_name[] = "Content-Length: ";
	char *end = memmem(caller->in, caller->used, "\r\n\r\n", 4);
	char *name = end ? memmem(caller->in, (size_t)(end - caller->in), length_name, 16) : NULL;
	size_t head = end ? (size_t)(end - caller->in) + 4 : 0;
	size_t body = name ? strtoul(name + 16, NULL, 10) : 0;
	if (!end || caller->used < head + body)
		return false;
	ASSERT_CMP(caller->count, >, 0u);
	note_answer(&caller->asked[caller->first], caller->in + head, body);
	caller->first = (caller->first + 1) % WINDOW;
	caller->count--;
	caller->used -= head + body;
	memmove(caller->in, caller->in + head + body, caller->used);
	return true;
}

/* Reads what there is; false when the connection has ended. */
static bool hear(struct caller *caller)
{
	for (;;) {
		ssize_t length = recv(caller->fd, caller->in + caller->used,
				      sizeof caller->in - 1 - caller->used, MSG_DONTWAIT);
		if (length <= 0)
			return length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
		caller->used += (size_t)length;
		caller->in[caller->used] = '\0';
		while (take_answer(caller))
			;
	}
}

/* --- connections ------------------------------------------------------------------------------------------------- */

static void hang_up(struct caller *caller)
{
	for (; caller->count > 0; caller->count--) {
		const struct question *lost = &caller->asked[caller->first];
		struct device *device = &devices[lost->device];
		if (device->fate[lost->dev_nonce] == UNKNOWN) {
			device->unknown = lost->dev_nonce;
			device->has_unknown = true;
		}
		caller->first = (caller->first + 1) % WINDOW;
	}
	if (caller->fd >= 0)
		close(caller->fd);
	*caller = (struct caller){.fd = -1};
}

static bool is_connected(void *ctx)
{
	struct caller *caller = ctx;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", join.join_sock);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		close(fd);
		return false;
	}
	caller->fd = fd;
	return true;
}

static void spawn(void)
{
	join.process = t_process_start(&(struct t_process_options){
		.program = "join-server", .arguments = {"-c", join.config}, .dir = join.dir});
}

static void kill_it(void)
{
	t_process_signal(join.process, SIGKILL);
	t_int("killed", 128 + SIGKILL, t_process_wait(join.process));
	t_process_free(join.process);
}

/* --- a life of the server ---------------------------------------------------------------------------------------- */

/* Every caller has its own devices, so that a device's counter goes up on one connection. */
static void keep_asking(struct caller *caller, unsigned number)
{
	while (caller->fd >= 0 && caller->count < WINDOW) {
		unsigned device = CALLERS * rng_below(&rng, DEVICES / CALLERS) + number;
		struct last *last = &lasts[number];
		struct question question = last->again > 0 ? last->accepted[--last->again] : think_of(device);
		if (!send_question(caller, &question))
			return;
	}
}

static void wait_for_bytes(double seconds)
{
	struct pollfd wait[CALLERS];
	for (unsigned i = 0; i < CALLERS; i++)
		wait[i] = (struct pollfd){.fd = callers[i].fd, .events = POLLIN};
	const struct timespec span = {.tv_nsec = (long)(seconds * 1e9)};
	(void)!ppoll(wait, CALLERS, seconds > 0 ? &span : &(struct timespec){0}, NULL);
}

static void ask_for_the_last_again(void)
{
	for (unsigned i = 0; i < CALLERS; i++)
		lasts[i].again = lasts[i].count < LAST ? lasts[i].count : LAST;
}

static void hear_all(void)
{
	for (unsigned i = 0; i < CALLERS; i++)
		t_true("it lives", hear(&callers[i]));
}

/* Nothing more is asked until everything was answered. */
static void fall_silent(double ceiling)
{
	for (unsigned i = 0; i < CALLERS; i++) {
		while (callers[i].count > 0 && t_seconds() < ceiling) {
			wait_for_bytes(0.001);
			hear_all();
		}
		t_uint("all is answered", 0, callers[i].count);
	}
}

static void live_and_die(bool silent)
{
	double end = t_seconds() + rng_below(&rng, LIFE_US) / 1e6;
	uint32_t before = answers;
	double ceiling = t_seconds() + T_CEILING;
	/* At least one answer: without it nothing would tell that the restart succeeded. */
	while ((t_seconds() < end || answers == before) && t_seconds() < ceiling) {
		double left = end - t_seconds();
		for (unsigned i = 0; i < CALLERS; i++)
			keep_asking(&callers[i], i);
		wait_for_bytes(left < 0 ? 0.001 : left < 0.001 ? left : 0.001);
		hear_all();
	}
	t_true("answers come after the restart", answers > before);
	if (silent)
		fall_silent(ceiling);
	kill_it();
	for (unsigned i = 0; i < CALLERS; i++) {
		hear(&callers[i]); /* what had left it before */
		hang_up(&callers[i]);
	}
}

static void one_point(unsigned point)
{
	char row[32];
	snprintf(row, sizeof row, "point %u", point);
	t_row(row);
	spawn();
	if (point % 8 == 7) {
		usleep(rng_below(&rng, START_US));
		kill_it();
		spawn();
	}
	for (unsigned i = 0; i < CALLERS; i++)
		t_true("it serves again", t_wait_until(is_connected, &callers[i], T_CEILING));
	ask_for_the_last_again();
	live_and_die(point % 2 == 1);
}

static void every_accept_is_remembered(void)
{
	uint32_t all = 0, asked = 0;
	for (unsigned i = 0; i < DEVICES; i++)
		all += devices[i].accepted_count;
	uint32_t step = all / CHECKED + 1;
	t_row("at the end every accepted DevNonce is refused");
	spawn();
	struct caller *caller = &callers[0];
	t_true("it serves again", t_wait_until(is_connected, caller, T_CEILING));
	for (unsigned i = 0; i < DEVICES; i++) {
		for (uint32_t j = rng_below(&rng, step); j < devices[i].accepted_count; j += step) {
			struct question question = {i, devices[i].accepted[j], ACCEPTED};
			double ceiling = t_seconds() + T_CEILING;
			assert_true(send_question(caller, &question));
			for (asked++; caller->count == WINDOW && t_seconds() < ceiling;) {
				wait_for_bytes(0.1);
				assert_true(hear(caller));
			}
		}
	}
	for (double ceiling = t_seconds() + T_CEILING; caller->count > 0 && t_seconds() < ceiling;) {
		wait_for_bytes(0.1);
		assert_true(hear(caller));
	}
	t_uint("all answered", 0, caller->count);
	hang_up(caller);
	printf("%u points: %u answers, %u accepts, %u of them asked for again\n", kills, answers, accepts,
	       asked);
	t_foreign_join_stop(&join);
}

static void no_nonce_is_lost_or_repeated(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CALLERS; i++)
		callers[i].fd = -1;
	aes = aes_new();
	assert_true(aes && secret_init() == ST_OK);
	t_foreign_join_start(&join, "000000", "  callers: {}\n");
	provision();
	kill_it();
	for (unsigned point = 0; point < kills; point++)
		one_point(point);
	t_true("there was a stream of joins", accepts >= 10 * kills);
	every_accept_is_remembered();
	aes_free(aes);
}

int main(void)
{
	const char *given = getenv("LAMPPOST_TEST_SEED"), *points = getenv("LAMPPOST_TEST_KILLS");
	uint64_t seed = given ? strtoull(given, NULL, 10)
			      : (uint64_t)(t_seconds() * 1e6) ^ (uint64_t)getpid();
	kills = points ? (unsigned)strtoul(points, NULL, 10) : KILLS;
	printf("LAMPPOST_TEST_SEED=%llu\n", (unsigned long long)seed);
	rng = rng_seeded(seed);
	const struct CMUnitTest tests[] = {t_test(no_nonce_is_lost_or_repeated)};
	return t_run(tests);
}
