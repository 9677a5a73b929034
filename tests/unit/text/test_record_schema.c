#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/proto/network_messages.h"
#include "common/text/record_schema.h"

#include <stdio.h>
#include <string.h>

#define DEVICE  "\"dev_eui\":\"0102030405060708\",\"name\":\"n\",\"application\":\"a\",\"profile\":\"p\""
#define GATEWAY "\"eui\":\"0102030405060708\",\"name\":\"n\",\"region\":\"eu868\""
#define PROFILE "\"slug\":\"p\",\"name\":\"n\",\"region\":\"eu868\",\"mac_version\":\"1.0.4\""

static char sealed[BASE64_ROOM(RECORD_SEALED_KEY_SIZE)];

static const struct {
	const char *name;
	enum record_kind kind;
	enum record_mode mode;
	const char *json;
	const char *field; /* of the first problem; NULL: accepted */
	const char *reason;
} rows[] = {
	{"the least device is accepted", RECORD_DEVICE, RECORD_CREATE, "{" DEVICE "}", NULL, NULL},
	{"anything but an object is refused", RECORD_DEVICE, RECORD_CREATE, "[]", "",
	 "must be a JSON object"},
	{"a missing required field is named", RECORD_AGENCY, RECORD_CREATE, "{\"slug\":\"parks\"}", "name",
	 "is required"},
	{"a change needs no required field", RECORD_AGENCY, RECORD_CHANGE, "{\"contact\":\"x\"}", NULL, NULL},
	{"an unknown field is refused", RECORD_AGENCY, RECORD_CHANGE, "{\"colour\":\"x\"}", "colour",
	 "is not a field (of: agency)"},
	{"what the server makes is refused", RECORD_DEVICE, RECORD_CREATE, "{" DEVICE ",\"version\":1}",
	 "version", "is made by the server"},
	{"a fixed field does not change", RECORD_DEVICE, RECORD_CHANGE, "{\"dev_eui\":\"0102030405060708\"}",
	 "dev_eui", "may not change after creation"},
	{"an EUI has 16 digits", RECORD_GATEWAY, RECORD_CREATE,
	 "{\"eui\":\"01\",\"name\":\"n\",\"region\":\"eu868\"}", "eui", "must be 16 hexadecimal digits"},
	{"an EUI is a text", RECORD_GATEWAY, RECORD_CREATE, "{\"eui\":1,\"name\":\"n\",\"region\":\"eu868\"}",
	 "eui", "must be a text"},
	{"a slug has no capitals", RECORD_AGENCY, RECORD_CHANGE, "{\"slug\":\"Parks\"}", "slug",
	 "must be 1 to 63 of a-z, 0-9 and -, without - at an end"},
	{"a slug is not taken for an EUI", RECORD_AGENCY, RECORD_CHANGE, "{\"slug\":\"0102030405060708\"}",
	 "slug", "must not look like a UUID or an EUI"},
	{"a text has a length", RECORD_AGENCY, RECORD_CHANGE, "{\"name\":\"\"}", "name",
	 "must have 1 to 100 bytes, has 0"},
	{"a text has no control characters", RECORD_AGENCY, RECORD_CHANGE, "{\"name\":\"a\\nb\"}", "name",
	 "must not hold control characters"},
	{"an integer has bounds", RECORD_PROFILE, RECORD_CREATE, "{" PROFILE ",\"rx_delay_s\":16}",
	 "rx_delay_s", "must be 0 to 15"},
	{"a fraction is no integer", RECORD_PROFILE, RECORD_CREATE, "{" PROFILE ",\"rx_delay_s\":1.5}",
	 "rx_delay_s", "must be an integer"},
	{"a whole real is an integer", RECORD_PROFILE, RECORD_CREATE, "{" PROFILE ",\"rx_delay_s\":1.0}",
	 NULL, NULL},
	{"an enum lists its names", RECORD_PROFILE, RECORD_CREATE, "{" PROFILE ",\"class\":\"D\"}", "class",
	 "must be one of A, B, C"},
	{"null where there is no null", RECORD_PROFILE, RECORD_CHANGE, "{\"adr\":null}", "adr",
	 "must not be null"},
	{"null where there is", RECORD_PROFILE, RECORD_CHANGE, "{\"rx2_dr\":null}", NULL, NULL},
	{"latitude has bounds", RECORD_GATEWAY, RECORD_CREATE, "{" GATEWAY ",\"lat\":90.5,\"lon\":0}", "lat",
	 "must be -90 to 90"},
	{"a permission ends on a day", RECORD_GATEWAY, RECORD_CREATE,
	 "{" GATEWAY ",\"permission_until\":\"2027-02-29\"}", "permission_until",
	 "must be a day, as in 2027-05-31"},
	{"a permission ends on a day of ten characters", RECORD_GATEWAY, RECORD_CHANGE,
	 "{\"permission_until\":\"2027-5-1\"}", "permission_until", "must be a day, as in 2027-05-31"},
	{"latitude goes with longitude", RECORD_GATEWAY, RECORD_CREATE, "{" GATEWAY ",\"lat\":9}", "lon",
	 "must be given together with lat"},
	{"tags are texts", RECORD_DEVICE, RECORD_CREATE, "{" DEVICE ",\"tags\":{\"a\":1}}", "tags",
	 "every tag must be a text"},
	{"hex digits as key are a key in clear", RECORD_DEVICE, RECORD_CREATE,
	 "{" DEVICE ",\"app_key\":\"000102030405060708090a0b0c0d0e0f\"}", "app_key",
	 "is a key in clear; keys travel sealed to their reader (GET /api/v1/keys)"},
	{"sixteen bytes as key are a key in clear", RECORD_DEVICE, RECORD_CREATE,
	 "{" DEVICE ",\"app_key\":\"AAECAwQFBgcICQoLDA0ODw==\"}", "app_key",
	 "is a key in clear; keys travel sealed to their reader (GET /api/v1/keys)"},
	{"a sealed key has its length", RECORD_DEVICE, RECORD_CREATE, "{" DEVICE ",\"app_key\":\"AAECAw==\"}",
	 "app_key", "must be base64 of a sealed key (74 bytes)"},
	{"an ABP device has an address", RECORD_DEVICE, RECORD_CREATE, "{" DEVICE ",\"activation\":\"abp\"}",
	 "dev_addr", "is required with activation abp"},
	{"an OTAA device has none", RECORD_DEVICE, RECORD_CREATE, "{" DEVICE ",\"dev_addr\":\"01020304\"}",
	 "dev_addr", "belongs to activation abp"},
	{"a NetID has six digits", RECORD_DEVICE, RECORD_CHANGE, "{\"home_net_id\":\"0060000d\"}",
	 "home_net_id", "must be 6 hexadecimal digits"},
	{"and is text", RECORD_DEVICE, RECORD_CHANGE, "{\"home_net_id\":19}", "home_net_id",
	 "must be a text"},
	{"a home may be named", RECORD_DEVICE, RECORD_CREATE, "{" DEVICE ",\"home_net_id\":\"60000D\"}", NULL,
	 NULL},
	{"and taken back", RECORD_DEVICE, RECORD_CHANGE, "{\"home_net_id\":null}", NULL, NULL},
	{"an ABP device joins nowhere", RECORD_DEVICE, RECORD_CREATE,
	 "{" DEVICE ",\"activation\":\"abp\",\"dev_addr\":\"01020304\",\"home_net_id\":\"60000d\"}",
	 "home_net_id", "does not belong to activation abp"},
	{"a codec is an object", RECORD_PROFILE, RECORD_CHANGE, "{\"codec\":7}", "codec",
	 "must be an object"},
	{"the longest list of names is told to its end", RECORD_PROFILE, RECORD_CHANGE,
	 "{\"regional_revision\":\"rp9\"}", "regional_revision",
	 "must be one of rp001-1.0, rp001-1.0.1, rp001-1.0.2a, rp001-1.0.2b, rp001-1.0.3a, rp001-1.1a, "
	 "rp001-1.1b, "
	 "rp002-1.0.0, rp002-1.0.1, rp002-1.0.2, rp002-1.0.3, rp002-1.0.4"},
	{"or the name of a built-in one", RECORD_PROFILE, RECORD_CHANGE, "{\"codec\":\"cayenne\"}", "codec",
	 "must be one of cayenne-lpp"},
};

