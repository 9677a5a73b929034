/* A start from network.db: what of the rows is taken, what is left out, what stops the start, and which rows the first sweep
 * writes again. Enough rows that they come in several lots (store_session.c). */
#include "tests/harness/fault_vfs.h"
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/store_network.h"

#define DEVICES 70

static struct rig rig;
static struct ns_store store;

static struct lw_eui64 eui_of(uint32_t number)
{
	return lw_eui64_from_number(0x70b3d50000000000 + number);
}

static void commit(void)
{
	assert_int_equal(ST_OK, ns_store_commit(&store, &rig.ns, rig.now));
	ns_outbox_clear(&rig.ns.outbox);
}

/* Until what fell behind is written. */
static void sweep(void)
{
	do {
		rig.ns.fold.next = (struct mono){0};
		commit();
	} while (rig.ns.fold.active || rig.ns.sessions.dirty_count > 0);
}

static enum status open_core(void)
{
	assert_int_equal(ST_OK, ns_store_open(&store, "network.db", FAULT_VFS));
	ns_init(&rig.ns, &rig.config, &rig.rng);
	return ns_store_load(&store, &rig.ns, rig.now);
}

static void close_core(void)
{
	ns_release(&rig.ns);
	ns_store_close(&store);
}

static void add_device(uint32_t number)
{
	struct lw_eui64 dev_eui = eui_of(number);
	ns_on_device(&rig.ns, rig.now,
		     &(struct net_device){.version = number + 2,
					  .dev_eui = dev_eui,
					  .join_eui = {{1}},
					  .enabled = true,
					  .profile = {{1}}});
	struct ns_session session = {.dev_eui = dev_eui,
				     .dev_addr = {0x26000000 + number / 2}, /* two share each */
				     .device = ns_device_find(&rig.ns.sessions, &dev_eui),
				     .tag = number + 1,
				     .fcnt_up = number * 3,
				     .mac_version = LW_MAC_1_0_4,
				     .nb_trans = 1};
	assert_true(session.device != NS_NO_SLOT);
	assert_true(ns_session_add(&rig.ns.sessions, &session) != NS_NO_SLOT);
}

static void fill(void)
{
	fault_vfs_reset();
	assert_int_equal(ST_OK, open_core());
	ns_on_state_begin(&rig.ns, rig.now, &(struct net_state_begin){.city = {{7}}, .full = true});
	struct net_profile profile = {
		.version = 1, .id = {{1}}, .mac_version = LW_MAC_1_0_4, .region_id = "eu868", .rx2_dr = 255};
	net_profile_defaults(&profile);
	ns_on_profile(&rig.ns, rig.now, &profile);
	for (uint32_t i = 0; i < DEVICES; i++)
		add_device(i);
	ns_on_state_end(&rig.ns, rig.now, &(struct net_state_end){DEVICES + 1});
	sweep();
	close_core();
}

static void spoil(const char *sql)
{
	if (!sql)
		return;
	assert_int_equal(ST_OK, ns_store_open(&store, "network.db", FAULT_VFS));
	assert_int_equal(ST_OK, db_exec(store.db, sql));
	ns_store_close(&store);
}

static int64_t rows_of(const char *sql)
{
	return db_query_i64(store.db, sql, -1);
}

/* Devices whose session is found by device and by address, with its counter. */
static uint32_t sessions_found(void)
{
	uint32_t found = 0;
	for (uint32_t i = 0; i < DEVICES; i++) {
		struct lw_eui64 dev_eui = eui_of(i);
		uint32_t device = ns_device_find(&rig.ns.sessions, &dev_eui), at = 0, slot;
		if (device == NS_NO_SLOT)
			continue;
		struct lw_dev_addr dev_addr = {0x26000000 + i / 2};
		while ((slot = ns_sessions_next(&rig.ns.sessions, dev_addr, &at)) != NS_NO_SLOT)
			found += slot == ns_device_at(&rig.ns.sessions, device)->session &&
				 ns_session_at(&rig.ns.sessions, slot)->fcnt_up == i * 3;
	}
	return found;
}

#define FIRST_DEVICE "kind = 1 AND key = (SELECT min(key) FROM state WHERE kind = 1)"

