/* The fields of an rxpk entry that have a form of their own; inside the Semtech codec alone. */
#ifndef LAMPPOST_BRIDGE_SEMTECH_FIELDS_H
#define LAMPPOST_BRIDGE_SEMTECH_FIELDS_H

#include "gateway-bridge/semtech_udp.h"

/* modu: LORA, FSK, LR-FHSS or LRFHSS. */
bool gb_modulation_kind_read(const struct gb_json *json, int modu, enum lw_modulation_kind *kind);
/* datr of rxpk->modulation.kind, into `data_rate` and `modulation`. */
enum gb_verdict gb_data_rate_read(const struct gb_json *json, int datr, struct gb_rxpk *rxpk);
/* codr, or GB_JSON_NONE, into `coding_rate` and, where it has room and a form that we know, `modulation.code_rate`. */
enum gb_verdict gb_coding_rate_read(const struct gb_json *json, int codr, struct gb_rxpk *rxpk);
/* time: ISO 8601 with Z or an offset, of 2017 or later (before, the leap seconds differ from ours). False for anything
 * else: gateways write all sorts of things there. */
bool gb_utc_read(const char *text, struct wall *utc);
/* One entry of rxpk. */
enum gb_verdict gb_rxpk_read(struct gb_json *json, int entry, struct gb_rxpk *out);

#endif
