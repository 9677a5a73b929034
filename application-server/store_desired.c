#include "application-server/store_desired.h"

#include "application-server/keys.h"
#include "application-server/store_custody.h"
#include "application-server/store_private.h"
#include "application-server/uuid.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define TOMBSTONES_EVERY 1024

enum { BUMP, AFTER, LAST_OF_KIND, COUNT_TOMBSTONES, PRUNE_LIMIT, PRUNE, PROFILE, DEVICE, GATEWAY, COUNT };

const char *const as_sql_desired[] = {
	[BUMP] = "INSERT INTO desired (kind, key, version, deleted) VALUES (?1, ?2, ?3, ?4) "
		 "ON CONFLICT (kind, key) DO UPDATE SET version = ?3, deleted = ?4",
	[AFTER] = "SELECT kind, key, version, deleted FROM desired WHERE version > ?1 ORDER BY version LIMIT "
		  "?2",
	[LAST_OF_KIND] = "SELECT max(version) FROM desired WHERE kind = ?1",
	[COUNT_TOMBSTONES] = "SELECT count(*) FROM desired WHERE deleted = 1",
	[PRUNE_LIMIT] = "SELECT version FROM desired WHERE deleted = 1 ORDER BY version LIMIT 1 OFFSET ?1",
	[PRUNE] = "DELETE FROM desired WHERE deleted = 1 AND version <= ?1",
	[PROFILE] = "SELECT mac_version, region, class, rx_delay_s, rx1_dr_offset, rx2_dr, rx2_freq_hz, adr, "
		    "allow_fcnt_reset, late_uplink_s, adr_margin_db, min_dr, max_dr, max_nb_trans, "
		    "dev_status_interval_h, max_duty_cycle, uplink_dwell, downlink_dwell, max_eirp_dbm, "
		    "confirmed_downlink_tries, adr_algorithm, adr_fixed_dr, regional_revision, fcnt_16_bit, "
		    "adr_ack_limit_exp, adr_ack_delay_exp, rejoin, rejoin_time_exp, rejoin_count_exp, "
		    "beacon_freq_hz, "
		    "ping_slot_freq_hz, ping_slot_dr, quirk_force_rejoin_high_byte_first, "
		    "quirk_fopts_before_erratum, quirk_duplicate_link_adr_ans FROM profiles WHERE id = ?1",
	[DEVICE] = "SELECT d.enabled, d.join_eui, d.profile, d.activation, d.dev_addr, d.nwk_s_key, "
		   "d.s_nwk_s_int_key, "
		   "d.nwk_s_enc_key, d.fcnt_up, d.fcnt_down, d.app_key, d.nwk_key, p.mac_version, "
		   "EXISTS (SELECT 1 FROM replacements r WHERE r.old_eui = d.dev_eui), "
		   "coalesce(d.key_custody, a.key_custody) = 'agency', k.label, d.home_net_id "
		   "FROM devices d JOIN profiles p ON p.id = d.profile JOIN applications a ON a.id = "
		   "d.application LEFT JOIN agency_keks k ON k.agency = d.agency WHERE d.dev_eui = ?1",
	[GATEWAY] = "SELECT region, channel_plan, source_cidr, accept_udp, accept_token, accept_certificate, "
		    "accept_mqtt, chip, token_hash, token_hash_next, certificates_void_us FROM gateways "
		    "WHERE eui = ?1",
};
const int as_sql_desired_count = COUNT;

/* --- changes ------------------------------------------------------------------------------------------------ */

/* Looked at with every 1,024th version, whatever it is of: removals alone could always miss that one. */
static enum status prune(struct as_store *store)
{
	struct db *db = store->city;
	int count = store->desired_base + COUNT_TOMBSTONES, limit = store->desired_base + PRUNE_LIMIT,
	    remove = store->desired_base + PRUNE;
	if (db_step(db, count) != DB_ROW)
		return db_step_status(db);
	int64_t tombstones = db_column_i64(db, count, 0);
	db_reset(db, count);
	if (tombstones <= AS_TOMBSTONES_MAX)
		return ST_OK;
	db_bind_i64(db, limit, 1, tombstones - AS_TOMBSTONES_MAX / 2);
	if (db_step(db, limit) != DB_ROW)
		return db_step_status(db);
	store->floor = (uint64_t)db_column_i64(db, limit, 0);
	db_reset(db, limit);
	db_bind_i64(db, remove, 1, (int64_t)store->floor);
	return db_run(db, remove);
}