static void rows_are_judged(void **state)
{
	(void)state;
	static const struct {
		const char *name, *sql;
		enum status status;
		uint32_t devices, sessions, dirty;
	} rows[] = {
		{"as they were written", NULL, ST_OK, DEVICES, DEVICES, 0},
		{"none", "DELETE FROM sessions; DELETE FROM state", ST_OK, 0, 0, 0},
		{"one session", "DELETE FROM sessions WHERE slot > 0", ST_OK, DEVICES, 1, 0},
		{"as many as a lot takes", "DELETE FROM sessions WHERE slot >= 32", ST_OK, DEVICES, 32, 0},
		{"one more", "DELETE FROM sessions WHERE slot >= 33", ST_OK, DEVICES, 33, 0},
		{"a hole", "DELETE FROM sessions WHERE slot = 20", ST_OK, DEVICES, DEVICES - 1, 0},
		{"the first session is cut",
		 "UPDATE sessions SET bytes = substr(bytes, 1, 90) WHERE slot = 0", ST_DATABASE, 0, 0, 0},
		{"one in the middle is empty", "UPDATE sessions SET bytes = x'' WHERE slot = 40", ST_DATABASE,
		 0, 0, 0},
		{"the last belongs to another",
		 "UPDATE sessions SET bytes = (SELECT substr(bytes, 1, 9) FROM sessions WHERE slot = 3) || "
		 "substr(bytes, 10) WHERE slot = 69",
		 ST_DATABASE, 0, 0, 0},
		{"one is longer than any of ours, for a later release's groups",
		 "UPDATE sessions SET bytes = bytes || zeroblob(700) WHERE slot = 40", ST_OK, DEVICES,
		 DEVICES, 0},
		{"one that is longer is damaged as well",
		 "UPDATE sessions SET bytes = zeroblob(700) WHERE slot = 40", ST_DATABASE, 0, 0, 0},
		{"a slot that there is no room for", "UPDATE sessions SET slot = 4000000000 WHERE slot = 40",
		 ST_OK, DEVICES, DEVICES - 1, 0},
		{"a slot below none", "UPDATE sessions SET slot = -5 WHERE slot = 40", ST_OK, DEVICES,
		 DEVICES - 1, 0},
		{"a device has gone", "DELETE FROM state WHERE " FIRST_DEVICE, ST_OK, DEVICES - 1,
		 DEVICES - 1, 1},
		{"a device's row is cut", "UPDATE state SET bytes = substr(bytes, 1, 5) WHERE " FIRST_DEVICE,
		 ST_OK, DEVICES - 1, DEVICES - 1, 1},
		{"a device's row is longer than any",
		 "UPDATE state SET bytes = bytes || zeroblob(300) WHERE " FIRST_DEVICE, ST_OK, DEVICES,
		 DEVICES, 0},
		{"a key is longer than any", "INSERT INTO state VALUES (1, zeroblob(20), x'0102')", ST_OK,
		 DEVICES, DEVICES, 0},
		{"a kind that is not known", "INSERT INTO state VALUES (99, x'01', x'01')", ST_OK, DEVICES,
		 DEVICES, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		fill();
		spoil(rows[i].sql);
		enum status status = open_core();
		uint32_t expected = ns_store_expected(&store);
		t_int("the start", rows[i].status, status);
		if (status == ST_OK) {
			t_uint("devices", rows[i].devices, rig.ns.sessions.devices.count);
			t_uint("sessions", rows[i].sessions, rig.ns.sessions.slab.count);
			t_true("no fewer were expected, and none of none",
			       expected >= rows[i].sessions && (expected == 0) == (rows[i].sessions == 0));
			t_uint("sessions found", rows[i].sessions, sessions_found());
			t_uint("rows to write or to remove", rows[i].dirty, rig.ns.sessions.dirty_count);
			sweep();
			t_int("rows left in their slots", rows[i].sessions,
			      rows_of("SELECT count(*) FROM sessions WHERE slot BETWEEN 0 AND 999"));
		}
		close_core();
	}
}

/* Whoever starts on a file that needs nothing writes nothing: with a million sessions that were some hundred megabytes. */
static void a_start_writes_nothing_again(void **state)
{
	(void)state;
	fill();
	assert_int_equal(ST_OK, open_core());
	uint64_t before = fault_vfs_operations();
	for (unsigned i = 0; i < 5; i++) {
		rig.ns.fold.next = (struct mono){0};
		commit();
	}
	t_uint("rows folded", 0, store.rows_folded);
	t_uint("writes and syncs", before, fault_vfs_operations());
	uint32_t slot = ns_device_at(&rig.ns.sessions, 0)->session;
	ns_session_mark(&rig.ns.sessions, slot);
	sweep();
	t_uint("what changes is", 1, store.rows_folded);
	close_core();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(rows_are_judged),
		t_test(a_start_writes_nothing_again),
	};
	rig_init(&rig);
	ns_release(&rig.ns);
	rig.config.max_devices = 256;
	int failed = t_run(tests);
	ns_init(&rig.ns, &rig.config, &rig.rng);
	rig_release(&rig);
	return failed;
}
