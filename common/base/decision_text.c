/* A template is read afresh each time: somebody who asks why can wait for a microsecond. The sentence and
 * the JSON each walk the template of their rule. */
#include "common/base/decision_text.h"

#include "common/base/check.h"
#include "common/base/decision_template.h"

#include <inttypes.h>
#include <string.h>

/* Writes `value` / `unit` without trailing zeros: 868.1, −7.25. */
static void write_decimal(FILE *out, int64_t value, int64_t unit)
{
	int64_t size = value < 0 ? -value : value, rest = size % unit;
	fprintf(out, "%s%" PRId64, value < 0 ? "-" : "", size / unit);
	if (rest > 0)
		fputc('.', out);
	for (; rest > 0; rest = rest * 10 % unit)
		fputc((int)('0' + rest * 10 / unit), out);
}

static void write_ip(FILE *out, uint32_t value)
{
	fprintf(out, "%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32, value >> 24, value >> 16 & UINT8_MAX,
		value >> 8 & UINT8_MAX, value & UINT8_MAX);
}

static const char *word_of(const struct decision_rule *rule, uint32_t value)
{
	for (uint32_t i = 0; rule->words && rule->words[i]; i++)
		if (i == value)
			return rule->words[i];
	return NULL;
}

static const struct decision_rule *rule_of(const struct decision_book *book, uint32_t table, uint32_t verdict)
{
	if (table >= book->count || verdict >= book->tables[table].count)
		return NULL;
	const struct decision_rule *rule = &book->tables[table].rules[verdict];
	return rule->name ? rule : NULL;
}

const struct decision_rule *decision_rule(const struct decision_book *book, const struct decision *decision)
{
	return rule_of(book, decision->table, decision->verdict);
}

static void say_name(FILE *out, const char *name)
{
	for (; *name; name++)
		fputc(*name == '_' ? ' ' : *name, out);
}

static void say_number(FILE *out, const struct decision_book *book, const struct decision_rule *rule,
		       const struct decision_placeholder *placeholder, uint32_t value)
{
	int32_t number = decision_placeholder_signed(placeholder, value);
	const struct decision_rule *named;
	const char *word;
	if (decision_placeholder_is_none(placeholder, value)) {
		fputs(placeholder->how == DECISION_HOW_DB   ? "unknown"
		      : placeholder->how == DECISION_HOW_IP ? "an IPv6 address"
							    : "none",
		      out);
		return;
	}
	switch (placeholder->how) {
	case DECISION_HOW_SIGNED: fprintf(out, "%" PRId32, number); return;
	case DECISION_HOW_HZ: write_decimal(out, value, 1000000), fputs(" MHz", out); return;
	case DECISION_HOW_DBM: fprintf(out, "%" PRId32 " dBm", number); return;
	case DECISION_HOW_DB: write_decimal(out, number, 100), fputs(" dB", out); return;
	case DECISION_HOW_MS: fprintf(out, "%" PRIu32 " ms", value); return;
	case DECISION_HOW_S: fprintf(out, "%" PRIu32 " s", value); return;
	case DECISION_HOW_MINUTES: fprintf(out, "%" PRIu32 " min", value); return;
	case DECISION_HOW_DAYS: fprintf(out, "%" PRIu32 " day%s", value, value == 1 ? "" : "s"); return;
	case DECISION_HOW_US: write_decimal(out, value / 100, 10), fputs(" ms", out); return;
	case DECISION_HOW_DR: fprintf(out, "DR%" PRIu32, value); return;
	case DECISION_HOW_BYTES: fprintf(out, "%" PRIu32 " byte%s", value, value == 1 ? "" : "s"); return;
	case DECISION_HOW_PERCENT: fprintf(out, "%" PRIu32 " %%", value); return;
	case DECISION_HOW_COUNT:
		fprintf(out, "%" PRIu32 " %s%s", value, placeholder->noun, value == 1 ? "" : "s");
		return;
	case DECISION_HOW_ADDR: fprintf(out, "%08" PRIx32, value); return;
	case DECISION_HOW_IP: write_ip(out, value); return;
	case DECISION_HOW_HEX: fprintf(out, "0x%0*" PRIx32, placeholder->width / 4, value); return;
	case DECISION_HOW_WORD:
		word = word_of(rule, value);
		if (!word)
			break;
		fputs(word, out);
		return;
	case DECISION_HOW_RULE:
		named = rule_of(book, value >> 8, value & UINT8_MAX);
		if (!named)
			break;
		say_name(out, named->name);
		return;
	default: break;
	}
	fprintf(out, "%" PRIu32, value);
}

