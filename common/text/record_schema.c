/* The rows. To add a field: a row here, a column in a migration of the application server, a member of the
 * replicated message if another process needs it. Everything else (validation, options, help, table columns)
 * follows. Profiles and gateways have files of their own: record_profile.c, record_gateway.c. */
#include "common/text/record_schema.h"

#include "common/base/check.h"
#include "common/text/record_rows.h"

#include <string.h>

static const char *const activations[] = {"otaa", "abp", NULL};
static const char *const custodies[] = {"city", "agency", NULL};
static const char *const data_classes[] = {"public", "sensitive", "private", "confidential", NULL};

/* Nobody has a quota but who is given one (application-server/quota.h). */
#define QUOTA(field, text)                                                                          \
	{                                                                                           \
		.name = field, .type = RECORD_INTEGER, .flags = RECORD_NULLABLE, .max = 1000000000, \
		.unit = "s", .help = text                                                           \
	}

static const struct record_field agency_fields[] = {
	ID,
	SLUG,
	NAME,
	{.name = "contact",
	 .type = RECORD_TEXT,
	 .flags = RECORD_LIST,
	 .max = 200,
	 .standard = "\"\"",
	 .help = "who answers for its sensors"},
	QUOTA("airtime_up_s_per_day", "seconds of uplink airtime a day of all its devices; beyond it is "
				      "told, never dropped; \"\": none"),
	QUOTA("airtime_down_s_per_day", "seconds of downlink airtime a day of all its devices; beyond it "
					"commands are refused; \"\": none"),
	QUOTA("device_airtime_up_s_per_day", "the same of each device that has none of its own"),
	QUOTA("device_airtime_down_s_per_day", "the same of each device that has none of its own"),
	CREATED,
};

static const struct record_field application_fields[] = {
	ID,
	SLUG,
	NAME,
	OWNER,
	{.name = "description",
	 .type = RECORD_TEXT,
	 .max = 500,
	 .standard = "\"\"",
	 .help = "what it is for"},
	{.name = "key_custody",
	 .type = RECORD_ENUM,
	 .flags = RECORD_LIST,
	 .names = custodies,
	 .standard = "\"city\"",
	 .help = "who can decrypt its devices' payloads; from each device's next join on"},
	TAGS,
	CREATED,
};

static const struct record_field deployment_fields[] = {
	ID,
	SLUG,
	NAME,
	OWNER,
	{.name = "summary",
	 .type = RECORD_TEXT,
	 .max = 300,
	 .standard = "\"\"",
	 .help = "plain words for residents"},
	{.name = "purpose",
	 .type = RECORD_TEXT,
	 .flags = RECORD_LIST,
	 .max = 500,
	 .standard = "\"\"",
	 .help = "why the city runs it"},
	{.name = "contact",
	 .type = RECORD_TEXT,
	 .max = 200,
	 .standard = "\"\"",
	 .help = "who answers for it"},
	{.name = "data_class",
	 .type = RECORD_ENUM,
	 .flags = RECORD_LIST,
	 .names = data_classes,
	 .standard = "\"sensitive\"",
	 .help = "how its data may be used"},
	CREATED,
};

