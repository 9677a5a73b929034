#include "application-server/api/resolve.h"

#include "application-server/store_custody.h"
#include "application-server/store_records.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/cidr.h"
#include "common/lorawan/gateway_plan.h"
#include "common/lorawan/revision.h"
#include "common/lorawan/version.h"
#include "common/text/region_yaml.h"

#include <stdio.h>
#include <string.h>

#define FREQ_STEP_HZ 100 /* MAC commands name frequencies in these steps */

/* Gives a record that the caller sees, or says why not. */
static enum status look_up(struct as_resolver *resolver, const struct record_field *field,
			   const char *reference, json_t **record, struct record_problems *problems)
{
	char key[96];
	snprintf(key, sizeof key, "%d/%s", field->reference, reference);
	json_t *known = json_object_get(resolver->cache, key);
	if (known) {
		*record = json_incref(known);
		return ST_OK;
	}
	*record = NULL;
	enum status status = as_store_record_get(resolver->store, resolver->scope, field->reference,
						 reference, record);
	if (status == ST_NOT_FOUND)
		record_problems_add(problems, field->name, "no such %s: %s",
				    record_schema(field->reference)->name, reference);
	else if (status == ST_CONFLICT)
		record_problems_add(problems, field->name,
				    "%s: several agencies have one of this slug, give the UUID",
				    record_schema(field->reference)->name);
	else if (status != ST_OK)
		return status;
	else if (resolver->cache)
		json_object_set(resolver->cache, key, *record);
	return ST_OK;
}

