/* What the three files of the record store share: the statements of a kind, and how a field is bound and read. A field's
 * parameter and result column are both its place in the schema; behind them come what the list is ordered by, and the
 * slugs of the references. */
#ifndef LAMPPOST_AS_STORE_RECORDS_PRIVATE_H
#define LAMPPOST_AS_STORE_RECORDS_PRIVATE_H

#include "application-server/store_private.h"
#include "common/text/record_schema.h"

#include <jansson.h>

enum as_record_statement {
	INSERT,
	UPDATE,
	REMOVE,
	GET,
	GET_BY_SLUG,
	LIST,
	LIST_OF_AGENCY,
	LIST_OF_APPLICATION,
	PER_KIND
};

#define AS_KEY_STATEMENTS 6 /* one for each secret of a device */

/* Parameters of queries behind the scope's two. */
#define AS_FROM  3
#define AS_LIMIT 4
#define AS_WHOSE 5

/* --- store_records_sql.c */
const char *as_record_key_column(enum record_kind kind); /* "dev_eui", "eui", "id" */
/* False: put together from elsewhere (version, last_seen). */
bool as_record_is_column(const struct record_field *field);
bool as_record_may_update(const struct record_field *field);
size_t as_record_key_parameter(const struct record_schema *schema);
/* Lends the n-th secret of a device. */
const struct record_field *as_record_secret(int index);

/* --- store_records_values.c */
int64_t as_record_eui(const char *text);
void as_record_bind(struct db *db, int statement, int parameter, const struct record_field *field,
		    const json_t *value);
/* Gives the record of the current row; NULL without memory. */
json_t *as_record_read(struct db *db, int statement, const struct record_schema *schema);

#endif