static const struct record_field device_fields[] = {
	{.name = "dev_eui",
	 .type = RECORD_EUI,
	 .flags = RECORD_REQUIRED | RECORD_FIXED | RECORD_LIST,
	 .help = "the device's EUI"},
	NAME,
	{.name = "application",
	 .type = RECORD_REFERENCE,
	 .flags = RECORD_REQUIRED | RECORD_LIST,
	 .reference = RECORD_APPLICATION,
	 .help = "application that gets its readings"},
	{.name = "profile",
	 .type = RECORD_REFERENCE,
	 .flags = RECORD_REQUIRED | RECORD_LIST,
	 .reference = RECORD_PROFILE,
	 .help = "what kind of device it is"},
	{.name = "deployment",
	 .type = RECORD_REFERENCE,
	 .flags = RECORD_NULLABLE,
	 .reference = RECORD_DEPLOYMENT,
	 .help = "programme it belongs to; none: the agency's `unassigned`"},
	{.name = "activation",
	 .type = RECORD_ENUM,
	 .flags = RECORD_FIXED,
	 .names = activations,
	 .standard = "\"otaa\"",
	 .help = "how it enters the network"},
	{.name = "enabled",
	 .type = RECORD_BOOLEAN,
	 .flags = RECORD_LIST,
	 .standard = "true",
	 .help = "false: registered, but refused on the air"},
	{.name = "join_eui",
	 .type = RECORD_EUI,
	 .flags = RECORD_NULLABLE,
	 .help = "OTAA: JoinEUI (AppEUI); none: all zero"},
	{.name = "home_net_id",
	 .type = RECORD_NET_ID,
	 .flags = RECORD_NULLABLE,
	 .help = "OTAA: NetID of the network that has it join, where that is another's; \"\": not said"},
	{.name = "key_custody",
	 .type = RECORD_ENUM,
	 .flags = RECORD_NULLABLE,
	 .names = custodies,
	 .help = "who can decrypt its payloads, from its next join on; \"\": its application's"},
	KEY("app_key", "OTAA: AppKey; the one root key of a 1.0.x device"),
	KEY("nwk_key", "OTAA 1.1: NwkKey"),
	{.name = "dev_addr", .type = RECORD_DEV_ADDR, .flags = RECORD_NULLABLE, .help = "ABP: DevAddr"},
	KEY("nwk_s_key", "ABP: NwkSKey; 1.1: FNwkSIntKey"),
	KEY("s_nwk_s_int_key", "ABP 1.1: SNwkSIntKey"),
	KEY("nwk_s_enc_key", "ABP 1.1: NwkSEncKey"),
	KEY("app_s_key", "ABP: AppSKey"),
	{.name = "fcnt_up",
	 .type = RECORD_INTEGER,
	 .max = INT64_C(4294967295),
	 .standard = "0",
	 .help = "ABP: next uplink counter expected (imported sessions)"},
	{.name = "fcnt_down",
	 .type = RECORD_INTEGER,
	 .max = INT64_C(4294967295),
	 .standard = "0",
	 .help = "ABP: next downlink counter (imported sessions)"},
	QUOTA("airtime_up_s_per_day", "seconds of uplink airtime a day; \"\": its agency's for devices"),
	QUOTA("airtime_down_s_per_day", "seconds of downlink airtime a day; \"\": its agency's for devices"),
	LATITUDE,
	LONGITUDE,
	TAGS,
	{.name = "agency",
	 .type = RECORD_REFERENCE,
	 .flags = RECORD_SERVER,
	 .reference = RECORD_AGENCY,
	 .help = "agency of its application"},
	{.name = "last_seen",
	 .type = RECORD_TIME,
	 .flags = RECORD_SERVER | RECORD_LIST | RECORD_NULLABLE,
	 .help = "when it was heard last, by the server's clock"},
	{.name = "gateway_count",
	 .type = RECORD_INTEGER,
	 .flags = RECORD_SERVER | RECORD_NULLABLE,
	 .max = 65535,
	 .help = "gateways that heard it then"},
	{.name = "dr",
	 .type = RECORD_INTEGER,
	 .flags = RECORD_SERVER | RECORD_NULLABLE,
	 .max = 15,
	 .help = "data rate that it was heard at then"},
	{.name = "max_payload",
	 .type = RECORD_INTEGER,
	 .flags = RECORD_SERVER | RECORD_NULLABLE,
	 .max = 255,
	 .unit = "bytes",
	 .help = "longest downlink that fits at the data rate it was heard at last"},
	{.name = "battery_percent",
	 .type = RECORD_INTEGER,
	 .flags = RECORD_SERVER | RECORD_NULLABLE,
	 .max = 100,
	 .unit = "%",
	 .help = "battery, as it said last; none: external power, or it cannot measure"},
	{.name = "external_power",
	 .type = RECORD_BOOLEAN,
	 .flags = RECORD_SERVER | RECORD_NULLABLE,
	 .help = "whether it runs on external power, as it said last"},
	{.name = "margin_db",
	 .type = RECORD_INTEGER,
	 .flags = RECORD_SERVER | RECORD_NULLABLE,
	 .min = -32,
	 .max = 31,
	 .unit = "dB",
	 .help = "SNR beyond what it needs, at which it hears the network"},
	{.name = "status_at",
	 .type = RECORD_TIME,
	 .flags = RECORD_SERVER | RECORD_NULLABLE,
	 .help = "when it said so"},
	VERSION,
	CREATED,
};

