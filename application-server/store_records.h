/* Records of city.db as JSON objects in the form of the record schema: one set of functions for all kinds. References
 * in a record are UUIDs (resolved before it is stored); what is read has each one's slug beside it, as `agency_slug`. Whatever is asked for a caller takes the caller's scope; what the
 * scope does not show is ST_NOT_FOUND. Secrets are written here and never read back. */
#ifndef LAMPPOST_AS_STORE_RECORDS_H
#define LAMPPOST_AS_STORE_RECORDS_H

#include "application-server/agencies/scope.h"
#include "application-server/store.h"

#include <jansson.h>

#define AS_CURSOR_TEXT 24

/* Fills a new object, the caller frees it. `id`: UUID, slug, or EUI for devices and gateways. ST_CONFLICT: several
 * records that the caller sees have this slug. */
enum status as_store_record_get(struct as_store *store, const struct as_scope *scope, enum record_kind kind,
				const char *id, json_t **record) MUST_USE;

struct as_list_query {
	const struct net_uuid *agency;      /* NULL: all that the scope shows */
	const struct net_uuid *application; /* devices alone; NULL: any */
	const char *after;                  /* a cursor, or NULL */
	unsigned limit;
};
/* Fills a new array and the cursor of the next page ("": there is none). ST_INVALID: no such cursor. */
enum status as_store_record_list(struct as_store *store, const struct as_scope *scope, enum record_kind kind,
				 const struct as_list_query *query, json_t **items,
				 char next[AS_CURSOR_TEXT]) MUST_USE;

/* Stores a whole record: all fields of the schema, `id` and `created_at` (`now`) included where the kind has them, and
 * `agency` of devices. ST_EXISTS: EUI, UUID or slug is taken; ST_CONFLICT: a reference dangles. */
enum status as_store_record_insert(struct as_store *store, enum record_kind kind, const json_t *record,
				   struct wall now) MUST_USE;
/* Writes the fields that may change and are no secret. */
enum status as_store_record_update(struct as_store *store, enum record_kind kind,
				   const json_t *record) MUST_USE;
/* Stores one sealed key of a device; JSON null removes it. */
enum status as_store_device_set_key(struct as_store *store, const char *dev_eui, const char *field,
				    const json_t *sealed) MUST_USE;
/* Removes it. ST_CONFLICT: something refers to it. */
enum status as_store_record_remove(struct as_store *store, enum record_kind kind,
				   const json_t *record) MUST_USE;

#endif
