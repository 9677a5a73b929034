#include "join-server/peers.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/option_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- words ------------------------------------------------------------------------------------------------------ */

static bool read_common_name(struct js_peer *peer, const char *text)
{
	size_t length = strlen(text);
	if (length == 0 || length >= sizeof peer->common_name)
		return false;
	memcpy(peer->common_name, text, length + 1);
	return true;
}

/* 64 digits, with colons between or without, as OpenSSL prints them. */
static bool read_fingerprint(struct js_peer *peer, const char *text)
{
	char digits[2 * JS_PEER_FINGERPRINT + 1];
	size_t count = 0;
	for (; *text; text++) {
		if (*text == ':')
			continue;
		if (count == sizeof digits - 1)
			return false;
		digits[count++] = *text;
	}
	digits[count] = '\0';
	return hex_decode_exact(peer->fingerprint, sizeof peer->fingerprint, digits);
}

static bool read_net_id(struct js_peer *peer, const char *item)
{
	return peer->net_id_count < JS_PEER_NET_IDS &&
	       lw_net_id_parse(item, &peer->net_ids[peer->net_id_count++]);
}

static bool read_as_id(struct js_peer *peer, const char *item)
{
	if (peer->as_id_count == JS_PEER_AS_IDS)
		return false;
	snprintf(peer->as_ids[peer->as_id_count++], BI_ID_TEXT, "%s", item);
	return true;
}

static bool read_message(struct js_peer *peer, const char *item)
{
	static const struct {
		const char *name;
		enum js_right right;
	} names[] = {{"joins", JS_RIGHT_JOINS}, {"home", JS_RIGHT_HOME}, {"app_keys", JS_RIGHT_APP_KEYS}};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(item, names[i].name) == 0) {
			peer->rights |= (unsigned)names[i].right;
			return true;
		}
	}
	return false;
}

static bool read_join_eui(struct js_peer *peer, const char *item)
{
	peer->any_join_eui = peer->any_join_eui || strcmp(item, "any") == 0;
	return strcmp(item, "any") == 0 ||
	       (peer->join_eui_count < JS_PEER_JOIN_EUIS &&
		lw_eui_prefix_parse(item, &peer->join_euis[peer->join_eui_count++]));
}

static bool read_home_of(struct js_peer *peer, const char *item)
{
	return peer->home_of_count < JS_PEER_JOIN_EUIS &&
	       lw_eui_prefix_parse(item, &peer->home_of[peer->home_of_count++]);
}

static bool read_kek(struct js_peer *peer, const char *text)
{
	size_t length = strlen(text);
	if (length == 0 || length >= sizeof peer->kek)
		return false;
	memcpy(peer->kek, text, length + 1);
	return true;
}

static bool read_url(struct js_peer *peer, const char *text)
{
	if (strncmp(text, "https://", 8) != 0 || text[8] == '\0')
		return false;
	snprintf(peer->url, sizeof peer->url, "%s", text);
	return true;
}

static bool read_rate(struct js_peer *peer, const char *text)
{
	char *end;
	long rate = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || rate < 1 || rate > 10000)
		return false;
	peer->rate = (uint32_t)rate;
	return true;
}

/* A word either has one value or is a list, each item of which is read. */
static const struct word_row {
	const char *name;
	bool (*read)(struct js_peer *peer, const char *text);
	bool list;
	const char *expect;
} rows[] = {
	{"certificate", read_common_name, false, "the common name of a certificate, at most 64 characters"},
	{"fingerprint", read_fingerprint, false, "the SHA-256 of a certificate, 64 hexadecimal digits"},
	{"net_ids", read_net_id, true, "NetIDs of 6 hexadecimal digits, at most 8"},
	{"as_ids", read_as_id, true, "SenderIDs of application servers, at most 4"},
	{"messages", read_message, true, "some of joins, home, app_keys"},
	{"join_euis", read_join_eui, true, "any, or EUI/bits as in 70b3d57ed0000000/36, at most 8"},
	{"home_of", read_home_of, true, "EUI/bits as in 70b3d57ed0000000/36, at most 8"},
	{"kek", read_kek, false, "a label of join-server.keks, at most 32 characters"},
	{"url", read_url, false, "an https:// URL"},
	{"rate", read_rate, false, "1 to 10000 messages a second"},
};

