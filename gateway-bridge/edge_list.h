/* STATE/gateways.list: the last gateway list, so that a bridge can start with it alone. The file is made anew and takes
 * the old one's place (write, sync, rename, sync the folder): there is always a whole one.
 *
 *	"LMPGWL1\n", then per part: u32 little-endian length, a packed GatewayList message (common/proto) */
#ifndef LAMPPOST_BRIDGE_EDGE_LIST_H
#define LAMPPOST_BRIDGE_EDGE_LIST_H

#include "common/base/arena.h"
#include "common/base/status.h"
#include "gateway-bridge/bridge.h"

/* Scratch for packing: the caller's, kept for the life of the process. */
struct gb_list_scratch {
	struct proto_message message;
	uint8_t bytes[PROTO_FRAME_MAX];
};

/* Hands the file's parts to the core. ST_NOT_FOUND: no file yet; ST_INVALID: not whole, the core is as it was; ST_IO,
 * logged. */
enum status gb_list_load(const char *path, struct gb_bridge *bridge, struct gb_list_scratch *scratch,
			 struct arena *arena) MUST_USE;
/* The same at a start: that there is no file, or a damaged one (logged), is no reason not to start: the network server has it. */
void gb_list_restore(const char *path, struct gb_bridge *bridge, struct gb_list_scratch *scratch,
		     struct arena *arena);
/* ST_IO: the disk refused, logged; the old file stands. */
enum status gb_list_save(const char *path, const struct gb_bridge *bridge,
			 struct gb_list_scratch *scratch) MUST_USE;

#endif