enum status as_store_bump(struct as_store *store, enum record_kind kind, int64_t eui,
			  const struct net_uuid *id, bool deleted)
{
	int statement = store->desired_base + BUMP;
	store->version++;
	db_bind_i64(store->city, statement, 1, kind);
	if (id)
		db_bind_blob(store->city, statement, 2, id->bytes, sizeof id->bytes);
	else
		db_bind_i64(store->city, statement, 2, eui);
	db_bind_i64(store->city, statement, 3, (int64_t)store->version);
	db_bind_i64(store->city, statement, 4, deleted);
	enum status status = db_run(store->city, statement);
	if (kind == RECORD_DEVICE)
		store->devices_version = store->version;
	return status == ST_OK && store->version % TOMBSTONES_EVERY == 0 ? prune(store) : status;
}

/* --- queries ------------------------------------------------------------------------------------------------ */

static bool take_key(struct db *db, int statement, int column, uint8_t key[NET_SEALED_KEY_SIZE])
{
	return db_column_copy(db, statement, column, key, NET_SEALED_KEY_SIZE);
}

/* A column that may be null: the region's own. */
static uint8_t choice(struct db *db, int s, int column)
{
	return db_column_is_null(db, s, column) ? NET_REGIONS_OWN : (uint8_t)db_column_i64(db, s, column);
}

static void load_newer(struct db *db, int s, struct net_profile *profile)
{
	ASSERT(lw_regional_revision_parse(db_column_text(db, s, 22), &profile->regional_revision));
	profile->fcnt_16_bit = db_column_i64(db, s, 23) != 0;
	profile->adr_ack_limit_exp = choice(db, s, 24);
	profile->adr_ack_delay_exp = choice(db, s, 25);
	ASSERT(net_rejoin_parse(db_column_text(db, s, 26), &profile->rejoin));
	profile->rejoin_time_exp = choice(db, s, 27);
	profile->rejoin_count_exp = choice(db, s, 28);
	profile->beacon_freq_hz = (uint32_t)db_column_i64(db, s, 29);
	profile->ping_slot_freq_hz = (uint32_t)db_column_i64(db, s, 30);
	profile->ping_slot_dr = choice(db, s, 31);
	profile->quirks = (uint8_t)((db_column_i64(db, s, 32) ? NET_QUIRK_FORCE_REJOIN_HIGH_BYTE_FIRST : 0) |
				    (db_column_i64(db, s, 33) ? NET_QUIRK_FOPTS_BEFORE_ERRATUM : 0) |
				    (db_column_i64(db, s, 34) ? NET_QUIRK_DUPLICATE_LINK_ADR_ANS : 0));
}