static bool read_row(const struct word_row *row, struct js_peer *peer, const char *value)
{
	char item[BI_ID_TEXT];
	if (!row->list)
		return row->read(peer, value);
	const char *at = value;
	while (*at)
		if (!option_word_item(&at, item, sizeof item) || !row->read(peer, item))
			return false;
	return value[0] != '\0';
}

static bool read_words(const char *words, struct js_peer *peer, unsigned *seen,
		       char expect[OPTION_EXPECT_MAX])
{
	struct option_word word;
	const char *at = words;
	while (option_word_next(&at, &word)) {
		size_t i = 0;
		while (i < ARRAY_SIZE(rows) && strcmp(rows[i].name, word.name) != 0)
			i++;
		if (i == ARRAY_SIZE(rows) || *seen & 1u << i) {
			snprintf(expect, OPTION_EXPECT_MAX,
				 "%s: expected each at most once of certificate, fingerprint, net_ids, "
				 "as_ids, "
				 "messages, join_euis, home_of, kek, url, rate",
				 word.name);
			return false;
		}
		*seen |= 1u << i;
		if (!read_row(&rows[i], peer, word.value)) {
			snprintf(expect, OPTION_EXPECT_MAX, "%s: expected %s", word.name, rows[i].expect);
			return false;
		}
	}
	if (*at)
		snprintf(expect, OPTION_EXPECT_MAX, "expected members such as net_ids: [60000d]");
	return *at == '\0';
}

/* What belongs together. */
static const char *what_lacks(const struct js_peer *peer, unsigned seen)
{
	bool name = seen & 1u, fingerprint = seen & 2u;
	if (name == fingerprint)
		return "expected either certificate or fingerprint";
	if (peer->rights == 0)
		return "expected messages: some of joins, home, app_keys";
	if (peer->rights & (JS_RIGHT_JOINS | JS_RIGHT_HOME) && peer->net_id_count == 0)
		return "expected net_ids, which joins and home are asked for";
	if (peer->rights & JS_RIGHT_APP_KEYS && (peer->as_id_count == 0 || !peer->kek[0]))
		return "expected as_ids and kek, which app_keys are asked for and wrapped with";
	if (!peer->any_join_eui && peer->join_eui_count == 0)
		return "expected join_euis: any, or EUI/bits as in 70b3d57ed0000000/36";
	if (peer->home_of_count > 0 && !(peer->rights & JS_RIGHT_JOINS))
		return "expected joins among the messages, which home_of is for";
	return NULL;
}

bool js_peer_parse(const char *label, const char *words, struct js_peer *peer, char expect[OPTION_EXPECT_MAX])
{
	struct js_peer read = {.rate = JS_PEER_RATE};
	unsigned seen = 0;
	snprintf(read.name, sizeof read.name, "%s", label);
	if (!read_words(words, &read, &seen, expect))
		return false;
	const char *lack = what_lacks(&read, seen);
	if (lack) {
		snprintf(expect, OPTION_EXPECT_MAX, "%s", lack);
		return false;
	}
	*peer = read;
	return true;
}

bool js_peer_check_entry(const char *label, const char *words, char expect[OPTION_EXPECT_MAX])
{
	struct js_peer peer;
	return js_peer_parse(label, words, &peer, expect);
}

/* --- the table -------------------------------------------------------------------------------------------------- */

static bool is_told_alike(const struct js_peer *a, const struct js_peer *b)
{
	return strcmp(a->common_name, b->common_name) == 0 &&
	       memcmp(a->fingerprint, b->fingerprint, sizeof a->fingerprint) == 0;
}

