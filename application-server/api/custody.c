/* Keys that an agency holds, over REST: its KEK, which comes sealed to the join server and goes there as desired state (edge_keks.c),
 * and what a client of the agency needs to encrypt for a device.
 *
 *	GET    /api/v1/agencies/{id}/kek       {"agency", "label", "version", "state", ...}; before there is one: the label to make it for
 *	PUT    /api/v1/agencies/{id}/kek       {"version", "sealed"}: the first, or the next
 *	DELETE /api/v1/agencies/{id}/kek       gives it up
 *	GET    /api/v1/devices/{eui}/session   the wrapped AppSKey, the address and the next counter
 *
 * Whoever may change the agency's applications may do it. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/records.h"
#include "application-server/custody.h"
#include "application-server/events/event_json.h"
#include "application-server/identity/audit.h"
#include "application-server/store_keys.h"
#include "application-server/store_readings.h"
#include "application-server/time_text.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- an agency's KEK ------------------------------------------------------------------------------------------- */

struct owner {
	json_t *record; /* owned */
	struct net_uuid id;
	struct as_agency_kek kek; /* version 0: it never had one; the label is the one it would get */
};

/* "agency-parks"; where that is too long or another agency's (one that was renamed), by the UUID. */
static void make_label(struct as_store *store, const struct owner *owner,
		       char label[SEALED_KEK_LABEL_MAX + 1])
{
	const char *slug = json_string_value(json_object_get(owner->record, "slug"));
	char hex[33];
	int length = snprintf(label, SEALED_KEK_LABEL_MAX + 1, "agency-%s", slug ? slug : "");
	if (length <= SEALED_KEK_LABEL_MAX && strcmp(label, AS_KEK_NONE) != 0 &&
	    !as_store_kek_label_is_taken(store, label))
		return;
	hex_encode(hex, owner->id.bytes, sizeof owner->id.bytes);
	snprintf(label, SEALED_KEK_LABEL_MAX + 1, "agency-%.16s", hex);
}

/* Fills the agency that the call names; false with an answer. The caller releases `owner->record`. */
static bool find_owner(struct as_api *api, const struct as_call *call, bool to_write, struct owner *owner,
		       struct as_answer *answer)
{
	*owner = (struct owner){.record = as_get_or_answer(api, call, RECORD_AGENCY, answer)};
	if (!owner->record)
		return false;
	ASSERT(as_uuid_parse(json_string_value(json_object_get(owner->record, "id")), &owner->id));
	enum status status = as_store_kek_get(api->app->store, &owner->id, &owner->kek);
	if (status == ST_NOT_FOUND) {
		owner->kek = (struct as_agency_kek){.agency = owner->id, .given_up = true};
		make_label(api->app->store, owner, owner->kek.label);
	} else if (status != ST_OK)
		as_answer_failed(answer, status);
	if (to_write && !as_scope_may_write(call->scope, RECORD_APPLICATION, &owner->id))
		as_answer_forbidden(answer);
	if (answer->status == 0)
		return true;
	json_decref(owner->record);
	return false;
}

struct state {
	const char *name, *next; /* what a person does; NULL: nothing */
};

static const struct state *state_of(struct as_api *api, const struct as_agency_kek *kek)
{
	static const struct state none = {"none", "lamppost agency kek new AGENCY makes it"},
				  retired = {"retired", NULL}, in_use = {"in_use", NULL},
				  refused = {"refused",
					     "mend what the problem says, then lamppost agency kek "
					     "rotate AGENCY"},
				  on_its_way = {"on_its_way", "it comes there by itself as soon as the join "
							      "server answers: lamppost status"};
	if (kek->given_up)
		return kek->version ? &retired : &none;
	if (kek->problem[0])
		return &refused;
	return api->kek_is_applied && api->kek_is_applied(api->kek_ctx, kek) ? &in_use : &on_its_way;
}

static json_t *time_or_null(struct wall time)
{
	char text[AS_TIME_TEXT];
	return time.us ? json_string(as_time_format(text, time)) : json_null();
}

static void answer_kek(struct as_api *api, const struct owner *owner, struct as_answer *answer)
{
	const struct as_agency_kek *kek = &owner->kek;
	const struct state *state = state_of(api, kek);
	char name[SEALED_KEK_NAME];
	sealed_kek_name(name, kek->label, kek->version ? kek->version : 1);
	as_answer_json(answer, 200,
		       json_pack("{sO sO ss sI ss* ss so so ss* ss*}", "agency",
				 json_object_get(owner->record, "id"), "agency_slug",
				 json_object_get(owner->record, "slug"), "label", kek->label, "version",
				 (json_int_t)kek->version, "kek_label", kek->given_up ? NULL : name, "state",
				 state->name, "made_at", time_or_null(kek->made), "changed_at",
				 time_or_null(kek->changed), "problem", kek->problem[0] ? kek->problem : NULL,
				 "next", state->next));
}

