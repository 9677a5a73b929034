/* What became of each accept that was handed to a gateway: followed by its bytes, which no two share, from the join server's answer
 * through the air to the light it was for. */
#include "common/base/check.h"
#include "tests/simulation/storm/storm_parts.h"

#include <stdlib.h>
#include <string.h>

#define CELLS (STORM_ACCEPTS_MAX * 2u)

const char *const storm_fate_names[STORM_FATE_COUNT] = {
	[STORM_UNSENT] = "no gateway put it on the air",
	[STORM_ON_ITS_WAY] = "on its way as the run ended",
	[STORM_JOINED] = "the light joined by it",
	[STORM_JOINED_BEFORE] = "the light had joined by another",
	[STORM_NO_WINDOW] = "the light did not listen then",
	[STORM_ELSEWHERE] = "the light listened to another frame",
	[STORM_WEAK] = "too weak at the light",
	[STORM_DROWNED] = "drowned by another gateway's frame",
	[STORM_NOT_TAKEN] = "heard, and not taken",
};

static uint32_t hash_of(const uint8_t *phy)
{
	uint32_t value;
	memcpy(&value, phy + 1, sizeof value);
	return value * UINT32_C(2654435761);
}

/* The cell of these bytes, or the empty one where they would stand. */
static uint32_t find(const struct storm *storm, const uint8_t *phy)
{
	uint32_t cell = hash_of(phy) % CELLS;
	while (storm->accept_cells[cell] != 0 &&
	       memcmp(storm->accepts[storm->accept_cells[cell] - 1].phy, phy, STORM_ACCEPT_BYTES) != 0)
		cell = (cell + 1) % CELLS;
	return cell;
}

static struct storm_accept *accept_of(const struct storm *storm, const uint8_t *phy)
{
	uint32_t at = storm->accept_cells[find(storm, phy)];
	return at == 0 ? NULL : &storm->accepts[at - 1];
}

void storm_accept_made(struct storm *storm, uint32_t light, uint16_t dev_nonce, const uint8_t *phy)
{
	uint32_t cell = find(storm, phy);
	ASSERT_CMP(storm->accept_count, <, STORM_ACCEPTS_MAX);
	ASSERT_CMP(storm->accept_cells[cell], ==, 0);
	struct storm_accept *accept = &storm->accepts[storm->accept_count++];
	*accept = (struct storm_accept){
		.light = light, .dev_nonce = dev_nonce, .fate = STORM_UNMADE, .made_us = storm->now_us};
	memcpy(accept->phy, phy, STORM_ACCEPT_BYTES);
	storm->accept_cells[cell] = storm->accept_count;
}

void storm_accept_handed(struct storm *storm, const uint8_t *phy)
{
	struct storm_accept *accept = accept_of(storm, phy);
	if (accept && accept->fate == STORM_UNMADE)
		accept->fate = STORM_UNSENT;
}

static bool opens_at(const struct sim_device *device, const struct sim_transmission *transmission)
{
	int64_t one_us = transmission->start_us - device->rx1_us,
		two_us = transmission->start_us - device->rx2_us;
	int64_t error_us = device->config.rx_error_us;
	return device->state == SIM_DEVICE_EXCHANGE &&
	       ((one_us <= error_us && one_us >= -error_us) || (two_us <= error_us && two_us >= -error_us));
}

static enum storm_fate fate_as_sent(const struct sim_device *device, const struct storm_accept *accept,
				    const struct sim_transmission *transmission)
{
	if (device->joined)
		return STORM_JOINED_BEFORE;
	if ((uint16_t)device->dev_nonce != accept->dev_nonce || !opens_at(device, transmission))
		return STORM_NO_WINDOW;
	return STORM_WEAK; /* its receiver locks if it hears the preamble, and says so at the end */
}

static void sent(void *ctx, size_t gateway, const struct sim_transmission *transmission,
		 const size_t *listeners, size_t count)
{
	struct storm *storm = ctx;
	struct storm_accept *accept = accept_of(storm, transmission->txpk.phy);
	if (transmission->txpk.length < STORM_ACCEPT_BYTES || !accept)
		return;
	size_t index = storm->setup->sensors + accept->light;
	const struct sim_device *device = sim_world_device(storm->world, index);
	accept->spreading_factor = transmission->txpk.modulation.spreading_factor;
	accept->rx2 = transmission->txpk.freq_hz == storm->plan.rx2_freq_hz &&
		      transmission->start_us - device->uplink_end_us > 5500 * US_PER_MS;
	accept->margin_db = (float)(sim_world_link_dbm(storm->world, index, gateway,
						       transmission->power_dbm) -
				    sim_radio_sensitivity_dbm(accept->spreading_factor,
							      transmission->txpk.modulation.bandwidth_hz));
	accept->fate = fate_as_sent(device, accept, transmission);
	bool locked = false;
	for (size_t i = 0; i < count; i++)
		locked |= listeners[i] == index;
	if (accept->fate == STORM_WEAK && device->locked_window != 0)
		accept->fate = locked ? STORM_ON_ITS_WAY : STORM_ELSEWHERE;
}

static void heard(void *ctx, size_t device, const struct sim_transmission *transmission,
		  enum sim_reception reception)
{
	struct storm *storm = ctx;
	struct storm_accept *accept = accept_of(storm, transmission->txpk.phy);
	if (transmission->txpk.length < STORM_ACCEPT_BYTES || !accept ||
	    device != storm->setup->sensors + accept->light)
		return;
	const struct sim_device *light = sim_world_device(storm->world, device);
	accept->fate = reception == SIM_RECEIVED ? (light->joined ? STORM_JOINED : STORM_NOT_TAKEN)
						 : (reception == SIM_COLLIDED ? STORM_DROWNED : STORM_WEAK);
}

void storm_accepts_open(struct storm *storm)
{
	storm->accepts = calloc(STORM_ACCEPTS_MAX, sizeof *storm->accepts);
	storm->accept_cells = calloc(CELLS, sizeof *storm->accept_cells);
	ASSERT(storm->accepts && storm->accept_cells);
	sim_world_watch_air(storm->world, (struct sim_air_port){sent, heard, storm});
}

void storm_accepts_judge(struct storm *storm)
{
	struct storm_result *result = storm->result;
	for (uint32_t i = 0; i < storm->accept_count; i++) {
		const struct storm_accept *accept = &storm->accepts[i];
		if (accept->fate == STORM_UNMADE)
			continue;
		/* One for the run's last seconds is no loss. */
		enum storm_fate fate = accept->fate == STORM_UNSENT &&
						       storm->now_us - accept->made_us < 7 * US_PER_S
					       ? STORM_ON_ITS_WAY
					       : accept->fate;
		result->fates[fate]++;
		result->by_rate[accept->rx2][accept->spreading_factor % 16][fate]++;
	}
}

void storm_accepts_close(struct storm *storm)
{
	free(storm->accepts);
	free(storm->accept_cells);
}
