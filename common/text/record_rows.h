/* Rows that several kinds of record have, and the kinds whose rows stand in files of their own: for record_schema.c and
 * record_profile.c alone. */
#ifndef LAMPPOST_TEXT_RECORD_ROWS_H
#define LAMPPOST_TEXT_RECORD_ROWS_H

#include "common/text/record_schema.h"

extern const struct record_schema record_profile_schema, record_gateway_schema;

#define ID                                                                                              \
	{                                                                                               \
		.name = "id", .type = RECORD_UUID, .flags = RECORD_SERVER, .help = "made by the server" \
	}
#define SLUG                                                                                 \
	{                                                                                    \
		.name = "slug", .type = RECORD_SLUG, .flags = RECORD_REQUIRED | RECORD_LIST, \
		.help = "short name for paths and the command line"                          \
	}
#define NAME                                                                                           \
	{                                                                                              \
		.name = "name", .type = RECORD_TEXT, .flags = RECORD_REQUIRED | RECORD_LIST, .min = 1, \
		.max = 100, .help = "name for people"                                                  \
	}
#define OWNER                                                                                      \
	{                                                                                          \
		.name = "agency", .type = RECORD_REFERENCE,                                        \
		.flags = RECORD_REQUIRED | RECORD_FIXED | RECORD_LIST, .reference = RECORD_AGENCY, \
		.help = "agency that owns it"                                                      \
	}
#define TAGS                                                           \
	{                                                              \
		.name = "tags", .type = RECORD_TAGS, .standard = "{}", \
		.help = "free labels, delivered with every event"      \
	}
#define CREATED                                                                    \
	{                                                                          \
		.name = "created_at", .type = RECORD_TIME, .flags = RECORD_SERVER, \
		.help = "when it was registered"                                   \
	}
#define VERSION                                                                                      \
	{                                                                                            \
		.name = "version", .type = RECORD_INTEGER, .flags = RECORD_SERVER, .max = INT64_MAX, \
		.help = "version of the desired state that it changed last"                          \
	}
#define KEY(key, text)                                                                            \
	{                                                                                         \
		.name = key, .type = RECORD_SEALED_KEY, .flags = RECORD_SECRET | RECORD_NULLABLE, \
		.help = text                                                                      \
	}
#define LATITUDE                                                                                       \
	{                                                                                              \
		.name = "lat", .type = RECORD_NUMBER, .flags = RECORD_NULLABLE, .min = -90, .max = 90, \
		.unit = "degrees", .help = "latitude, WGS 84"                                          \
	}
#define LONGITUDE                                                                                        \
	{                                                                                                \
		.name = "lon", .type = RECORD_NUMBER, .flags = RECORD_NULLABLE, .min = -180, .max = 180, \
		.unit = "degrees", .help = "longitude, WGS 84"                                           \
	}

#endif