bool js_peers_init(struct js_peers *peers, const struct option_map *table, char *problem, size_t capacity)
{
	struct js_peers read = {.count = table->count};
	for (size_t i = 0; i < table->count; i++) {
		char expect[OPTION_EXPECT_MAX];
		struct js_peer *peer = &read.peers[i];
		bool good = js_peer_parse(table->entries[i].label, table->entries[i].value, peer, expect);
		for (size_t j = 0; j < i && good; j++) {
			good = !is_told_alike(peer, &read.peers[j]);
			if (!good)
				snprintf(expect, sizeof expect,
					 "expected another certificate than that of %s", read.peers[j].name);
		}
		if (!good) {
			snprintf(problem, capacity, "join-server.peers.%s: %s", table->entries[i].label,
				 expect);
			return false;
		}
		read.states[i].tokens_us = (int64_t)peer->rate * US_PER_S;
		for (size_t j = 0; j < peers->count; j++)
			if (strcmp(peers->peers[j].name, peer->name) == 0)
				read.states[i] = peers->states[j];
	}
	*peers = read;
	return true;
}

struct js_peer js_peer_local(unsigned rights)
{
	return (struct js_peer){.local = true, .rights = rights, .any_join_eui = true};
}

struct js_peer *js_peers_find(struct js_peers *peers, const char *common_name,
			      const uint8_t fingerprint[JS_PEER_FINGERPRINT])
{
	for (size_t i = 0; i < peers->count; i++) {
		struct js_peer *peer = &peers->peers[i];
		if (peer->common_name[0] ? strcmp(peer->common_name, common_name) == 0
					 : memcmp(peer->fingerprint, fingerprint, JS_PEER_FINGERPRINT) == 0)
			return peer;
	}
	return NULL;
}

bool js_peers_home(const struct js_peers *peers, const struct lw_eui64 *join_eui, struct lw_net_id *home)
{
	unsigned bits = 0;
	for (size_t i = 0; i < peers->count; i++) {
		const struct js_peer *peer = &peers->peers[i];
		for (size_t j = 0; j < peer->home_of_count; j++) {
			if (peer->home_of[j].bits > bits && lw_eui_prefix_has(&peer->home_of[j], join_eui)) {
				bits = peer->home_of[j].bits;
				*home = peer->net_ids[0];
			}
		}
	}
	return bits > 0;
}

struct js_peer_state *js_peer_state(struct js_peers *peers, const struct js_peer *peer)
{
	size_t place = (size_t)(peer - peers->peers);
	ASSERT_CMP(place, <, peers->count);
	return &peers->states[place];
}

bool js_peer_admit(struct js_peers *peers, const struct js_peer *peer, struct mono now)
{
	struct js_peer_state *state = js_peer_state(peers, peer);
	int64_t most = (int64_t)peer->rate * US_PER_S, passed = mono_since(now, state->filled);
	state->messages++;
	if (passed > 0) {
		state->tokens_us += passed > US_PER_S ? most : passed * (int64_t)peer->rate;
		state->filled = now;
	}
	if (state->tokens_us > most)
		state->tokens_us = most;
	if (state->tokens_us < US_PER_S) {
		state->limited++;
		return false;
	}
	state->tokens_us -= US_PER_S;
	return true;
}

bool js_peer_speaks_for(const struct js_peer *peer, struct lw_net_id net_id)
{
	for (size_t i = 0; i < peer->net_id_count; i++)
		if (peer->net_ids[i].value == net_id.value)
			return true;
	return peer->local;
}

bool js_peer_is_application(const struct js_peer *peer, const char *sender_id)
{
	for (size_t i = 0; i < peer->as_id_count; i++)
		if (strcmp(peer->as_ids[i], sender_id) == 0)
			return true;
	return peer->local;
}

bool js_peer_may_address(const struct js_peer *peer, const struct lw_eui64 *join_eui)
{
	for (size_t i = 0; i < peer->join_eui_count; i++)
		if (lw_eui_prefix_has(&peer->join_euis[i], join_eui))
			return true;
	return peer->any_join_eui;
}