static void validation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		json_t *object = json_loads(rows[i].json, 0, NULL), *normal = NULL;
		assert_non_null(object);
		struct record_problems problems;
		enum status status = record_check(record_schema(rows[i].kind), rows[i].mode, object, &normal,
						  &problems);
		t_int("status", rows[i].field ? ST_INVALID : ST_OK, status);
		if (rows[i].field && t_uint("problems", 1, problems.count)) {
			t_str("field", rows[i].field, problems.items[0].field);
			t_str("reason", rows[i].reason, problems.items[0].reason);
		}
		json_decref(normal);
		json_decref(object);
	}
}

static void creation_fills_defaults_and_normal_forms(void **state)
{
	(void)state;
	char text[400];
	snprintf(text, sizeof text,
		 "{\"dev_eui\":\"A1B2C3D4E5F60718\",\"name\":\"n\",\"application\":\"a\",\"profile\":\"p\","
		 "\"app_key\":\"%s\"}",
		 sealed);
	json_t *object = json_loads(text, 0, NULL), *normal = NULL;
	struct record_problems problems;
	assert_int_equal(
		ST_OK, record_check(record_schema(RECORD_DEVICE), RECORD_CREATE, object, &normal, &problems));
	t_str("dev_eui", "a1b2c3d4e5f60718", json_string_value(json_object_get(normal, "dev_eui")));
	t_str("activation", "otaa", json_string_value(json_object_get(normal, "activation")));
	t_true("enabled", json_is_true(json_object_get(normal, "enabled")));
	t_true("deployment", json_is_null(json_object_get(normal, "deployment")));
	t_str("app_key", sealed, json_string_value(json_object_get(normal, "app_key")));
	t_true("no version", json_object_get(normal, "version") == NULL);
	json_decref(normal);
	json_decref(object);
}

