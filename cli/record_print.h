/* Records for people (tables) and for programs (JSON). Secrets are never among what the server gives, and are left out here
 * all the same. */
#ifndef LAMPPOST_CLI_RECORD_PRINT_H
#define LAMPPOST_CLI_RECORD_PRINT_H

#include "common/text/record_schema.h"

/* One record: its fields, one a line; or JSON. */
void record_print_one(const struct record_schema *schema, const json_t *record, bool json);
/* A list: the columns that the schema names; or JSON. */
void record_print_list(const struct record_schema *schema, const json_t *items, bool json);

/* Gateways that are heard and not registered, and what to type next. */
void record_print_unregistered(const json_t *items, bool json);

#endif