void as_handle_kek(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct owner owner;
	if (!find_owner(api, call, false, &owner, answer))
		return;
	answer_kek(api, &owner, answer);
	json_decref(owner.record);
}

/* Reads {"version", "sealed"}; false with an answer. */
static bool read_kek(const struct as_call *call, uint32_t *version, uint8_t sealed[SEALED_KEK_LENGTH],
		     struct as_answer *answer)
{
	struct record_problems problems = {.count = 0};
	const json_t *number = json_object_get(call->body, "version"),
		     *text = json_object_get(call->body, "sealed"), *value;
	const char *name;
	size_t length = 0;
	json_object_foreach((json_t *)(uintptr_t)call->body, name, value)
	{
		if (strcmp(name, "version") != 0 && strcmp(name, "sealed") != 0)
			record_problems_add(&problems, name, "is not known here");
	}
	if (!json_is_integer(number) || json_integer_value(number) < 1 ||
	    json_integer_value(number) > SEALED_KEK_VERSION_MAX)
		record_problems_add(&problems, "version", "must be 1 to %d", SEALED_KEK_VERSION_MAX);
	if (!json_is_string(text) ||
	    !base64_decode(sealed, SEALED_KEK_LENGTH, &length, json_string_value(text),
			   json_string_length(text)) ||
	    length != SEALED_KEK_LENGTH)
		record_problems_add(&problems, "sealed",
				    "must be base64 of a key sealed to the join server, %d bytes",
				    SEALED_KEK_LENGTH);
	if (problems.count)
		as_answer_problems(answer, &problems);
	else
		*version = (uint32_t)json_integer_value(number);
	return problems.count == 0;
}

static enum status write_kek(struct as_api *api, const struct as_call *call, const struct owner *owner,
			     enum as_audit_what what)
{
	char name[SEALED_KEK_NAME];
	sealed_kek_name(name, owner->kek.label, owner->kek.version);
	enum status status = as_store_kek_put(api->app->store, &owner->kek);
	return status == ST_OK
		       ? as_audit_write(api->app->store, call->now.wall, call->who ? call->who : "nobody",
					what, json_string_value(json_object_get(owner->record, "slug")), name)
		       : status;
}

void as_handle_kek_put(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct owner owner;
	uint32_t version;
	uint8_t sealed[SEALED_KEK_LENGTH];
	if (!find_owner(api, call, true, &owner, answer))
		return;
	struct as_agency_kek *kek = &owner.kek;
	if (!as_call_has_object(call, answer) || !read_kek(call, &version, sealed, answer)) {
		json_decref(owner.record);
		return;
	}
	bool same = version == kek->version && !kek->given_up &&
		    memcmp(sealed, kek->sealed, sizeof sealed) == 0;
	if (same) {
		answer_kek(api, &owner, answer);
	} else if (version != kek->version + 1) {
		as_answer_problem(answer, 409, "version",
				  "the next version of %s is %" PRIu32 ": lamppost agency kek %s makes it",
				  kek->label, kek->version + 1, kek->given_up ? "new" : "rotate");
	} else {
		bool first = kek->given_up;
		if (first)
			kek->made = call->now.wall;
		kek->changed = call->now.wall;
		kek->version = version;
		kek->given_up = false;
		kek->problem[0] = '\0';
		memcpy(kek->sealed, sealed, sizeof sealed);
		enum status status = write_kek(api, call, &owner,
					       first ? AS_AUDIT_KEK_NEW : AS_AUDIT_KEK_ROTATE);
		if (status == ST_OK)
			answer_kek(api, &owner, answer);
		else
			as_answer_failed(answer, status);
	}
	json_decref(owner.record);
}

void as_handle_kek_retire(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct owner owner;
	if (!find_owner(api, call, true, &owner, answer))
		return;
	if (owner.kek.given_up)
		as_answer_problem(answer, 404, NULL,
				  "the agency has no KEK: nothing is to be retired; lamppost agency kek list "
				  "shows which have one");
	else if (as_store_kek_is_wanted(api->app->store, &owner.id))
		as_answer_problem(
			answer, 409, NULL,
			"applications or devices of the agency have key_custody agency: they could not "
			"join any more; give them key_custody city first");
	else {
		owner.kek.given_up = true;
		owner.kek.changed = call->now.wall;
		enum status status = write_kek(api, call, &owner, AS_AUDIT_KEK_RETIRE);
		if (status == ST_OK)
			*answer = (struct as_answer){.status = 204};
		else
			as_answer_failed(answer, status);
	}
	json_decref(owner.record);
}

