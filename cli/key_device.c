/* One device of a key file: its cells cleaned, its keys sealed; what differs between servers' habits is told beside it. */
#include "cli/key_reading.h"

#include "cli/key_values.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/secret.h"
#include "common/lorawan/tr005.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static void complain(struct key_reading *reading, unsigned line, const char *field, const char *reason)
{
	cli_complain(&reading->complaints, line, field, reason);
}

void key_token_digest(const struct lw_eui64 *dev_eui, const char *token, char digest[65])
{
	char words[128 + LW_TR005_TOKEN], eui[LW_EUI64_TEXT];
	uint8_t hash[SECRET_HASH];
	lw_eui64_format(eui, dev_eui);
	for (char *at = eui; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	snprintf(words, sizeof words, "lamppost-owner-token%s:%s", eui, token);
	secret_hash(hash, words, strlen(words));
	hex_encode(digest, hash, sizeof hash);
	explicit_bzero(words, sizeof words);
}

/* --- one device ------------------------------------------------------------------------------------------------------ */

struct device {
	struct lw_eui64 dev_eui;
	char dev_eui_text[KEY_VALUE_MAX], join_eui[KEY_VALUE_MAX], token[LW_TR005_TOKEN];
	char serial[KEY_VALUE_MAX], profile_id[9];
};

/* Cleans an identifier, and turns it round where its column says so; false after complaining. "" stays as it is. */
static bool take_hex(struct key_reading *reading, unsigned line, enum key_field field, const char *text,
		     enum key_order order, size_t digits, char out[KEY_VALUE_MAX])
{
	out[0] = '\0';
	if (!text || !*text)
		return true;
	const char *why = key_value_hex(text, digits, out);
	if (!why && order == KEY_LAST_BYTE_FIRST)
		key_value_turn(out);
	if (!why && order == KEY_ORDER_NOT_SAID && digits == 16 && key_value_looks_turned(out))
		why = field == KEY_DEV_EUI
			      ? "stands with its last byte first, it seems: if so, --map dev_eui_lsb=TITLE "
				"turns it round; if not, --map dev_eui=TITLE takes it as it is"
			      : "stands with its last byte first, it seems: if so, --map join_eui_lsb=TITLE "
				"turns it round; if not, --map join_eui=TITLE takes it as it is";
	if (why)
		complain(reading, line, key_field_name(field), why);
	return !why;
}

/* A code in place of the DevEUI, or in a column of its own. */
static bool take_code(struct key_reading *reading, unsigned line, const char *text, struct device *device)
{
	struct lw_tr005 code;
	enum lw_tr005_verdict verdict = lw_tr005_parse(text, strlen(text), &code);
	if (verdict != LW_TR005_OK) {
		complain(reading, line, "qr", lw_tr005_reason(verdict));
		return false;
	}
	lw_eui64_format(device->dev_eui_text, &code.dev_eui);
	lw_eui64_format(device->join_eui, &code.join_eui);
	snprintf(device->token, sizeof device->token, "%s", code.owner_token);
	snprintf(device->serial, sizeof device->serial, "%s", code.serial);
	snprintf(device->profile_id, sizeof device->profile_id, "%04X%04X", code.vendor, code.vendor_profile);
	explicit_bzero(&code, sizeof code);
	return true;
}

static bool begins_a_code(const char *text)
{
	return text && strncasecmp(text, "LW:", 3) == 0;
}

static bool take_token(struct key_reading *reading, unsigned line, const char *text, struct device *device)
{
	char plain[KEY_VALUE_MAX];
	bool ok = key_value_plain(text, plain);
	for (char *at = plain; ok && *at; at++)
		*at = (char)toupper((unsigned char)*at);
	size_t length = ok ? strlen(plain) : 0;
	ok = length >= LW_TR005_TOKEN_MIN && length < sizeof device->token &&
	     lw_tr005_is_value(plain, length);
	if (ok)
		memcpy(device->token, plain, length + 1);
	else
		complain(reading, line, "owner_token", "expected 4 to 64 letters and digits");
	explicit_bzero(plain, sizeof plain);
	return ok;
}

static bool take_identity(struct key_reading *reading, unsigned line, const struct key_cells *cells,
			  struct device *device)
{
	const char *eui = cells->values[KEY_DEV_EUI], *code = cells->values[KEY_QR];
	char join_eui[KEY_VALUE_MAX];
	bool ok = true;
	if (begins_a_code(eui)) {
		code = eui;
		eui = NULL;
	}
	if (code && *code)
		ok = take_code(reading, line, code, device);
	if (ok && eui && *eui)
		ok = take_hex(reading, line, KEY_DEV_EUI, eui, cells->orders[KEY_DEV_EUI], 16,
			      device->dev_eui_text);
	if (ok && !lw_eui64_parse(device->dev_eui_text, &device->dev_eui)) {
		complain(reading, line, "dev_eui", "is missing");
		ok = false;
	}
	const char *join = cells->values[KEY_JOIN_EUI];
	enum key_order order = cells->orders[KEY_JOIN_EUI];
	if (!(join && *join) && !device->join_eui[0]) {
		join = reading->request->join_eui;
		order = KEY_FIRST_BYTE_FIRST;
	}
	ok = take_hex(reading, line, KEY_JOIN_EUI, join, order, 16, join_eui) && ok;
	if (join_eui[0])
		memcpy(device->join_eui, join_eui, sizeof join_eui);
	if (cells->values[KEY_OWNER_TOKEN] && *cells->values[KEY_OWNER_TOKEN] && reading->request->shelf)
		ok = take_token(reading, line, cells->values[KEY_OWNER_TOKEN], device) && ok;
	if (cells->values[KEY_SERIAL] && *cells->values[KEY_SERIAL] &&
	    !key_value_plain(cells->values[KEY_SERIAL], device->serial)) {
		complain(reading, line, "serial", "far too long");
		ok = false;
	}
	return ok;
}

static bool is_zero(const char *key)
{
	return strspn(key, "0") == strlen(key);
}

/* Seals one key into the row; an empty cell gives none. */
static bool seal_key(struct key_reading *reading, unsigned line, enum key_field field, const char *text,
		     const struct lw_eui64 *dev_eui, json_t *row)
{
	const char *reason = NULL;
	json_t *sealed = text && *text
				 ? cli_seal_key(reading->seal, key_field_name(field), dev_eui, text, &reason)
				 : NULL;
	if (sealed)
		json_object_set_new(row, key_field_name(field), sealed);
	else if (reason)
		complain(reading, line, key_field_name(field), reason);
	return !reason;
}

/* "MAC_V1_0_3", "1.0.4", "LoRaWAN 1.0"; not "1.1.0". NULL: nothing is said. */
static bool is_version_1_0(const char *version)
{
	const char *first = version ? strchr(version, '1') : NULL;
	return first && (first[1] == '.' || first[1] == '_') && first[2] == '0';
}

/* ChirpStack keeps the one key of a 1.0 device as nwkKey; The Things Stack may write a nwk_key for a 1.0 device that has none. */
static bool take_root_keys(struct key_reading *reading, unsigned line, const struct key_cells *cells,
			   const struct device *device, json_t *row)
{
	char app[KEY_VALUE_MAX], nwk[KEY_VALUE_MAX];
	bool ok = take_hex(reading, line, KEY_APP_KEY, cells->values[KEY_APP_KEY], cells->orders[KEY_APP_KEY],
			   32, app);
	ok = take_hex(reading, line, KEY_NWK_KEY, cells->values[KEY_NWK_KEY], cells->orders[KEY_NWK_KEY], 32,
		      nwk) &&
	     ok;
	bool is_1_0 = is_version_1_0(cells->values[KEY_VERSION]);
	if (reading->format == KEY_CHIRPSTACK && is_zero(app)) {
		memcpy(app, nwk, sizeof app);
		nwk[0] = '\0';
	}
	if (is_1_0 || is_zero(nwk))
		nwk[0] = '\0';
	if (ok)
		ok = seal_key(reading, line, KEY_APP_KEY, app, &device->dev_eui, row) &&
		     seal_key(reading, line, KEY_NWK_KEY, nwk, &device->dev_eui, row);
	explicit_bzero(app, sizeof app);
	explicit_bzero(nwk, sizeof nwk);
	return ok;
}

/* A device that only has a session's keys is one of ABP. */
static bool take_session(struct key_reading *reading, unsigned line, const struct key_cells *cells,
			 const struct device *device, json_t *row)
{
	char value[KEY_VALUE_MAX];
	static const enum key_field keys[] = {KEY_NWK_S_KEY, KEY_APP_S_KEY};
	bool otaa = json_object_get(row, "app_key") || json_object_get(row, "nwk_key");
	if (otaa || !cells->values[KEY_NWK_S_KEY] || !*cells->values[KEY_NWK_S_KEY])
		return true;
	bool ok = take_hex(reading, line, KEY_DEV_ADDR, cells->values[KEY_DEV_ADDR],
			   cells->orders[KEY_DEV_ADDR], 8, value);
	json_object_set_new(row, "activation", json_string("abp"));
	json_object_set_new(row, "dev_addr", json_string(value));
	json_object_del(row, "join_eui");
	for (size_t i = 0; i < ARRAY_SIZE(keys) && ok; i++) {
		ok = take_hex(reading, line, keys[i], cells->values[keys[i]], cells->orders[keys[i]], 32,
			      value) &&
		     seal_key(reading, line, keys[i], value, &device->dev_eui, row);
		explicit_bzero(value, sizeof value);
	}
	return ok;
}

static void set_text(json_t *row, const char *field, const char *text)
{
	if (text && *text && !json_object_get(row, field))
		json_object_set_new(row, field, json_string(text));
}

static bool take_record(struct key_reading *reading, unsigned line, const struct key_cells *cells,
			const struct device *device, json_t *row)
{
	const struct key_request *request = reading->request;
	bool ok = true;
	for (size_t i = 0; i < cells->record_count; i++) {
		struct record_problem problem = {"", ""};
		json_t *value = NULL;
		if (!*cells->record_values[i] || (cells->record_fields[i]->flags & RECORD_SECRET))
			continue;
		if (record_value_from_text(cells->record_fields[i], cells->record_values[i], &value,
					   &problem) == ST_OK)
			json_object_set_new(row, cells->record_fields[i]->name, value);
		else
			complain(reading, line, cells->record_fields[i]->name, problem.reason), ok = false;
	}
	set_text(row, "name", cells->values[KEY_NAME]);
	set_text(row, "name", cells->values[KEY_ID]);
	set_text(row, "name", device->serial);
	set_text(row, "name", device->dev_eui_text);
	set_text(row, "application", request->application);
	set_text(row, "profile", request->profile);
	set_text(row, "deployment", request->deployment);
	if (device->serial[0] && !json_object_get(row, "tags"))
		json_object_set_new(row, "tags", json_pack("{ss}", "serial", device->serial));
	return ok;
}

static bool take_shelf(struct key_reading *reading, unsigned line, const struct device *device, json_t *row)
{
	char digest[65];
	if (!device->token[0]) {
		complain(reading, line, "owner_token",
			 "is missing: a column owner_token, or a code with one in a column qr");
		return false;
	}
	key_token_digest(&device->dev_eui, device->token, digest);
	json_object_set_new(row, "token_digest", json_string(digest));
	set_text(row, "serial", device->serial);
	set_text(row, "profile_id", device->profile_id);
	set_text(row, "join_eui", "0000000000000000");
	return true;
}

void key_take_device(struct key_reading *reading, unsigned line, const struct key_cells *cells)
{
	struct device device = {.token = ""};
	json_t *row = json_object();
	json_object_set_new(row, "line", json_integer(line));
	if (take_identity(reading, line, cells, &device)) {
		set_text(row, "dev_eui", device.dev_eui_text);
		set_text(row, "join_eui", device.join_eui);
		if (take_root_keys(reading, line, cells, &device, row)) {
			bool ok = reading->request->shelf
					  ? take_shelf(reading, line, &device, row)
					  : take_session(reading, line, cells, &device, row) &&
						    take_record(reading, line, cells, &device, row);
			(void)ok; /* what is wrong was named */
		}
	}
	json_array_append_new(reading->rows, row);
	explicit_bzero(&device, sizeof device);
}
