/* The calls /vault of join.sock, of the caller `vault` alone (docs/contract.md): status, rotation, export, audit. */
#ifndef LAMPPOST_JOIN_SERVER_EDGE_VAULT_CALLS_H
#define LAMPPOST_JOIN_SERVER_EDGE_VAULT_CALLS_H

#include "common/io/http_server.h"
#include "join-server/callers.h"
#include "join-server/edge_vault.h"

struct js_vault_calls {
	struct io_http_server *http; /* all are borrowed */
	const struct js_callers *callers;
	struct js_edge_vault *vault;
	const struct secret_box *box;
	const struct config_common *common;
};

/* Adds its routes. */
void js_vault_calls_open(struct js_vault_calls *calls);

#endif