/* --- a device's session ------------------------------------------------------------------------------------------ */

/* The counter that the next command is to be encrypted under: behind what the last uplink said, and behind those that wait. */
static uint32_t next_counter(struct as_store *store, const struct lw_eui64 *dev_eui,
			     const struct as_held *held)
{
	struct as_last_seen seen;
	int64_t next = 0, waits = as_store_held_last_counter(store, dev_eui) + 1;
	if (held->heard && as_store_last_seen(store, dev_eui, &seen) && seen.has_max_payload)
		next = seen.next_fcnt_down;
	return (uint32_t)(waits > next ? waits : next);
}

static json_t *session_json(struct as_store *store, const struct lw_eui64 *dev_eui,
			    const struct as_held *held)
{
	char eui[LW_EUI64_TEXT], address[LW_DEV_ADDR_TEXT], join_eui[LW_EUI64_TEXT], text[AS_HELD_TEXT];
	lw_eui64_format(eui, dev_eui);
	lw_eui64_format(join_eui, &held->join_eui);
	lw_dev_addr_format(address, held->dev_addr);
	as_held_json(text, held);
	json_t *context = json_loads(text, 0, NULL);
	json_t *body = json_pack("{ss ss ss ss sO* sb sI}", "devEui", eui, "key_holder", "agency", "devAddr",
				 address, "joinEui", join_eui, "joinServerContext",
				 json_object_get(context, "joinServerContext"), "heard", (int)held->heard,
				 "nextFCntDown", (json_int_t)next_counter(store, dev_eui, held));
	json_decref(context);
	return body;
}

static const char *why_no_session(const struct as_device_info *info, bool is_abp)
{
	if (!info->agency_holds)
		return "the city holds its AppSKey (key_custody city): send payloads in clear, without "
		       "--kek; "
		       "the application server encrypts them";
	return is_abp ? "it is by personalization: its AppSKey is with whoever gave it to the device. "
			"Encrypt "
			"with that under the nextFCntDown of its last uplink (isEncrypted with fCntDown; "
			"lamppost downlink send --encrypted --counter)"
		      : "it has not joined since its key_custody is agency: until then the city has its key, "
			"if "
			"it has one at all; let it join anew";
}

void as_handle_device_session(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	json_t *device = as_get_or_answer(api, call, RECORD_DEVICE, answer);
	struct as_device_info info;
	struct as_held held;
	struct lw_eui64 dev_eui;
	if (!device)
		return;
	const char *activation = json_string_value(json_object_get(device, "activation"));
	bool is_abp = activation && strcmp(activation, "abp") == 0;
	ASSERT(lw_eui64_parse(json_string_value(json_object_get(device, "dev_eui")), &dev_eui));
	json_decref(device);
	enum status status = as_store_held_current(api->app->store, &dev_eui, &held);
	if (status == ST_OK)
		as_answer_json(answer, 200, session_json(api->app->store, &dev_eui, &held));
	else if (status != ST_NOT_FOUND || as_store_device_info(api->app->store, &dev_eui, &info) != ST_OK)
		as_answer_failed(answer, status);
	else
		as_answer_problem(answer, 409, NULL, "%s", why_no_session(&info, is_abp));
}

/* --- records ------------------------------------------------------------------------------------------------------- */

static const char *custody_note(enum record_kind kind, const json_t *stored, bool to_agency)
{
	const char *activation = json_string_value(json_object_get(stored, "activation"));
	if (kind == RECORD_DEVICE && activation && strcmp(activation, "abp") == 0)
		return to_agency ? "the city forgets its AppSKey, which it has known: give the device "
				   "another one"
				 : "it is by personalization: whoever has its AppSKey can read it; the city "
				   "has it "
				   "when it is given app_s_key";
	if (kind == RECORD_DEVICE)
		return "who holds its key changes with its next join";
	return to_agency ? "who holds the keys changes for each device with its next join; AppSKeys of "
			   "devices by "
			   "personalization are forgotten, but the city has known them: give those devices "
			   "others"
			 : "who holds the keys changes for each device with its next join";
}

void as_add_custody_note(enum record_kind kind, const json_t *stored, json_t *record)
{
	const json_t *after = json_object_get(record, "key_custody");
	if (!stored || !after || json_equal(json_object_get(stored, "key_custody"), after))
		return;
	bool to_agency = json_is_string(after) && strcmp(json_string_value(after), "agency") == 0;
	json_object_set_new(record, "note", json_string(custody_note(kind, stored, to_agency)));
}