static const struct {
	const char *name;
	enum record_kind kind;
	const char *field;
	const char *text;
	const char *again; /* NULL: refused */
} texts[] = {
	{"integer", RECORD_PROFILE, "rx_delay_s", "5", "5"},
	{"integer with rubbish", RECORD_PROFILE, "rx_delay_s", "5s", NULL},
	{"number", RECORD_DEVICE, "lat", "50.25", "50.25"},
	{"boolean", RECORD_PROFILE, "adr", "no", "false"},
	{"neither yes nor no", RECORD_PROFILE, "adr", "maybe", NULL},
	{"tags", RECORD_DEVICE, "tags", "k=v;route=R=07", "k=v;route=R=07"},
	{"tags without a name", RECORD_DEVICE, "tags", "=v", NULL},
	{"empty is null", RECORD_DEVICE, "lat", "", ""},
	{"object", RECORD_PROFILE, "codec", "{\"a\": 1}", "{\"a\":1}"},
	{"a name in the place of an object", RECORD_PROFILE, "codec", "cayenne-lpp", "cayenne-lpp"},
	{"a fraction in an object is shown as it was written", RECORD_PROFILE, "codec",
	 "{\"scale\":0.1,\"third\":0.333333333333333}", "{\"scale\":0.1,\"third\":0.333333333333333}"},
	{"an object that is none", RECORD_PROFILE, "codec", "{\"a\"", NULL},
	{"a secret is never shown", RECORD_DEVICE, "app_key", "abc", ""},
};

