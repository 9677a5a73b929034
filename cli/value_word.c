#include "cli/value_word.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *collection, *member;
} kinds[CLI_VALUE_KIND_COUNT] = {
	[CLI_VALUE_FREE] = {"free", NULL, NULL},
	[CLI_VALUE_FILE] = {"file", NULL, NULL},
	[CLI_VALUE_DIR] = {"dir", NULL, NULL},
	[CLI_VALUE_CHOICE] = {"choice", NULL, NULL},
	[CLI_VALUE_DEVICE] = {"device", "devices", "dev_eui"},
	[CLI_VALUE_GATEWAY] = {"gateway", "gateways", "eui"},
	[CLI_VALUE_AGENCY] = {"agency", "agencies", "slug"},
	[CLI_VALUE_APPLICATION] = {"application", "applications", "slug"},
	[CLI_VALUE_PROFILE] = {"profile", "profiles", "slug"},
	[CLI_VALUE_DEPLOYMENT] = {"deployment", "deployments", "slug"},
};

static const struct {
	const char *word;
	enum cli_value_kind kind;
} words[] = {
	{"EUI", CLI_VALUE_DEVICE},      {"GATEWAY", CLI_VALUE_GATEWAY},
	{"AGENCY", CLI_VALUE_AGENCY},   {"APPLICATION", CLI_VALUE_APPLICATION},
	{"PROFILE", CLI_VALUE_PROFILE}, {"DEPLOYMENT", CLI_VALUE_DEPLOYMENT},
	{"FILE", CLI_VALUE_FILE},       {"FILE.csv", CLI_VALUE_FILE},
	{"@FILE", CLI_VALUE_FILE},      {"FILE|-", CLI_VALUE_FILE},
	{"PATH", CLI_VALUE_FILE},       {"DIR", CLI_VALUE_DIR},
};

static const struct {
	const char *option;
	enum cli_value_kind kind;
} options[] = {
	{"agency", CLI_VALUE_AGENCY},   {"application", CLI_VALUE_APPLICATION},
	{"profile", CLI_VALUE_PROFILE}, {"deployment", CLI_VALUE_DEPLOYMENT},
	{"device", CLI_VALUE_DEVICE},   {"gateway", CLI_VALUE_GATEWAY},
};

const char *cli_value_collection(enum cli_value_kind kind)
{
	return kinds[kind].collection;
}

const char *cli_value_member(enum cli_value_kind kind)
{
	return kinds[kind].member;
}

const char *cli_value_kind_name(enum cli_value_kind kind)
{
	return kinds[kind].name;
}

enum cli_value_kind cli_value_kind_named(const char *name)
{
	for (int kind = 0; kind < CLI_VALUE_KIND_COUNT; kind++)
		if (strcmp(kinds[kind].name, name) == 0)
			return (enum cli_value_kind)kind;
	return CLI_VALUE_FREE;
}

bool cli_operand_next(const char **operands, struct cli_operand *operand)
{
	const char *at = *operands ? *operands : "";
	at += strspn(at, " ");
	size_t length = strcspn(at, " ");
	if (length == 0)
		return false;
	*operand = (struct cli_operand){.optional = at[0] == '['};
	*operands = at + length;
	size_t skip = operand->optional ? 1 : 0;
	if (operand->optional && at[length - 1] == ']')
		length--;
	if (length - skip > 3 && strncmp(at + length - 3, "...", 3) == 0) {
		operand->repeats = true;
		length -= 3;
	}
	ASSERT_CMP(length - skip, <, sizeof operand->word);
	memcpy(operand->word, at + skip, length - skip);
	return true;
}

static enum cli_value_kind kind_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].kind;
	bool small = word[0] != '\0';
	for (const char *at = word; *at; at++)
		small = small &&
			((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || strchr("|-_.", *at));
	return small ? CLI_VALUE_CHOICE : CLI_VALUE_FREE;
}

enum cli_value_kind cli_operand_kind(const char *group, const char *word)
{
	return strcmp(group, "gateway") == 0 && strcmp(word, "EUI") == 0 ? CLI_VALUE_GATEWAY : kind_of(word);
}

enum cli_value_kind cli_option_kind(const char *name, const char *word)
{
	if (!word || word[0] == '[')
		return CLI_VALUE_FREE;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].option, name) == 0)
			return options[i].kind;
	return kind_of(word);
}

bool cli_choice_next(const char **choices, char choice[64])
{
	const char *at = *choices;
	size_t length = strcspn(at, "|");
	if (length == 0 || length >= 64)
		return false;
	memcpy(choice, at, length);
	choice[length] = '\0';
	*choices = at + length + (at[length] == '|');
	return true;
}
