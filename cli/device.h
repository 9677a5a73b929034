/* What only devices have: `lamppost device keys set` and `lamppost device import`. */
#ifndef LAMPPOST_CLI_DEVICE_H
#define LAMPPOST_CLI_DEVICE_H

#include "common/text/record_schema.h"

int cli_device_keys(const struct record_schema *schema, int argc, char **argv);
int cli_device_import(const struct record_schema *schema, int argc, char **argv);

#endif