static const char *text_of(const json_t *record, const char *field)
{
	return json_string_value(json_object_get(record, field));
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

bool as_record_owner(enum record_kind kind, const json_t *record, struct net_uuid *owner)
{
	const char *text = text_of(record, kind == RECORD_AGENCY ? "id" : "agency");
	return text && as_uuid_parse(text, owner);
}

/* What the network server and the bridge will read, as they read it. */
static void check_gateway(const json_t *record, const struct lw_region *region,
			  struct record_problems *problems)
{
	const char *plan = text_of(record, "channel_plan");
	struct lw_channel_mask channels;
	struct cidr source;
	if (!cidr_parse(text_of(record, "source_cidr"), &source))
		record_problems_add(problems, "source_cidr",
				    "must be an address or a network without bits below its prefix, as "
				    "192.0.2.0/24 or 2001:db8::/32");
	if (!*plan || !region->id[0])
		return;
	if (region->plan_type != LW_PLAN_FIXED)
		record_problems_add(problems, "channel_plan",
				    "must be empty: in %s the network tells devices their channels",
				    region->id);
	else if (!lw_channels_parse(region, plan, &channels))
		record_problems_add(problems, "channel_plan",
				    lw_mask_parse(plan, &channels)
					    ? "names a channel that %s does not have"
					    : "must be channels and ranges that %s has, as 8-15,65, or "
					      "sub-bands, as sub-bands 1-2",
				    region->id);
}

/* A number that may be null, or not be there. */
static int64_t number_of(const json_t *record, const char *field, int64_t absent)
{
	const json_t *value = json_object_get(record, field);
	return json_is_integer(value) ? json_integer_value(value) : absent;
}

static void check_profile_rate(const json_t *record, const char *field, const struct lw_region *region,
			       enum lw_direction direction, struct record_problems *problems)
{
	int64_t dr = number_of(record, field, -1);
	if (dr >= 0 && !lw_region_data_rate(region, direction, (uint8_t)dr))
		record_problems_add(problems, field, "%s has no such data rate %s", region->id,
				    direction == LW_UP ? "for uplinks" : "for downlinks");
}

/* What no device of the region would do: the network server would ask for it in vain, or listen in the wrong window. */
static void check_profile(const json_t *record, const struct lw_region *region,
			  struct record_problems *problems)
{
	static const char *const tx_param[] = {"uplink_dwell", "downlink_dwell", "max_eirp_dbm"};
	static const char *const frequencies[] = {"rx2_freq_hz", "beacon_freq_hz", "ping_slot_freq_hz"};
	if (number_of(record, "min_dr", 0) > number_of(record, "max_dr", LW_DATA_RATES))
		record_problems_add(problems, "min_dr", "must not be above max_dr");
	if (!region->id[0])
		return;
	if (number_of(record, "rx1_dr_offset", 0) > region->max_rx1_dr_offset)
		record_problems_add(problems, "rx1_dr_offset", "must be 0 to %u in %s",
				    region->max_rx1_dr_offset, region->id);
	check_profile_rate(record, "rx2_dr", region, LW_DOWN, problems);
	check_profile_rate(record, "min_dr", region, LW_UP, problems);
	check_profile_rate(record, "max_dr", region, LW_UP, problems);
	check_profile_rate(record, "ping_slot_dr", region, LW_DOWN, problems);
	if (same_text("fixed", text_of(record, "adr_algorithm")))
		check_profile_rate(record, "adr_fixed_dr", region, LW_UP, problems);
	for (size_t i = 0; i < ARRAY_SIZE(frequencies); i++) {
		int64_t freq_hz = number_of(record, frequencies[i], 0);
		if (freq_hz != 0 && !lw_region_freq_ok(region, LW_DOWN, (uint32_t)freq_hz))
			record_problems_add(problems, frequencies[i], "is no downlink frequency of %s",
					    region->id);
		else if (freq_hz % FREQ_STEP_HZ != 0)
			record_problems_add(problems, frequencies[i], "must be a multiple of %d",
					    FREQ_STEP_HZ);
	}
	for (size_t i = 0; i < ARRAY_SIZE(tx_param) && !region->has_tx_param_setup_req; i++)
		if (!json_is_null(json_object_get(record, tx_param[i])) &&
		    json_object_get(record, tx_param[i]))
			record_problems_add(problems, tx_param[i],
					    "cannot be set: devices of %s do not know TxParamSetupReq",
					    region->id);
}

/* The network server can take no record of a region that it does not serve, nor any after it. */
static bool is_served(const char *served, const char *id)
{
	size_t length = strlen(id);
	for (const char *at = served; at && *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		if (word == length && memcmp(at, id, length) == 0)
			return true;
		at += word;
	}
	return !served || !*served;
}

/* What a profile would say in vain: its devices' version does not have it. */
static void check_version(const json_t *record, struct record_problems *problems)
{
	static const struct {
		const char *field;
		enum lw_behaviour needs;
		const char *why;
	} rows[] = {
		{"fcnt_16_bit", LW_FCNT_16_BITS, "count 32 bits"},
		{"allow_fcnt_reset", LW_ABP_RESTARTS, "keep their counters for ever"},
	};
	enum lw_mac_version version;
	const char *name = text_of(record, "mac_version");
	if (!name || !lw_mac_version_parse(name, &version))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (json_is_true(json_object_get(record, rows[i].field)) &&
		    !lw_behaves(version, rows[i].needs))
			record_problems_add(problems, rows[i].field,
					    "cannot be set: devices of LoRaWAN %s %s", name, rows[i].why);
}

/* From here on the region is what the device was built by. */
static void check_revision(const json_t *record, struct lw_region *region, struct record_problems *problems)
{
	enum lw_regional_revision revision;
	const char *name = text_of(record, "regional_revision");
	if (!region->id[0] || !name || !lw_regional_revision_parse(name, &revision))
		return;
	if (!lw_region_exists_in(region, revision))
		record_problems_add(problems, "regional_revision", "%s has no %s, which came later", name,
				    region->id);
	lw_region_revise(region, revision);
}

static void check_radio(enum record_kind kind, const char *served, const json_t *record,
			struct record_problems *problems)
{
	struct lw_region region = {.id = ""};
	const char *id = text_of(record, "region");
	if (!region_load(&region, id))
		record_problems_add(problems, "region", "no such region: %s", id);
	else if (!is_served(served, id))
		record_problems_add(problems, "region",
				    "%s is not served by the network server, which has %s "
				    "(network-server.regions)",
				    id, served);
	if (kind == RECORD_GATEWAY)
		check_gateway(record, &region, problems);
	if (kind == RECORD_PROFILE) {
		check_version(record, problems);
		check_revision(record, &region, problems);
		check_profile(record, &region, problems);
	}
}

static void check_codec(const json_t *record, struct record_problems *problems)
{
	const json_t *codec = json_object_get(record, "codec");
	char error[CODEC_ERROR_MAX];
	if (codec && !json_is_null(codec) && !as_codec_check(codec, error))
		record_problems_add(problems, "codec", "%s", error);
}

void as_check_keys(const char *activation, const json_t *fields, struct record_problems *problems)
{
	static const struct {
		const char *name, *activation;
	} keys[] = {{"app_key", "otaa"},        {"nwk_key", "otaa"},      {"nwk_s_key", "abp"},
		    {"s_nwk_s_int_key", "abp"}, {"nwk_s_enc_key", "abp"}, {"app_s_key", "abp"},
		    {"dev_addr", "abp"},        {"home_net_id", "otaa"}};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const json_t *value = json_object_get(fields, keys[i].name);
		if (value && !json_is_null(value) && !same_text(keys[i].activation, activation))
			record_problems_add(problems, keys[i].name, "belongs to activation %s",
					    keys[i].activation);
	}
}

