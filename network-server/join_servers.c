#include "network-server/join_servers.h"

#include "common/base/check.h"
#include "common/base/option_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- words ------------------------------------------------------------------------------------------------------ */

static bool read_block(struct ns_join_server *server, const char *item)
{
	return server->block_count < NS_JOIN_SERVER_BLOCKS &&
	       lw_eui_prefix_parse(item, &server->blocks[server->block_count++]);
}

static bool copy(char *to, size_t capacity, const char *text)
{
	size_t length = strlen(text);
	if (length == 0 || length >= capacity)
		return false;
	memcpy(to, text, length + 1);
	return true;
}

static bool read_url(struct ns_join_server *server, const char *text)
{
	return strncmp(text, "https://", 8) == 0 && text[8] && copy(server->url, sizeof server->url, text);
}

static bool read_ca(struct ns_join_server *server, const char *text)
{
	return copy(server->ca, sizeof server->ca, text);
}

static bool read_certificate(struct ns_join_server *server, const char *text)
{
	return copy(server->certificate, sizeof server->certificate, text);
}

static bool read_key(struct ns_join_server *server, const char *text)
{
	return copy(server->key, sizeof server->key, text);
}

static bool read_headers(struct ns_join_server *server, const char *text)
{
	return copy(server->headers, sizeof server->headers, text);
}

static bool read_protocol(struct ns_join_server *server, const char *text)
{
	server->protocol = strcmp(text, "1.1") == 0 ? BI_PROTOCOL_1_1 : BI_PROTOCOL_1_0;
	return strcmp(text, "1.0") == 0 || strcmp(text, "1.1") == 0;
}

static bool read_sender(struct ns_join_server *server, const char *text)
{
	server->has_sender = true;
	return lw_net_id_parse(text, &server->sender);
}

static bool read_ns_id(struct ns_join_server *server, const char *text)
{
	server->has_ns_id = true;
	return lw_eui64_parse(text, &server->ns_id);
}

static bool read_kek(struct ns_join_server *server, const char *text)
{
	return copy(server->kek_label, sizeof server->kek_label, text);
}

static bool read_kek_file(struct ns_join_server *server, const char *text)
{
	return copy(server->kek_file, sizeof server->kek_file, text);
}

static bool read_asynchronous(struct ns_join_server *server, const char *text)
{
	server->asynchronous = strcmp(text, "true") == 0;
	return server->asynchronous || strcmp(text, "false") == 0;
}

static bool read_answers_from(struct ns_join_server *server, const char *text)
{
	return copy(server->answers_from, sizeof server->answers_from, text);
}

