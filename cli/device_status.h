/* `lamppost device status EUI`: how a sensor fares; `lamppost device list` with filters: which ones fare badly. */
#ifndef LAMPPOST_CLI_DEVICE_STATUS_H
#define LAMPPOST_CLI_DEVICE_STATUS_H

#include "cli/command.h"

#include <jansson.h>

extern const struct cli_command cli_device_status_commands[];
extern const size_t cli_device_status_command_count;

#define CLI_SPAN_TEXT 32
/* Fills "12 s", "5 min", "3 h", "9 days" and lends it. */
const char *cli_span_text(char text[CLI_SPAN_TEXT], json_int_t seconds);
/* Fills seconds with one decimal from a member in milliseconds, and lends it; "" where there is none. */
const char *cli_seconds_text(char text[CLI_SPAN_TEXT], const json_t *object, const char *member);

#endif