static void text_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		t_row(texts[i].name);
		const struct record_field *field = record_field(record_schema(texts[i].kind), texts[i].field);
		assert_non_null(field);
		json_t *value = NULL;
		struct record_problem problem;
		enum status status = record_value_from_text(field, texts[i].text, &value, &problem);
		t_int("status", texts[i].again ? ST_OK : ST_INVALID, status);
		char again[100] = "";
		if (texts[i].again) {
			record_value_to_text(field, value, again, sizeof again);
			t_str("again", texts[i].again, again);
		}
		json_decref(value);
	}
}

/* The names of a profile's choices are those that its readers know, in their order; and nothing is told of a gateway that only a
 * device has. */
static void choices_are_what_readers_know(void **state)
{
	(void)state;
	const struct record_schema *profile = record_schema(RECORD_PROFILE);
	const char *const *revisions = record_field(profile, "regional_revision")->names;
	const char *const *rejoins = record_field(profile, "rejoin")->names;
	for (int i = 0; i < LW_REGIONAL_REVISION_COUNT; i++)
		t_str("revision", lw_regional_revision_name((enum lw_regional_revision)i), revisions[i]);
	t_true("no more revisions", revisions[LW_REGIONAL_REVISION_COUNT] == NULL);
	for (int i = 0; i < NET_REJOINS; i++) {
		enum net_rejoin rejoin;
		t_true("known", net_rejoin_parse(rejoins[i], &rejoin));
		t_int("in their order", i, rejoin);
	}
	t_true("no more rejoins", rejoins[NET_REJOINS] == NULL);
	t_true("a gateway has no data rate", record_field(record_schema(RECORD_GATEWAY), "dr") == NULL);
	t_true("nor is it heard by gateways",
	       record_field(record_schema(RECORD_GATEWAY), "gateway_count") == NULL);
}

/* The rows themselves: what every other part relies on. */
static void tables_are_whole(void **state)
{
	(void)state;
	for (int kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		const struct record_schema *schema = record_schema((enum record_kind)kind);
		t_row(schema->name);
		t_true("kind", (int)schema->kind == kind);
		t_true("by name", record_schema_named(schema->name) == schema);
		t_true("by collection", record_schema_of_collection(schema->collection) == schema);
		t_true("identifier", record_field(schema, schema->identifier) != NULL);
		t_true("fields fit", schema->field_count <= RECORD_FIELDS_MAX);
		json_t *normal = json_object();
		t_int("defaults parse", ST_OK, record_fill(schema, normal));
		const char *name;
		json_t *value;
		json_object_foreach(normal, name, value)
		{
			json_t *one = json_pack("{sO}", name, value), *checked = NULL;
			const struct record_field *field = record_field(schema, name);
			struct record_problems problems;
			if (!(field->flags & RECORD_FIXED))
				t_int(name, ST_OK,
				      record_check(schema, RECORD_CHANGE, one, &checked, &problems));
			json_decref(checked);
			json_decref(one);
		}
		json_decref(normal);
		for (size_t i = 0; i < schema->field_count; i++) {
			const struct record_field *field = &schema->fields[i];
			t_true(field->name, field->help && *field->help);
			t_true(field->name, field->type != RECORD_ENUM || field->names);
			t_true(field->name, record_field(schema, field->name) == field);
		}
	}
}

int main(void)
{
	const uint8_t blob[RECORD_SEALED_KEY_SIZE] = {1, 2, 3};
	base64_encode(sealed, blob, sizeof blob);
	const struct CMUnitTest tests[] = {
		t_test(validation),       t_test(creation_fills_defaults_and_normal_forms),
		t_test(text_both_ways),   t_test(choices_are_what_readers_know),
		t_test(tables_are_whole),
	};
	return t_run(tests);
}
