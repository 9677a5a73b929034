/* The key files (docs/contract.md, Files), read once at the start. */
#include "network-server/edge_process.h"

#include "common/io/key_file.h"

static bool read_key(const struct ns_edge *edge, const char *name, uint8_t *bytes, size_t size)
{
	char path[OPTION_PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/keys/%s", edge->common.state_dir, name);
	return key_file_read_logged(path, bytes, size);
}

enum status ns_edge_keys_load(struct ns_edge *edge, struct ns_config *config)
{
	uint8_t bytes[SECRET_KEY];
	if (read_key(edge, "network-server.master", bytes, sizeof bytes))
		edge->master = secret_master_from(bytes);
	if (read_key(edge, "network-server.box", bytes, sizeof bytes))
		edge->box = secret_box_from(bytes);
	secret_wipe(bytes, sizeof bytes);
	config->has_kek = read_key(edge, "kek-network.network-server", config->kek, sizeof config->kek);
	config->master = edge->master;
	config->box = edge->box;
	return edge->master && edge->box && config->has_kek ? ST_OK : ST_REFUSED;
}

void ns_edge_keys_release(struct ns_edge *edge)
{
	secret_master_free(edge->master);
	secret_box_free(edge->box);
}
