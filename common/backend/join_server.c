#include "common/backend/join_server.h"

#include "common/base/check.h"
#include "common/base/option_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_block(struct bi_join_server *server, const char *item)
{
	return server->block_count < BI_JOIN_SERVER_BLOCKS &&
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

static bool read_url(struct bi_join_server *server, const char *text)
{
	return strncmp(text, "https://", 8) == 0 && text[8] && copy(server->url, sizeof server->url, text);
}

static bool read_ca(struct bi_join_server *server, const char *text)
{
	return copy(server->ca, sizeof server->ca, text);
}

static bool read_certificate(struct bi_join_server *server, const char *text)
{
	return copy(server->certificate, sizeof server->certificate, text);
}

static bool read_key(struct bi_join_server *server, const char *text)
{
	return copy(server->key, sizeof server->key, text);
}

static bool read_headers(struct bi_join_server *server, const char *text)
{
	return copy(server->headers, sizeof server->headers, text);
}

static bool read_protocol(struct bi_join_server *server, const char *text)
{
	server->protocol = strcmp(text, "1.1") == 0 ? BI_PROTOCOL_1_1 : BI_PROTOCOL_1_0;
	return strcmp(text, "1.0") == 0 || strcmp(text, "1.1") == 0;
}

static bool read_sender(struct bi_join_server *server, const char *text)
{
	server->has_sender = true;
	return lw_net_id_parse(text, &server->sender);
}

static bool read_ns_id(struct bi_join_server *server, const char *text)
{
	server->has_ns_id = true;
	return lw_eui64_parse(text, &server->ns_id);
}

static bool read_kek(struct bi_join_server *server, const char *text)
{
	return copy(server->kek_label, sizeof server->kek_label, text);
}

static bool read_kek_file(struct bi_join_server *server, const char *text)
{
	return copy(server->kek_file, sizeof server->kek_file, text);
}

static bool read_asynchronous(struct bi_join_server *server, const char *text)
{
	server->asynchronous = strcmp(text, "true") == 0;
	return server->asynchronous || strcmp(text, "false") == 0;
}

static bool read_answers_from(struct bi_join_server *server, const char *text)
{
	return copy(server->answers_from, sizeof server->answers_from, text);
}

static bool read_number(const char *text, long least, long most, long *number)
{
	char *end;
	*number = strtol(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && *number >= least && *number <= most;
}

static bool read_timeout(struct bi_join_server *server, const char *text)
{
	long ms;
	bool good = read_number(text, 100, 5000, &ms);
	server->timeout = ms * US_PER_MS;
	return good;
}

static bool read_in_flight(struct bi_join_server *server, const char *text)
{
	long number;
	bool good = read_number(text, 1, 1024, &number);
	server->in_flight = (uint32_t)number;
	return good;
}

static bool read_as_id(struct bi_join_server *server, const char *text)
{
	return copy(server->as_id, sizeof server->as_id, text);
}

#define BOTH (BI_NETWORK_SERVER | BI_APPLICATION_SERVER)

enum { WORD_BLOCKS };

static const struct word_row {
	const char *name;
	bool (*read)(struct bi_join_server *server, const char *text);
	unsigned askers;
	const char *expect;
} rows[] = {
	[WORD_BLOCKS] = {"join_euis", read_block, BOTH, "EUI/bits as in 70b3d57ed0000000/36, at most 8"},
	{"url", read_url, BOTH, "an https:// URL"},
	{"ca", read_ca, BOTH, "a file"},
	{"certificate", read_certificate, BOTH, "a file"},
	{"key", read_key, BOTH, "a file"},
	{"headers", read_headers, BOTH, "a file"},
	{"protocol", read_protocol, BOTH, "1.0 or 1.1"},
	{"sender", read_sender, BI_NETWORK_SERVER, "a NetID of 6 hexadecimal digits"},
	{"ns_id", read_ns_id, BI_NETWORK_SERVER, "16 hexadecimal digits"},
	{"as_id", read_as_id, BI_APPLICATION_SERVER, "a name of at most 64 characters"},
	{"kek", read_kek, BOTH, "a label of at most 32 characters"},
	{"kek_file", read_kek_file, BOTH, "a file of 16 bytes"},
	{"asynchronous", read_asynchronous, BI_NETWORK_SERVER, "true or false"},
	{"answers_from", read_answers_from, BI_NETWORK_SERVER,
	 "the common name of a certificate, at most 64 characters"},
	{"timeout_ms", read_timeout, BOTH, "100 to 5000 ms"},
	{"in_flight", read_in_flight, BI_NETWORK_SERVER, "1 to 1024 joins"},
};

static bool read_row(size_t row, struct bi_join_server *server, const char *value)
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

/* What an asker may say, for who said something else. */
static void list_words(enum bi_asker asker, const char *name, char expect[OPTION_EXPECT_MAX])
{
	int used = snprintf(expect, OPTION_EXPECT_MAX, "%s: expected each at most once of", name);
	const char *comma = " ";
	for (size_t i = 0; i < ARRAY_SIZE(rows) && used > 0 && used < OPTION_EXPECT_MAX; i++) {
		if (!(rows[i].askers & asker))
			continue;
		used += snprintf(expect + used, OPTION_EXPECT_MAX - (size_t)used, "%s%s", comma,
				 rows[i].name);
		comma = ", ";
	}
}

static bool read_words(enum bi_asker asker, const char *words, struct bi_join_server *server,
		       char expect[OPTION_EXPECT_MAX])
{
	struct option_word word;
	const char *at = words;
	unsigned seen = 0;
	while (option_word_next(&at, &word)) {
		size_t i = 0;
		while (i < ARRAY_SIZE(rows) &&
		       (!(rows[i].askers & asker) || strcmp(rows[i].name, word.name) != 0))
			i++;
		if (i == ARRAY_SIZE(rows) || seen & 1u << i) {
			list_words(asker, word.name, expect);
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
static const char *what_lacks(const struct bi_join_server *server)
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

bool bi_join_server_parse(enum bi_asker asker, const char *label, const char *words,
			  struct bi_join_server *server, char expect[OPTION_EXPECT_MAX])
{
	struct bi_join_server read = {.timeout = 2 * US_PER_S, .in_flight = 64};
	snprintf(read.name, sizeof read.name, "%s", label);
	snprintf(read.words, sizeof read.words, "%s", words);
	if (!read_words(asker, words, &read, expect))
		return false;
	const char *lack = what_lacks(&read);
	if (lack) {
		snprintf(expect, OPTION_EXPECT_MAX, "%s", lack);
		return false;
	}
	*server = read;
	return true;
}

bool bi_join_server_check_network(const char *label, const char *words, char expect[OPTION_EXPECT_MAX])
{
	struct bi_join_server server;
	return bi_join_server_parse(BI_NETWORK_SERVER, label, words, &server, expect);
}

bool bi_join_server_check_application(const char *label, const char *words, char expect[OPTION_EXPECT_MAX])
{
	struct bi_join_server server;
	return bi_join_server_parse(BI_APPLICATION_SERVER, label, words, &server, expect);
}

uint8_t bi_join_server_for(const struct bi_join_server *servers, uint8_t count,
			   const struct lw_eui64 *join_eui)
{
	uint8_t best = BI_JOIN_SERVER_NONE;
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
