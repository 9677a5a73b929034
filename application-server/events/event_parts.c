#include "application-server/events/event_parts.h"

#include "application-server/time_text.h"
#include "application-server/uuid.h"
#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void as_put_uuid(struct json_out *out, const char *name, const struct net_uuid *uuid)
{
	char text[AS_UUID_TEXT];
	json_out_text(out, name, as_uuid_format(text, uuid));
}

void as_put_time(struct json_out *out, const char *name, struct wall time)
{
	char text[AS_TIME_TEXT];
	json_out_text(out, name, as_time_format(text, time));
}

/* A duration: decimal seconds with 0, 3, 6 or 9 decimals. */
void as_put_duration(struct json_out *out, const char *name, int64_t seconds, uint32_t ns)
{
	char text[40];
	if (ns == 0)
		snprintf(text, sizeof text, "%" PRId64 "s", seconds);
	else if (ns % 1000000 == 0)
		snprintf(text, sizeof text, "%" PRId64 ".%03us", seconds, ns / 1000000);
	else if (ns % 1000 == 0)
		snprintf(text, sizeof text, "%" PRId64 ".%06us", seconds, ns / 1000);
	else
		snprintf(text, sizeof text, "%" PRId64 ".%09us", seconds, ns);
	json_out_text(out, name, text);
}

/* --- deviceInfo --------------------------------------------------------------------------------------------- */

/* The application's tags, then the profile's, then the device's: the later wins. */
static void put_tags(struct json_out *out, const struct as_device_info *device)
{
	const char *const texts[] = {device->application_tags, device->profile_tags, device->device_tags};
	json_t *merged = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(texts[i], "{}") == 0)
			continue;
		json_t *tags = json_loads(texts[i], 0, NULL);
		if (!merged)
			merged = tags;
		else {
			json_object_update(merged, tags);
			json_decref(tags);
		}
	}
	const char *key;
	json_t *value;
	json_out_open(out, "tags", '{');
	json_object_foreach(merged, key, value)
	{
		json_out_tag(out, key, json_is_string(value) ? json_string_value(value) : "");
	}
	json_out_close(out, '}');
	json_decref(merged);
}

void as_put_device_info(struct json_out *out, const struct lw_eui64 *dev_eui,
			const struct as_device_info *device)
{
	static const struct as_device_info unknown = {
		.device_class = 'A', .application_tags = "{}", .profile_tags = "{}", .device_tags = "{}"};
	char eui[LW_EUI64_TEXT], class_name[] = "CLASS_A";
	lw_eui64_format(eui, dev_eui);
	if (!device)
		device = &unknown;
	class_name[sizeof class_name - 2] = device->device_class;
	json_out_open(out, "deviceInfo", '{');
	as_put_uuid(out, "tenantId", &device->agency);
	json_out_text(out, "tenantName", device->agency_name);
	as_put_uuid(out, "applicationId", &device->application);
	json_out_text(out, "applicationName", device->application_name);
	as_put_uuid(out, "deviceProfileId", &device->profile);
	json_out_text(out, "deviceProfileName", device->profile_name);
	json_out_text(out, "deviceName", device->name);
	json_out_text(out, "devEui", eui);
	json_out_text(out, "deviceClassEnabled", class_name);
	put_tags(out, device);
	json_out_close(out, '}');
}

void as_put_unless_zero(struct json_out *out, const char *name, int64_t value)
{
	if (value)
		json_out_integer(out, name, value);
}

static const struct {
	const char *ours, *theirs;
} code_rates[] = {
	{"4/5", "CR_4_5"},      {"4/6", "CR_4_6"},      {"4/7", "CR_4_7"},      {"4/8", "CR_4_8"},
	{"4/5LI", "CR_LI_4_5"}, {"4/6LI", "CR_LI_4_6"}, {"4/8LI", "CR_LI_4_8"}, {"1/3", "CR_2_6"},
	{"2/6", "CR_2_6"},      {"2/3", "CR_4_6"},      {"1/2", "CR_4_8"},      {"5/6", "CR_5_6"},
	{"3/8", "CR_3_8"},      {"1/4", "CR_1_4"},      {"1/6", "CR_1_6"},
};

static void put_code_rate(struct json_out *out, const char *code_rate)
{
	for (size_t i = 0; i < ARRAY_SIZE(code_rates); i++)
		if (strcmp(code_rates[i].ours, code_rate) == 0)
			json_out_text(out, "codeRate", code_rates[i].theirs);
}

void as_put_modulation(struct json_out *out, const struct lw_modulation *modulation, bool inverted)
{
	json_out_open(out, "modulation", '{');
	switch (modulation->kind) {
	case LW_LORA:
		json_out_open(out, "lora", '{');
		json_out_integer(out, "bandwidth", modulation->bandwidth_hz);
		json_out_integer(out, "spreadingFactor", modulation->spreading_factor);
		put_code_rate(out, modulation->code_rate);
		if (inverted)
			json_out_bool(out, "polarizationInversion", true);
		break;
	case LW_FSK:
		json_out_open(out, "fsk", '{');
		as_put_unless_zero(out, "frequencyDeviation", modulation->freq_deviation_hz);
		json_out_integer(out, "datarate", modulation->bit_rate_bps);
		break;
	case LW_LR_FHSS:
		json_out_open(out, "lrFhss", '{');
		json_out_integer(out, "operatingChannelWidth", modulation->bandwidth_hz);
		put_code_rate(out, modulation->code_rate);
		break;
	}
	json_out_close(out, '}');
	json_out_close(out, '}');
}
