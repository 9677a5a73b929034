/* The JSON of provisioning. The whole body is read before anything is applied: one bad member refuses it all. */
#include "join-server/provisioning.h"

#include "common/text/json.h"

#include <stdio.h>
#include <string.h>

static void read_label(const struct jr *record, char label[BI_LABEL_TEXT])
{
	struct jr at = jr_optional(record, "app_kek_label");
	const char *text = jr_is_there(&at) ? jr_string(&at, BI_LABEL_TEXT - 1) : "";
	for (const char *c = text; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			jr_fail(&at, "expected printable characters");
	snprintf(label, BI_LABEL_TEXT, "%s", text[0] ? text : JS_KEK_APPLICATION);
}

static enum lw_mac_version read_mac_version(const struct jr *record)
{
	struct jr at = jr_member(record, "mac_version");
	enum lw_mac_version version = (enum lw_mac_version)0;
	if (!lw_mac_version_parse(jr_string(&at, 8), &version))
		jr_fail(&at, "expected one of 1.0.0 to 1.0.4, 1.1.0");
	return version;
}

/* Sealed or nothing: a value of another length is not looked at, and named as refused when it is applied. */
static uint8_t read_key(const struct jr *record, const char *name, uint8_t key[SEALED_KEY_LENGTH])
{
	struct jr at = jr_optional(record, name);
	if (!jr_is_there(&at))
		return 0;
	return (uint8_t)jr_base64(&at, key, SEALED_KEY_LENGTH);
}

static void read_home(const struct jr *at, struct js_record *record)
{
	struct jr home = jr_optional(at, "home_net_id");
	uint8_t bytes[3];
	if (!jr_is_there(&home))
		return;
	jr_hex(&home, bytes, sizeof bytes);
	record->has_home = true;
	record->home.value = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
}

static void read_record(const struct jr *at, struct js_record *record)
{
	memset(record, 0, sizeof *record);
	struct jr version = jr_member(at, "version");
	record->version = (uint64_t)jr_int(&version, 1, INT64_MAX);
	struct jr dev_eui = jr_member(at, "dev_eui");
	jr_hex(&dev_eui, record->dev_eui.bytes, sizeof record->dev_eui.bytes);
	struct jr deleted = jr_optional(at, "deleted");
	record->deleted = jr_is_there(&deleted) && jr_bool(&deleted);
	if (record->deleted)
		return;
	struct jr enabled = jr_member(at, "enabled");
	record->enabled = jr_bool(&enabled);
	struct jr join_eui = jr_member(at, "join_eui");
	jr_hex(&join_eui, record->join_eui.bytes, sizeof record->join_eui.bytes);
	record->mac_version = read_mac_version(at);
	record->app_key_length = read_key(at, "app_key", record->app_key);
	record->nwk_key_length = read_key(at, "nwk_key", record->nwk_key);
	read_label(at, record->app_kek_label);
	read_home(at, record);
}

static void read_city(const struct jr *root, char city[JS_CITY_TEXT])
{
	struct jr at = jr_member(root, "city");
	const char *text = jr_string(&at, JS_CITY_TEXT - 1);
	bool good = strlen(text) == JS_CITY_TEXT - 1;
	for (size_t i = 0; good && i < JS_CITY_TEXT - 1; i++)
		good = i == 8 || i == 13 || i == 18 || i == 23 ? text[i] == '-'
							       : strchr("0123456789abcdef", text[i]) != NULL;
	if (!good)
		jr_fail(&at, "expected a UUID in lower case");
	snprintf(city, JS_CITY_TEXT, "%s", text);
}

static void read_records(const struct jr *root, struct js_records *records)
{
	struct jr list = jr_member(root, "records");
	records->count = jr_count(&list, JS_RECORDS_MAX);
	for (size_t i = 0; i < records->count; i++) {
		struct jr at = jr_element(&list, i);
		read_record(&at, &records->records[i]);
		if (i > 0 && records->records[i].version <= records->records[i - 1].version)
			jr_fail(&at, "expected a version above %llu, that of the record before",
				(unsigned long long)records->records[i - 1].version);
	}
}

bool js_records_parse(const uint8_t *body, size_t length, struct js_records *records,
		      char problem[JS_PROBLEM_TEXT])
{
	struct jr_doc doc;
	records->count = 0;
	if (jr_parse(&doc, (const char *)body, length, JR_DEPTH_DEFAULT)) {
		struct jr root = jr_root(&doc);
		read_city(&root, records->city);
		struct jr full = jr_optional(&root, "full");
		records->full = jr_is_there(&full) && jr_bool(&full);
		struct jr end = jr_optional(&root, "end");
		records->end = jr_is_there(&end) && jr_bool(&end);
		read_records(&root, records);
	}
	bool good = !doc.failed;
	if (!good)
		snprintf(problem, JS_PROBLEM_TEXT, "%s", doc.error);
	jr_release(&doc);
	return good;
}

json_t *js_applied_json(const struct js_applied *applied)
{
	json_t *refused = json_array();
	for (size_t i = 0; i < applied->refused_count; i++) {
		char dev_eui[LW_EUI64_TEXT];
		lw_eui64_format(dev_eui, &applied->refused[i].dev_eui);
		json_array_append_new(refused, json_pack("{s:s, s:s}", "dev_eui", dev_eui, "reason",
							 applied->refused[i].reason));
	}
	return json_pack("{s:I, s:o}", "applied_version", (json_int_t)applied->applied_version, "refused",
			 refused);
}

json_t *js_provisioning_state(const struct js_join *join)
{
	return json_pack("{s:s, s:I}", "city", join->state.city, "applied_version",
			 (json_int_t)join->state.applied_version);
}
