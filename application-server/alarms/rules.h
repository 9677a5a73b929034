/* Channels as the configuration words them: read, checked against each other, pure. */
#ifndef LAMPPOST_AS_ALARM_RULES_H
#define LAMPPOST_AS_ALARM_RULES_H

#include "application-server/alarms/notify.h"
#include "common/base/options.h"

#define AS_RULES_PROBLEM 300

/* For the rows of the configuration. */
bool as_alarm_channel_fits(const char *label, const char *text, char expect[OPTION_EXPECT_MAX]);
bool as_alarm_least_fits(const char *label, const char *text, char expect[OPTION_EXPECT_MAX]);
bool as_alarm_quiet_fits(const char *label, const char *text, char expect[OPTION_EXPECT_MAX]);

struct as_config;
/* Fills the rules of every channel; false with one line in `problem`: a name that is no channel's, mail without a mail server, a
 * topic without a broker. */
bool as_alarm_rules(const struct as_config *config, struct as_channel_rules rules[AS_CHANNELS_MAX],
		    size_t *count, char problem[AS_RULES_PROBLEM]);

#endif