/* --- devices ------------------------------------------------------------------------------------------------ */

struct referred {
	json_t *application, *profile, *deployment; /* owned; NULL where not found */
};

/* The agency's own `unassigned`, whoever registers the device. */
static enum status default_deployment(struct as_resolver *resolver, const char *agency, json_t **deployment)
{
	struct as_scope scope = {.role = AS_READER};
	char key[64];
	snprintf(key, sizeof key, "unassigned/%s", agency);
	json_t *known = json_object_get(resolver->cache, key);
	if (known) {
		*deployment = json_incref(known);
		return ST_OK;
	}
	if (!as_uuid_parse(agency, &scope.agency))
		return ST_INVALID;
	enum status status = as_store_record_get(resolver->store, &scope, RECORD_DEPLOYMENT, AS_UNASSIGNED,
						 deployment);
	if (status == ST_OK && resolver->cache)
		json_object_set(resolver->cache, key, *deployment);
	return status;
}

static void check_device(const json_t *record, const struct referred *referred,
			 struct record_problems *problems)
{
	const char *agency = text_of(referred->application, "agency");
	const char *profile_agency = text_of(referred->profile, "agency");
	const char *mac_version = text_of(referred->profile, "mac_version");
	if (profile_agency && !same_text(profile_agency, agency))
		record_problems_add(problems, "profile", "belongs to another agency than the application");
	if (!same_text(text_of(referred->deployment, "agency"), agency))
		record_problems_add(problems, "deployment", "belongs to another agency than the application");
	static const char *const of_1_1[] = {"nwk_key", "s_nwk_s_int_key", "nwk_s_enc_key"};
	for (size_t i = 0; i < ARRAY_SIZE(of_1_1); i++) {
		const json_t *key = json_object_get(record, of_1_1[i]);
		if (json_is_string(key) && !same_text(mac_version, "1.1.0"))
			record_problems_add(problems, of_1_1[i], "belongs to LoRaWAN 1.1, the profile is %s",
					    mac_version);
	}
}

