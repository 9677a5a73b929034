/* The key files that `lamppost init` makes, drawn from the world's seed. */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"
#include "common/crypto/secret.h"

#include <stdlib.h>

void world_keys_make(struct world *world)
{
	struct world_keys *keys = calloc(1, sizeof *keys);
	ASSERT(keys);
	for (int i = 0; i < WORLD_PROCESS_COUNT; i++) {
		keys->master[i] = secret_master_generate();
		keys->box[i] = secret_box_generate();
		ASSERT(keys->master[i] && keys->box[i]);
	}
	secret_random(keys->kek_network, sizeof keys->kek_network);
	secret_random(keys->kek_application, sizeof keys->kek_application);
	world->keys = keys;
}

void world_keys_release(struct world *world)
{
	if (!world->keys)
		return;
	for (int i = 0; i < WORLD_PROCESS_COUNT; i++) {
		secret_master_free(world->keys->master[i]);
		secret_box_free(world->keys->box[i]);
	}
	free(world->keys);
}