static void say_reference(FILE *out, const struct decision *decision, const struct decision_names *names,
			  enum decision_how how)
{
	switch (how) {
	case DECISION_HOW_DEVICE:
		fprintf(out, "%s%s", names->device[0] ? "device " : "the device", names->device);
		return;
	case DECISION_HOW_GATEWAY:
		fprintf(out, "%s%s", names->gateway[0] ? "gateway " : "a gateway", names->gateway);
		return;
	case DECISION_HOW_FRAME:
		if (decision->about == DECISION_ABOUT_FRAME)
			fprintf(out, "frame %08" PRIx32, decision->ref);
		else
			fputs("a frame", out);
		return;
	default: break;
	}
	if (names->item[0])
		fprintf(out, "item %s", names->item);
	else if (decision->about == DECISION_ABOUT_ITEM)
		fprintf(out, "item %08" PRIx32, decision->ref);
	else
		fputs("an item", out);
}

/* The capital at a sentence's start stays even where it begins with a name. */
size_t decision_say(char text[DECISION_TEXT], const struct decision_book *book,
		    const struct decision *decision, const struct decision_names *names)
{
	const struct decision_rule *rule = decision_rule(book, decision);
	memset(text, 0, DECISION_TEXT);
	FILE *out = fmemopen(text, DECISION_TEXT - 1, "w");
	if (!rule || !out) {
		if (out)
			fclose(out);
		return 0;
	}
	const char *at = rule->sentence, *before;
	struct decision_placeholder placeholder;
	size_t length;
	bool good = true;
	while (decision_placeholder_take(&at, &before, &length, &placeholder, &good) && good) {
		fwrite(before, 1, length, out);
		if (placeholder.how >= DECISION_HOW_DEVICE)
			say_reference(out, decision, names, placeholder.how);
		else if (placeholder.how == DECISION_HOW_EUI)
			fprintf(out, "%08" PRIx32 "%08" PRIx32, decision->a, decision->b);
		else
			say_number(out, book, rule, &placeholder,
				   decision_placeholder_value(&placeholder, decision));
	}
	fwrite(before, 1, strlen(before), out);
	fclose(out);
	if (text[0] >= 'a' && text[0] <= 'z')
		text[0] = (char)(text[0] - 'a' + 'A');
	return strlen(text);
}

static void write_number(FILE *out, const struct decision_book *book, const struct decision_rule *rule,
			 const struct decision_placeholder *placeholder, uint32_t value)
{
	const struct decision_rule *named;
	const char *word;
	if (decision_placeholder_is_none(placeholder, value)) {
		fputs("null", out);
		return;
	}
	switch (placeholder->how) {
	case DECISION_HOW_SIGNED:
	case DECISION_HOW_DBM:
		fprintf(out, "%" PRId32, decision_placeholder_signed(placeholder, value));
		return;
	case DECISION_HOW_DB:
		write_decimal(out, decision_placeholder_signed(placeholder, value), 100);
		return;
	case DECISION_HOW_ADDR: fprintf(out, "\"%08" PRIx32 "\"", value); return;
	case DECISION_HOW_IP: fputc('"', out), write_ip(out, value), fputc('"', out); return;
	case DECISION_HOW_HEX: fprintf(out, "\"0x%0*" PRIx32 "\"", placeholder->width / 4, value); return;
	case DECISION_HOW_WORD:
		word = word_of(rule, value);
		if (!word)
			break;
		fprintf(out, "\"%s\"", word);
		return;
	case DECISION_HOW_RULE:
		named = rule_of(book, value >> 8, value & UINT8_MAX);
		if (!named)
			break;
		fprintf(out, "\"%s\"", named->name);
		return;
	default: break;
	}
	fprintf(out, "%" PRIu32, value);
}