static bool read_number(const char *text, long least, long most, long *number)
{
	char *end;
	*number = strtol(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && *number >= least && *number <= most;
}

static bool read_timeout(struct ns_join_server *server, const char *text)
{
	long ms;
	bool good = read_number(text, 100, 5000, &ms);
	server->timeout = ms * US_PER_MS;
	return good;
}

static bool read_in_flight(struct ns_join_server *server, const char *text)
{
	long number;
	bool good = read_number(text, 1, 1024, &number);
	server->in_flight = (uint32_t)number;
	return good;
}

enum { WORD_BLOCKS, WORD_URL };

static const struct word_row {
	const char *name;
	bool (*read)(struct ns_join_server *server, const char *text);
	const char *expect;
} rows[] = {
	[WORD_BLOCKS] = {"join_euis", read_block, "EUI/bits as in 70b3d57ed0000000/36, at most 8"},
	[WORD_URL] = {"url", read_url, "an https:// URL"},
	{"ca", read_ca, "a file"},
	{"certificate", read_certificate, "a file"},
	{"key", read_key, "a file"},
	{"headers", read_headers, "a file"},
	{"protocol", read_protocol, "1.0 or 1.1"},
	{"sender", read_sender, "a NetID of 6 hexadecimal digits"},
	{"ns_id", read_ns_id, "16 hexadecimal digits"},
	{"kek", read_kek, "a label of at most 32 characters"},
	{"kek_file", read_kek_file, "a file of 16 bytes"},
	{"asynchronous", read_asynchronous, "true or false"},
	{"answers_from", read_answers_from, "the common name of a certificate, at most 64 characters"},
	{"timeout_ms", read_timeout, "100 to 5000 ms"},
	{"in_flight", read_in_flight, "1 to 1024 joins"},
};

static bool read_row(size_t row, struct ns_join_server *server, const char *value)
{
	char item[32];
	if (row != WORD_BLOCKS)
		return rows[row].read(server, value);
	const char *at = value;
	while (*at)
		if (!option_word_item(&at, item, sizeof item) || !rows[row].read(server, item))
			return false;
	return value[0] != '\0';
}

static bool read_words(const char *words, struct ns_join_server *server, char expect[OPTION_EXPECT_MAX])
{
	struct option_word word;
	const char *at = words;
	unsigned seen = 0;
	while (option_word_next(&at, &word)) {
		size_t i = 0;
		while (i < ARRAY_SIZE(rows) && strcmp(rows[i].name, word.name) != 0)
			i++;
		if (i == ARRAY_SIZE(rows) || seen & 1u << i) {
			snprintf(expect, OPTION_EXPECT_MAX,
				 "%s: expected each at most once of join_euis, url, ca, certificate, key, "
				 "headers, "
				 "protocol, sender, ns_id, kek, kek_file, asynchronous, answers_from, "
				 "timeout_ms, "
				 "in_flight",
				 word.name);
			return false;
		}
		seen |= 1u << i;
		if (!read_row(i, server, word.value)) {
			snprintf(expect, OPTION_EXPECT_MAX, "%s: expected %s", word.name, rows[i].expect);
			return false;
		}
	}
	if (*at)
		snprintf(expect, OPTION_EXPECT_MAX, "expected members such as url: https://js.example/");
	return *at == '\0';
}

/* What belongs together. */
static const char *what_lacks(const struct ns_join_server *server)
{
	if (server->block_count == 0)
		return "expected join_euis: EUI/bits as in 70b3d57ed0000000/36";
	if (!server->url[0])
		return "expected url: an https:// URL";
	if ((server->certificate[0] == '\0') != (server->key[0] == '\0'))
		return "expected certificate and key together";
	if ((server->kek_label[0] == '\0') != (server->kek_file[0] == '\0'))
		return "expected kek and kek_file together";
	if (server->asynchronous && !server->answers_from[0])
		return "expected answers_from, which asynchronous answers are known by";
	return NULL;
}

bool ns_join_server_parse(const char *label, const char *words, struct ns_join_server *server,
			  char expect[OPTION_EXPECT_MAX])
{
	struct ns_join_server read = {.timeout = 2 * US_PER_S, .in_flight = 64};
	snprintf(read.name, sizeof read.name, "%s", label);
	if (!read_words(words, &read, expect))
		return false;
	const char *lack = what_lacks(&read);
	if (lack) {
		snprintf(expect, OPTION_EXPECT_MAX, "%s", lack);
		return false;
	}
	*server = read;
	return true;
}

bool ns_join_server_check_entry(const char *label, const char *words, char expect[OPTION_EXPECT_MAX])
{
	struct ns_join_server server;
	return ns_join_server_parse(label, words, &server, expect);
}

uint8_t ns_join_server_for(const struct ns_join_server *servers, uint8_t count,
			   const struct lw_eui64 *join_eui)
{
	uint8_t best = NS_JOIN_SERVER_OURS;
	unsigned bits = 0;
	for (uint8_t i = 0; i < count; i++) {
		for (size_t j = 0; j < servers[i].block_count; j++) {
			const struct lw_eui_prefix *block = &servers[i].blocks[j];
			if (block->bits > bits && lw_eui_prefix_has(block, join_eui)) {
				bits = block->bits;
				best = i;
			}
		}
	}
	return best;
}

/* --- how it fares ----------------------------------------------------------------------------------------------- */

enum ns_join_admission ns_join_server_admit(const struct ns_join_server *server,
					    const struct ns_join_server_state *state, struct mono now)
{
	if (state->breaker == NS_BREAKER_OPEN && now.us < state->until.us)
		return NS_JOIN_SHUNNED;
	if (state->breaker != NS_BREAKER_CLOSED && state->in_flight > 0)
		return NS_JOIN_SHUNNED;
	return state->in_flight < server->in_flight ? NS_JOIN_ADMITTED : NS_JOIN_BUSY;
}

void ns_join_server_began(struct ns_join_server_state *state, struct mono now)
{
	ASSERT(state->breaker != NS_BREAKER_OPEN || now.us >= state->until.us);
	if (state->breaker == NS_BREAKER_OPEN)
		state->breaker = NS_BREAKER_PROBING;
	state->in_flight++;
	state->joins++;
}

void ns_join_server_ended(struct ns_join_server_state *state)
{
	ASSERT_CMP(state->in_flight, >, 0u);
	state->in_flight--;
}

void ns_join_server_answered(struct ns_join_server_state *state)
{
	state->answers++;
	state->breaker = NS_BREAKER_CLOSED;
	state->failures = 0;
	state->pause = 0;
}

void ns_join_server_failed(struct ns_join_server_state *state, struct mono now)
{
	state->failed++;
	state->failures++;
	if (state->breaker == NS_BREAKER_OPEN ||
	    (state->breaker == NS_BREAKER_CLOSED && state->failures < NS_BREAKER_FAILURES))
		return;
	state->pause = state->pause == 0 ? NS_BREAKER_PAUSE : 2 * state->pause;
	if (state->pause > NS_BREAKER_LONGEST)
		state->pause = NS_BREAKER_LONGEST;
	state->breaker = NS_BREAKER_OPEN;
	state->until = mono_add(now, state->pause);
}

bool ns_join_server_may_repeat(const struct ns_join_server_state *state)
{
	return state->breaker != NS_BREAKER_OPEN;
}
