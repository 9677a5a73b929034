#include "application-server/alarms/rules.h"

#include "application-server/config.h"

#include <stdio.h>
#include <string.h>

/* Splits "kind rest"; false: no such kind. */
static bool read_type(const char *text, enum as_channel_type *type, const char **target)
{
	for (int i = 0; i < AS_CHANNEL_TYPES; i++) {
		const char *name = as_channel_type_name((enum as_channel_type)i);
		size_t length = strlen(name);
		if (strncmp(text, name, length) != 0 || (text[length] && text[length] != ' '))
			continue;
		*type = (enum as_channel_type)i;
		*target = text + length + strspn(text + length, " ");
		return true;
	}
	return false;
}

/* Addresses with commas between: each has one @ and nothing that could end a head or a command. */
static bool are_addresses(const char *text)
{
	size_t ats = 0, letters = 0, count = 0;
	for (;; text++) {
		if (*text == ',' || *text == '\0') {
			if (ats != 1 || letters < 3 || ++count > 16)
				return false;
			ats = letters = 0;
			if (*text == '\0')
				return true;
			text += strspn(text + 1, " ");
		} else if (*text <= ' ' || strchr("<>()[]\\\";:", *text)) {
			return false;
		} else {
			ats += *text == '@';
			letters++;
		}
	}
}

static bool is_url(const char *text)
{
	bool web = strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
	return web && strchr(text, '/')[2] != '\0' && !strchr(text, ' ');
}

static bool is_label(const char *label)
{
	size_t length = strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-_");
	return length > 0 && length < AS_CHANNEL_NAME && label[length] == '\0';
}

bool as_alarm_channel_fits(const char *label, const char *text, char expect[OPTION_EXPECT_MAX])
{
	enum as_channel_type type;
	const char *target;
	if (!is_label(label)) {
		snprintf(expect, OPTION_EXPECT_MAX,
			 "expected a name of up to %d small letters, digits and hyphens",
			 AS_CHANNEL_NAME - 1);
		return false;
	}
	bool fits = read_type(text, &type, &target) && (type == AS_CHANNEL_WEBHOOK ? is_url(target)
							: type == AS_CHANNEL_MAIL  ? are_addresses(target)
										   : *target == '\0');
	if (!fits)
		snprintf(expect, OPTION_EXPECT_MAX,
			 "expected 'webhook https://...', 'mail ADDRESS, ADDRESS' or 'mqtt'");
	return fits;
}

bool as_alarm_least_fits(const char *label, const char *text, char expect[OPTION_EXPECT_MAX])
{
	enum as_severity severity;
	(void)label;
	snprintf(expect, OPTION_EXPECT_MAX, "expected notice, warning or critical");
	return as_severity_parse(text, &severity);
}

bool as_alarm_quiet_fits(const char *label, const char *text, char expect[OPTION_EXPECT_MAX])
{
	struct as_quiet quiet;
	(void)label;
	snprintf(expect, OPTION_EXPECT_MAX, "expected " AS_QUIET_FORM);
	return as_quiet_parse(text, &quiet);
}

/* --- all of them --------------------------------------------------------------------------------------------- */

static struct as_channel_rules *find(struct as_channel_rules *rules, size_t count, const char *name,
				     const char *key, char problem[AS_RULES_PROBLEM])
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	snprintf(problem, AS_RULES_PROBLEM,
		 "application-server.alarms.%s: %s: expected the name of a channel", key, name);
	return NULL;
}

static bool read_channels(const struct as_config *config, struct as_channel_rules *rules, size_t *count,
			  char problem[AS_RULES_PROBLEM])
{
	for (size_t i = 0; i < config->alarm_channels.count && i < AS_CHANNELS_MAX; i++) {
		struct as_channel_rules *rule = &rules[(*count)++];
		const char *text = config->alarm_channels.entries[i].value, *target = "", *needs = NULL;
		*rule = (struct as_channel_rules){.least = AS_WARNING, .breaks_quiet = true};
		snprintf(rule->name, sizeof rule->name, "%.31s", config->alarm_channels.entries[i].label);
		if (!read_type(text, &rule->type, &target))
			continue; /* its row refused it */
		snprintf(rule->target, sizeof rule->target, "%s", target);
		if (rule->type == AS_CHANNEL_MAIL && !config->smtp_host[0])
			needs = "alarms.smtp.host";
		if (rule->type == AS_CHANNEL_MQTT && !config->mqtt_host[0])
			needs = "mqtt.host";
		if (needs) {
			snprintf(problem, AS_RULES_PROBLEM,
				 "application-server.alarms.channels: %s: expected %s beside it", rule->name,
				 needs);
			return false;
		}
	}
	return true;
}

bool as_alarm_rules(const struct as_config *config, struct as_channel_rules rules[AS_CHANNELS_MAX],
		    size_t *count, char problem[AS_RULES_PROBLEM])
{
	struct as_channel_rules *rule;
	*count = 0;
	if (!read_channels(config, rules, count, problem))
		return false;
	for (size_t i = 0; i < config->alarm_least.count; i++) {
		rule = find(rules, *count, config->alarm_least.entries[i].label, "least", problem);
		if (!rule)
			return false;
		(void)as_severity_parse(config->alarm_least.entries[i].value, &rule->least);
	}
	for (size_t i = 0; i < config->alarm_quiet.count; i++) {
		rule = find(rules, *count, config->alarm_quiet.entries[i].label, "quiet", problem);
		if (!rule)
			return false;
		(void)as_quiet_parse(config->alarm_quiet.entries[i].value, &rule->quiet);
	}
	for (size_t i = 0; i < config->alarm_quiet_all.count; i++) {
		rule = find(rules, *count, config->alarm_quiet_all.items[i], "quiet_all", problem);
		if (!rule)
			return false;
		rule->breaks_quiet = false;
	}
	for (size_t i = 0; i < config->alarm_secret_files.count; i++) {
		rule = find(rules, *count, config->alarm_secret_files.entries[i].label, "secret_files",
			    problem);
		if (!rule)
			return false;
		snprintf(rule->secret_file, sizeof rule->secret_file, "%s",
			 config->alarm_secret_files.entries[i].value);
	}
	return true;
}