static void load_profile(struct db *db, int s, struct net_profile *profile)
{
	const char *class_name = db_column_text(db, s, 2);
	ASSERT(lw_mac_version_parse(db_column_text(db, s, 0), &profile->mac_version));
	snprintf(profile->region_id, sizeof profile->region_id, "%s", db_column_text(db, s, 1));
	profile->device_class = *class_name == 'C'   ? NET_CLASS_C
				: *class_name == 'B' ? NET_CLASS_B
						     : NET_CLASS_A;
	profile->rx_delay_s = (uint8_t)db_column_i64(db, s, 3);
	profile->rx1_dr_offset = (uint8_t)db_column_i64(db, s, 4);
	profile->rx2_dr = db_column_is_null(db, s, 5) ? 255 : (uint8_t)db_column_i64(db, s, 5);
	profile->rx2_freq_hz = (uint32_t)db_column_i64(db, s, 6);
	profile->adr = db_column_i64(db, s, 7) != 0;
	profile->allow_fcnt_reset = db_column_i64(db, s, 8) != 0;
	profile->late_uplink_s = (uint32_t)db_column_i64(db, s, 9);
	profile->adr_margin_db = (uint8_t)db_column_i64(db, s, 10);
	profile->min_dr = (uint8_t)db_column_i64(db, s, 11);
	profile->max_dr = choice(db, s, 12);
	profile->max_nb_trans = (uint8_t)db_column_i64(db, s, 13);
	profile->dev_status_interval_h = (uint16_t)db_column_i64(db, s, 14);
	profile->max_duty_cycle = (uint8_t)db_column_i64(db, s, 15);
	profile->uplink_dwell = choice(db, s, 16);
	profile->downlink_dwell = choice(db, s, 17);
	profile->max_eirp_dbm = choice(db, s, 18);
	profile->confirmed_downlink_tries = (uint8_t)db_column_i64(db, s, 19);
	ASSERT(net_adr_algorithm_parse(db_column_text(db, s, 20), &profile->adr_algorithm));
	profile->adr_fixed_dr = (uint8_t)db_column_i64(db, s, 21);
	load_newer(db, s, profile);
}

static void load_device(struct db *db, int s, struct as_desired *record)
{
	struct net_device *device = &record->device;
	device->replaced = db_column_i64(db, s, 13) != 0;
	device->enabled = db_column_i64(db, s, 0) != 0 && !device->replaced;
	device->join_eui = lw_eui64_from_number((uint64_t)db_column_i64(db, s, 1));
	db_column_copy(db, s, 2, device->profile.bytes, sizeof device->profile.bytes);
	device->activation = strcmp(db_column_text(db, s, 3), "abp") == 0 ? NET_ABP : NET_OTAA;
	device->dev_addr.value = (uint32_t)db_column_i64(db, s, 4);
	device->has_nwk_s_key = take_key(db, s, 5, device->nwk_s_key);
	device->has_s_nwk_s_int_key = take_key(db, s, 6, device->s_nwk_s_int_key);
	device->has_nwk_s_enc_key = take_key(db, s, 7, device->nwk_s_enc_key);
	device->fcnt_up = (uint32_t)db_column_i64(db, s, 8);
	device->fcnt_down = (uint32_t)db_column_i64(db, s, 9);
	record->root_keys.has_app_key = take_key(db, s, 10, record->root_keys.app_key);
	record->root_keys.has_nwk_key = take_key(db, s, 11, record->root_keys.nwk_key);
	ASSERT(lw_mac_version_parse(db_column_text(db, s, 12), &record->mac_version));
	device->private_keys = db_column_i64(db, s, 14) != 0;
	/* Without a KEK of its agency such a device does not join: never is its key the city's instead. */
	snprintf(record->app_kek_label, sizeof record->app_kek_label, "%s",
		 !device->private_keys          ? AS_KEK_LABEL
		 : db_column_is_null(db, s, 15) ? AS_KEK_NONE
						: db_column_text(db, s, 15));
	record->has_home = !db_column_is_null(db, s, 16);
	record->home = (struct lw_net_id){(uint32_t)db_column_i64(db, s, 16)};
}

static void load_gateway(struct db *db, int s, struct net_gateway *gateway)
{
	snprintf(gateway->gateway.region_id, sizeof gateway->gateway.region_id, "%s",
		 db_column_text(db, s, 0));
	snprintf(gateway->channel_plan, sizeof gateway->channel_plan, "%s", db_column_text(db, s, 1));
	snprintf(gateway->gateway.source_cidr, sizeof gateway->gateway.source_cidr, "%s",
		 db_column_text(db, s, 2));
	static const uint8_t accepts[] = {GW_ACCEPT_UDP, GW_ACCEPT_TOKEN, GW_ACCEPT_CERTIFICATE,
					  GW_ACCEPT_MQTT};
	for (size_t i = 0; i < sizeof accepts; i++)
		if (db_column_i64(db, s, 3 + (int)i))
			gateway->gateway.accept |= accepts[i];
	gateway->gateway.chip = strcmp(db_column_text(db, s, 7), "sx1301") == 0 ? GW_SX1301 : GW_SX1302;
	for (int i = 0; i < GW_TOKENS_MAX; i++)
		if (!db_column_is_null(db, s, 8 + i))
			db_column_copy(db, s, 8 + i,
				       gateway->gateway.token_hashes[gateway->gateway.token_count++],
				       GW_TOKEN_HASH);
	gateway->gateway.certificates_void_us = db_column_i64(db, s, 10);
}