static enum status resolve_device(struct as_resolver *resolver, json_t *record, struct referred *referred,
				  struct record_problems *problems)
{
	const struct record_schema *schema = record_schema(RECORD_DEVICE);
	const char *deployment = text_of(record, "deployment");
	enum status status = look_up(resolver, record_field(schema, "application"),
				     text_of(record, "application"), &referred->application, problems);
	if (status == ST_OK)
		status = look_up(resolver, record_field(schema, "profile"), text_of(record, "profile"),
				 &referred->profile, problems);
	if (status == ST_OK && deployment)
		status = look_up(resolver, record_field(schema, "deployment"), deployment,
				 &referred->deployment, problems);
	if (status == ST_OK && !deployment && referred->application)
		status = default_deployment(resolver, text_of(referred->application, "agency"),
					    &referred->deployment);
	if (status != ST_OK || !referred->application || !referred->profile || !referred->deployment)
		return status;
	check_device(record, referred, problems);
	json_object_set(record, "application", json_object_get(referred->application, "id"));
	json_object_set(record, "profile", json_object_get(referred->profile, "id"));
	json_object_set(record, "deployment", json_object_get(referred->deployment, "id"));
	json_object_set(record, "agency", json_object_get(referred->application, "agency"));
	return ST_OK;
}

/* Who is to hold the keys must have something to wrap them under, and is not to give the city what it is not to have. `application`: of
 * a device, whose word counts where the device has none; NULL: the record is one, or there is none. */
static enum status check_custody(struct as_resolver *resolver, enum record_kind kind, const json_t *record,
				 const json_t *application, struct record_problems *problems)
{
	struct net_uuid agency;
	struct as_agency_kek kek;
	const char *own = text_of(record, "key_custody");
	if (problems->count || !same_text(own ? own : text_of(application, "key_custody"), "agency") ||
	    !as_record_owner(kind, record, &agency))
		return ST_OK;
	if (text_of(record, "app_s_key"))
		record_problems_add(
			problems, "app_s_key",
			own ? "must be left out: with key_custody agency the city does not have it"
			    : "must be left out: its application has key_custody agency, the "
			      "city does not have it");
	if (!own) /* the application's KEK was looked for when it was given its custody, and is not given up before that */
		return ST_OK;
	enum status status = as_store_kek_get(resolver->store, &agency, &kek);
	if (status == ST_NOT_FOUND || (status == ST_OK && kek.given_up)) {
		record_problems_add(problems, "key_custody",
				    "the agency has no key of its own yet: lamppost agency kek new AGENCY");
		return ST_OK;
	}
	return status;
}

/* --- any kind ----------------------------------------------------------------------------------------------- */

static enum status resolve_agency(struct as_resolver *resolver, const struct record_schema *schema,
				  json_t *record, struct record_problems *problems)
{
	const char *agency = text_of(record, "agency");
	json_t *found = NULL;
	if (!agency)
		return ST_OK;
	enum status status = look_up(resolver, record_field(schema, "agency"), agency, &found, problems);
	if (found)
		json_object_set(record, "agency", json_object_get(found, "id"));
	json_decref(found);
	return status;
}

enum status as_resolve(struct as_resolver *resolver, enum record_kind kind, json_t *record,
		       struct record_problems *problems)
{
	enum status status = ST_OK;
	if (kind == RECORD_DEVICE) {
		struct referred referred = {NULL, NULL, NULL};
		status = resolve_device(resolver, record, &referred, problems);
		if (status == ST_OK)
			status = check_custody(resolver, kind, record, referred.application, problems);
		json_decref(referred.application);
		json_decref(referred.profile);
		json_decref(referred.deployment);
	} else if (kind != RECORD_AGENCY)
		status = resolve_agency(resolver, record_schema(kind), record, problems);
	if (status == ST_OK && kind == RECORD_APPLICATION)
		status = check_custody(resolver, kind, record, NULL, problems);
	if (kind == RECORD_PROFILE || kind == RECORD_GATEWAY)
		check_radio(kind, resolver->served, record, problems);
	if (kind == RECORD_PROFILE)
		check_codec(record, problems);
	if (json_is_null(json_object_get(record, "lat")) != json_is_null(json_object_get(record, "lon")))
		record_problems_add(problems, "lat", "must be given together with lon");
	return status;
}
