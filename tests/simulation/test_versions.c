/* Devices that are older than the rest: counters of 16 bits round their end in both directions, and regional parameters of before,
 * played by the simulated device, which has tables of its own. */
#include "tests/harness/harness.h"
#include "tests/harness/mac_rig.h"

static struct t_mac mac;
static struct sim_device *const device = &mac.region.device;
static struct net_profile *const profile = &mac.region.profile;

/* --- counters --- */

#define NEAR_END 65530

static void counts_16_bits(struct sim_device_config *config)
{
	config->fcnt_16 = true;
	config->confirmed_every = 1;
	config->first_fcnt_up = NEAR_END;
}

static void counts_32_bits(struct sim_device_config *config)
{
	counts_16_bits(config);
	config->fcnt_16 = false;
}

static void counters_go_round_their_end(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool of_profile;
		void (*device)(struct sim_device_config *config);
	} rows[] = {
		{"16 bits", true, counts_16_bits},
		{"32 bits", false, counts_32_bits},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_mac_open(&mac, &(struct t_mac_setup){
					 .version = LW_MAC_1_0_3, .abp = true, .device = rows[i].device});
		profile->fcnt_16_bit = rows[i].of_profile;
		t_mac_profile(&mac);
		struct ns_session *session = t_mac_session(&mac);
		session->fcnt_up = session->n_fcnt_down =
			NEAR_END; /* the first one, too far ahead, is tried again */
		device->fcnt_down[0] = NEAR_END - 1;
		device->seen_down[0] = true;
		unsigned acknowledged = 0;
		bool restarted = false;
		while (session->fcnt_up < 0x10008) {
			uint32_t before = session->fcnt_up;
			t_mac_exchange(&mac);
			acknowledged += mac.region.heard[0] || mac.region.heard[1];
			if (!t_uint("each uplink is the next", before + 1, session->fcnt_up))
				break;
			if (session->fcnt_up == 0x10003 && !restarted) {
				rig_restart(&mac.region.rig);
				struct gw_presence presence = {.gateway = rig_eui(mac.region.gateway),
							       .online = true,
							       .known = true};
				ns_on_presence(&mac.region.rig.ns, mac.region.rig.now, RIG_LINK,
					       ++mac.region.rig.seq, &presence);
				rig_turn(&mac.region.rig);
				session = t_mac_session(&mac);
				restarted = true;
				t_uint("a crash costs no counter", 0x10003, session->fcnt_up);
			}
		}
		t_true("a crash behind the end", restarted);
		t_uint("each is acknowledged, and the device hears it", 0x10008 - NEAR_END, acknowledged);
		t_true("downlinks went round as well", session->n_fcnt_down > 0x10000);
		t_uint("as the device has it",
		       (session->n_fcnt_down - 1) & (rows[i].of_profile ? 0xffff : ~0u),
		       device->fcnt_down[0]);
		t_mac_close(&mac);
	}
}

/* --- regional parameters --- */

static enum lw_regional_revision revision;

static void of_revision(struct sim_device_config *config)
{
	config->adr = true;
	profile->regional_revision = revision;
	profile->adr = true;
	t_mac_profile(&mac);
}

static bool on_sub_band_2(struct t_mac *at)
{
	for (size_t i = 0; i < at->region.plan.channels; i++)
		if (at->region.device.channels[i].enabled != ((i >= 8 && i < 16) || i == 65))
			return false;
	return true;
}

/* A device of 1.0.2 knows neither masks in a CFList nor ChMaskCntl 5: a profile that says so brings it to the network's channels
 * by what it knows, at the first request. */
static void a_device_of_before_gets_its_channels(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_mac_version version;
		enum lw_regional_revision revision;
		bool cflist;
	} rows[] = {
		{"1.0.2 and RP001-1.0.2B", LW_MAC_1_0_2, LW_RP001_1_0_2B, false},
		{"1.0.3 and RP001-1.0.3A", LW_MAC_1_0_3, LW_RP001_1_0_3A, true},
		{"1.0.4 and the sheet's", LW_MAC_1_0_4, LW_RP002_1_0_4, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		revision = rows[i].revision;
		t_mac_open(&mac, &(struct t_mac_setup){.region = "us915",
						       .version = rows[i].version,
						       .device = of_revision});
		t_int("CFList", rows[i].cflist, mac.region.rig.joins[0].request.has_cflist);
		t_true("channels 8 to 15 and 65", t_mac_until(&mac, on_sub_band_2, 4));
		t_mac_exchanges(&mac, 4);
		t_uint("nothing is refused", 0, t_mac_session(&mac)->mac.refused_mask);
		t_mac_close(&mac);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(counters_go_round_their_end),
		t_test(a_device_of_before_gets_its_channels),
	};
	return t_run(tests);
}