#define FIELDS(fields_) .fields = (fields_), .field_count = ARRAY_SIZE(fields_)

static const struct record_schema agency = {RECORD_AGENCY,
					    "agency",
					    "agencies",
					    "Agencies",
					    "parts of the city that own sensors and their data",
					    "slug",
					    FIELDS(agency_fields)};
static const struct record_schema application = {RECORD_APPLICATION,
						 "application",
						 "applications",
						 "Applications",
						 "receivers of readings: one subscription each",
						 "slug",
						 FIELDS(application_fields)};
static const struct record_schema deployment = {RECORD_DEPLOYMENT,
						"deployment",
						"deployments",
						"Deployments",
						"programmes that devices belong to",
						"slug",
						FIELDS(deployment_fields)};
static const struct record_schema device = {
	RECORD_DEVICE,        "device", "devices", "Devices", "sensors and actuators on the air", "dev_eui",
	FIELDS(device_fields)};

static const struct record_schema *const schemas[RECORD_KIND_COUNT] = {
	[RECORD_AGENCY] = &agency,
	[RECORD_APPLICATION] = &application,
	[RECORD_PROFILE] = &record_profile_schema,
	[RECORD_DEPLOYMENT] = &deployment,
	[RECORD_DEVICE] = &device,
	[RECORD_GATEWAY] = &record_gateway_schema,
};

static const char *const type_names[RECORD_TYPE_COUNT] = {
	[RECORD_TEXT] = "text",
	[RECORD_SLUG] = "slug",
	[RECORD_UUID] = "uuid",
	[RECORD_EUI] = "eui",
	[RECORD_DEV_ADDR] = "dev_addr",
	[RECORD_NET_ID] = "net_id",
	[RECORD_SEALED_KEY] = "sealed_key",
	[RECORD_INTEGER] = "integer",
	[RECORD_NUMBER] = "number",
	[RECORD_BOOLEAN] = "boolean",
	[RECORD_ENUM] = "enum",
	[RECORD_TAGS] = "tags",
	[RECORD_OBJECT] = "object",
	[RECORD_REFERENCE] = "reference",
	[RECORD_TIME] = "time",
};

const char *record_type_name(enum record_type type)
{
	return (unsigned)type < RECORD_TYPE_COUNT ? type_names[type] : "unknown";
}

const struct record_schema *record_schema(enum record_kind kind)
{
	ASSERT_CMP((unsigned)kind, <, RECORD_KIND_COUNT);
	return schemas[kind];
}

const struct record_schema *record_schema_named(const char *name)
{
	for (size_t i = 0; i < RECORD_KIND_COUNT; i++)
		if (strcmp(schemas[i]->name, name) == 0)
			return schemas[i];
	return NULL;
}

const struct record_schema *record_schema_of_collection(const char *collection)
{
	for (size_t i = 0; i < RECORD_KIND_COUNT; i++)
		if (strcmp(schemas[i]->collection, collection) == 0)
			return schemas[i];
	return NULL;
}

const struct record_field *record_field(const struct record_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->field_count; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	return NULL;
}