/* Writes the numbers; fills `addr` with the first that is an address. */
static void write_numbers(FILE *out, const struct decision_book *book, const struct decision_rule *rule,
			  const struct decision *decision, char addr[9])
{
	const char *at = rule->sentence, *before, *comma = "";
	struct decision_placeholder placeholder;
	size_t length;
	bool good = true;
	while (decision_placeholder_take(&at, &before, &length, &placeholder, &good) && good) {
		if (placeholder.how >= DECISION_HOW_DEVICE)
			continue;
		uint32_t value = decision_placeholder_value(&placeholder, decision);
		if (placeholder.how == DECISION_HOW_ADDR && addr[0] == 0)
			snprintf(addr, 9, "%08" PRIx32, value);
		fprintf(out, "%s\"%s\":", comma, placeholder.name);
		comma = ",";
		if (placeholder.how == DECISION_HOW_EUI) {
			fprintf(out, "\"%08" PRIx32 "%08" PRIx32 "\"", decision->a, decision->b);
			continue;
		}
		write_number(out, book, rule, &placeholder, value);
	}
}

static void write_time(FILE *out, struct wall wall)
{
	time_t seconds = (time_t)(wall.us / US_PER_S);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	fprintf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", utc.tm_year + 1900, utc.tm_mon + 1,
		utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(wall.us / US_PER_MS % 1000));
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	return names[level];
}

const char *decision_kind_name(enum decision_kind kind)
{
	static const char *const names[] = {
		[DECISION_GOOD] = "good", [DECISION_GOING] = "going_on", [DECISION_PROBLEM] = "problem"};
	ASSERT_CMP((unsigned)kind, <=, DECISION_PROBLEM);
	return names[kind];
}

/* Rules are ours and hold nothing to escape: decision_check(). */
void decision_json(FILE *out, const struct decision_book *book, const struct decision *decision,
		   const struct decision_names *names)
{
	const struct decision_rule *rule = decision_rule(book, decision);
	char text[DECISION_TEXT], addr[9];
	if (!rule) {
		fputs("{}", out);
		return;
	}
	decision_say(text, book, decision, names);
	memcpy(addr, names->dev_addr, sizeof addr);
	fputs("{\"time\":", out);
	write_time(out, decision_time(decision));
	fprintf(out,
		",\"process\":\"%s\",\"verdict\":\"%s\",\"level\":\"%s\",\"kind\":\"%s\",\"sentence\":\"%s\","
		"\"next\":\"%s\"",
		book->process, rule->name, level_name(rule->level), decision_kind_name(rule->kind), text,
		rule->next);
	fputs(",\"numbers\":{", out);
	write_numbers(out, book, rule, decision, addr);
	fputc('}', out);
	if (names->device[0])
		fprintf(out, ",\"device\":\"%s\"", names->device);
	if (names->gateway[0])
		fprintf(out, ",\"gateway\":\"%s\"", names->gateway);
	if (addr[0])
		fprintf(out, ",\"dev_addr\":\"%s\"", addr);
	if (decision->about == DECISION_ABOUT_FRAME)
		fprintf(out, ",\"frame\":\"%08" PRIx32 "\"", decision->ref);
	if (names->item[0])
		fprintf(out, ",\"item\":\"%s\"", names->item);
	else if (decision->about == DECISION_ABOUT_ITEM)
		fprintf(out, ",\"item\":\"%08" PRIx32 "\"", decision->ref);
	fputc('}', out);
}

void decision_rules_json(FILE *out, const struct decision_book *book)
{
	const char *comma = "";
	fputs("{\"rules\":[", out);
	for (unsigned t = 0; t < book->count; t++)
		for (unsigned v = 0; v < book->tables[t].count; v++) {
			const struct decision_rule *rule = rule_of(book, t, v);
			if (!rule)
				continue;
			fprintf(out,
				"%s{\"process\":\"%s\",\"table\":\"%s\",\"verdict\":\"%s\",\"level\":\"%s\","
				"\"kind\":\"%s\",\"sentence\":\"%s\",\"next\":\"%s\"}",
				comma, book->process, book->tables[t].name, rule->name,
				level_name(rule->level), decision_kind_name(rule->kind), rule->sentence,
				rule->next);
			comma = ",";
		}
	fputs("]}", out);
}
