/* A field's value in SQL and in JSON:
 *
 *	EUI, DevAddr, NetID, time, boolean: integer; UUID, reference: 16 bytes; sealed key: 74 bytes; tags, object: JSON text (a name in the place of
 *	an object: with its quotes) */
#include "application-server/store_records_private.h"

#include "application-server/time_text.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/lorawan/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t as_record_eui(const char *text)
{
	struct lw_eui64 eui;
	ASSERT(lw_eui64_parse(text, &eui)); /* records are checked by the schema before they come here */
	return (int64_t)lw_eui64_number(&eui);
}

static void bind_json(struct db *db, int statement, int parameter, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	db_bind_text(db, statement, parameter, text);
	free(text);
}

void as_record_bind(struct db *db, int statement, int parameter, const struct record_field *field,
		    const json_t *value)
{
	if (!value || json_is_null(value)) {
		db_bind_null(db, statement, parameter);
		return;
	}
	const char *text = json_string_value(value);
	switch (field->type) {
	case RECORD_TEXT:
	case RECORD_SLUG:
	case RECORD_ENUM: db_bind_text(db, statement, parameter, text); break;
	case RECORD_UUID:
	case RECORD_REFERENCE: {
		struct net_uuid uuid;
		ASSERT(as_uuid_parse(text, &uuid));
		db_bind_blob(db, statement, parameter, uuid.bytes, sizeof uuid.bytes);
		break;
	}
	case RECORD_EUI: db_bind_i64(db, statement, parameter, as_record_eui(text)); break;
	case RECORD_DEV_ADDR: {
		struct lw_dev_addr dev_addr;
		ASSERT(lw_dev_addr_parse(text, &dev_addr));
		db_bind_i64(db, statement, parameter, dev_addr.value);
		break;
	}
	case RECORD_NET_ID: {
		struct lw_net_id net_id;
		ASSERT(lw_net_id_parse(text, &net_id));
		db_bind_i64(db, statement, parameter, net_id.value);
		break;
	}
	case RECORD_SEALED_KEY: {
		uint8_t blob[RECORD_SEALED_KEY_SIZE];
		size_t length = 0;
		ASSERT(base64_decode(blob, sizeof blob, &length, text, strlen(text)));
		db_bind_blob(db, statement, parameter, blob, length);
		break;
	}
	case RECORD_BOOLEAN: db_bind_i64(db, statement, parameter, json_is_true(value)); break;
	case RECORD_INTEGER:
	case RECORD_TIME: db_bind_i64(db, statement, parameter, json_integer_value(value)); break;
	case RECORD_NUMBER: db_bind_real(db, statement, parameter, json_number_value(value)); break;
	case RECORD_TAGS:
	case RECORD_OBJECT: bind_json(db, statement, parameter, value); break;
	case RECORD_TYPE_COUNT: break;
	}
}

static json_t *read_value(struct db *db, int statement, int column, const struct record_field *field)
{
	if (db_column_is_null(db, statement, column))
		return json_null();
	int64_t number = db_column_i64(db, statement, column);
	switch (field->type) {
	case RECORD_UUID:
	case RECORD_REFERENCE: {
		struct net_uuid uuid;
		char text[AS_UUID_TEXT];
		db_column_copy(db, statement, column, uuid.bytes, sizeof uuid.bytes);
		return json_string(as_uuid_format(text, &uuid));
	}
	case RECORD_EUI: {
		struct lw_eui64 eui = lw_eui64_from_number((uint64_t)number);
		char text[LW_EUI64_TEXT];
		lw_eui64_format(text, &eui);
		return json_string(text);
	}
	case RECORD_DEV_ADDR: {
		char text[LW_DEV_ADDR_TEXT];
		lw_dev_addr_format(text, (struct lw_dev_addr){(uint32_t)number});
		return json_string(text);
	}
	case RECORD_NET_ID: {
		char text[LW_NET_ID_TEXT];
		lw_net_id_format(text, (struct lw_net_id){(uint32_t)number});
		return json_string(text);
	}
	case RECORD_TIME: {
		char text[AS_TIME_TEXT];
		return json_string(as_time_format(text, (struct wall){number}));
	}
	case RECORD_BOOLEAN: return json_boolean(number != 0);
	case RECORD_INTEGER: return json_integer(number);
	case RECORD_NUMBER: return json_real(db_column_real(db, statement, column));
	case RECORD_TAGS:
	case RECORD_OBJECT: return json_loads(db_column_text(db, statement, column), JSON_DECODE_ANY, NULL);
	default: return json_string(db_column_text(db, statement, column));
	}
}

/* "application_slug" beside "application": for people, who do not read UUIDs. */
static int add_slug(json_t *record, struct db *db, int statement, int column,
		    const struct record_field *field)
{
	char name[48];
	snprintf(name, sizeof name, "%s_slug", field->name);
	return json_object_set_new(record, name,
				   db_column_is_null(db, statement, column)
					   ? json_null()
					   : json_string(db_column_text(db, statement, column)));
}

json_t *as_record_read(struct db *db, int statement, const struct record_schema *schema)
{
	json_t *record = json_object();
	int slug = (int)schema->field_count + 1;
	for (size_t i = 0; record && i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		if (field->flags & RECORD_SECRET)
			continue;
		int failed = json_object_set_new(record, field->name,
						 read_value(db, statement, (int)i, field));
		if (field->type == RECORD_REFERENCE)
			failed |= add_slug(record, db, statement, slug++, field);
		if (failed) {
			json_decref(record);
			return NULL;
		}
	}
	return record;
}