/* Fills the body of a record whose head is known. ST_NOT_FOUND cannot be: each has a row or a tombstone. */
static enum status load_body(struct as_store *store, struct as_desired *record, int64_t eui,
			     const struct net_uuid *id)
{
	struct db *db = store->city;
	int s = store->desired_base + (record->kind == RECORD_PROFILE  ? PROFILE
				       : record->kind == RECORD_DEVICE ? DEVICE
								       : GATEWAY);
	if (record->kind == RECORD_PROFILE)
		db_bind_blob(db, s, 1, id->bytes, sizeof id->bytes);
	else
		db_bind_i64(db, s, 1, eui);
	enum db_step step = db_step(db, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_DATABASE : db_step_status(db);
	if (record->kind == RECORD_PROFILE)
		load_profile(db, s, &record->profile);
	else if (record->kind == RECORD_DEVICE)
		load_device(db, s, record);
	else
		load_gateway(db, s, &record->gateway);
	db_reset(db, s);
	return ST_OK;
}

static enum status load_record(struct as_store *store, int s, struct as_desired *record)
{
	struct net_uuid id = {{0}};
	memset(record, 0, sizeof *record);
	record->kind = (enum record_kind)db_column_i64(store->city, s, 0);
	record->version = (uint64_t)db_column_i64(store->city, s, 2);
	record->deleted = db_column_i64(store->city, s, 3) != 0;
	int64_t eui = 0;
	if (record->kind == RECORD_PROFILE) {
		db_column_copy(store->city, s, 1, id.bytes, sizeof id.bytes);
		record->profile = (struct net_profile){
			.version = record->version, .id = id, .deleted = record->deleted};
	} else {
		eui = db_column_i64(store->city, s, 1);
		struct lw_eui64 key = lw_eui64_from_number((uint64_t)eui);
		if (record->kind == RECORD_DEVICE)
			record->device = (struct net_device){
				.version = record->version, .dev_eui = key, .deleted = record->deleted};
		else
			record->gateway = (struct net_gateway){
				.version = record->version, .gateway.eui = key, .deleted = record->deleted};
	}
	return record->deleted ? ST_OK : load_body(store, record, eui, &id);
}

enum status as_store_desired_after(struct as_store *store, uint64_t after, struct as_desired *records,
				   size_t limit, size_t *count)
{
	int s = store->desired_base + AFTER;
	enum db_step step;
	enum status status = ST_OK;
	size_t found = 0;
	db_bind_i64(store->city, s, 1, (int64_t)after);
	db_bind_i64(store->city, s, 2, (int64_t)limit);
	while ((step = db_step(store->city, s)) == DB_ROW) {
		ASSERT_CMP(found, <, limit);
		status = load_record(store, s, &records[found++]);
		if (status != ST_OK) {
			db_reset(store->city, s);
			return status;
		}
	}
	if (step == DB_FAILED)
		return db_step_status(store->city);
	*count = found;
	return ST_OK;
}

void as_store_desired_load(struct as_store *store)
{
	int s = store->desired_base + LAST_OF_KIND;
	db_bind_i64(store->city, s, 1, RECORD_DEVICE);
	if (db_step(store->city, s) != DB_ROW)
		return;
	store->devices_version = (uint64_t)db_column_i64(store->city, s, 0);
	db_reset(store->city, s);
}

uint64_t as_store_desired_devices(const struct as_store *store)
{
	return store->devices_version;
}

bool as_store_desired_continues(const struct as_store *store, const struct net_uuid *city, uint64_t version)
{
	return as_uuid_equal(city, &store->city_id) && version <= store->version && version >= store->floor;
}
