/* What became of one join-request, for the person whose sensor does not join (DESIGN 5, "Join"; invariant 10). The network
 * server tells it to the application server as it goes: several reports of one attempt have one `attempt` number, and the
 * last one says how it stands. Best effort: no journal row, a bounded ring while the application server is away, a drop
 * counted.
 *
 *	                      ┌─▶ a refusal, or why the accept was not sent              (end)
 *	join-request ─▶ waiting ─▶ accept_sent ─▶ accepted ─▶ joined                     (end)
 *	                                              ├──▶ accept_not_heard: it asks anew (end)
 *	                                              └──▶ no_uplink: nothing for an hour
 *
 * No key and no payload is ever part of a report (invariant 5). */
#ifndef LAMPPOST_PROTO_JOIN_REPORT_H
#define LAMPPOST_PROTO_JOIN_REPORT_H

#include "common/proto/network_messages.h"

#define NET_PLAN_TEXT    32
#define NET_SILENT_AFTER (INT64_C(3600) * US_PER_S) /* an accepted join without an uplink becomes no_uplink */

enum net_join_verdict {
	/* on the way */
	NET_JOIN_WAITING,
	NET_JOIN_ACCEPT_SENT,
	NET_JOIN_ACCEPTED,
	NET_JOIN_JOINED,
	NET_JOIN_ACCEPT_UNHEARD,
	NET_JOIN_NO_UPLINK, /* never sent: what NET_JOIN_ACCEPTED becomes after NET_SILENT_AFTER */
	/* who it is */
	NET_JOIN_UNKNOWN_DEV_EUI,
	NET_JOIN_DEV_EUI_REVERSED,
	NET_JOIN_EUIS_SWAPPED,
	NET_JOIN_JOIN_EUI_DIFFERS,
	NET_JOIN_JOIN_EUI_REVERSED,
	NET_JOIN_FOREIGN,
	NET_JOIN_NOT_OTAA,
	NET_JOIN_DEVICE_DISABLED,
	NET_JOIN_NO_PROFILE,
	/* how it was heard */
	NET_JOIN_WRONG_REGION,
	NET_JOIN_DATA_RATE,
	NET_JOIN_WRONG_SUB_BAND, /* never sent: what `off_plan` means */
	/* what the join server said */
	NET_JOIN_WRONG_KEY,
	NET_JOIN_NO_KEY,
	NET_JOIN_DEV_NONCE_USED,
	NET_JOIN_DEV_NONCE_NOT_INCREASING,
	NET_JOIN_DEV_NONCE_REPEATED,
	NET_JOIN_NOT_PROVISIONED,
	NET_JOIN_JOIN_NONCE_EXHAUSTED,
	NET_JOIN_SERVER_REFUSED,
	NET_JOIN_SERVER_AWAY,
	NET_JOIN_BAD_ANSWER,
	/* what we lack */
	NET_JOIN_JOURNAL_FULL,
	NET_JOIN_NO_ADDRESS,
	NET_JOIN_SESSIONS_FULL,
	NET_JOIN_BUSY,
	/* why the accept was not sent */
	NET_JOIN_NO_GATEWAY,
	NET_JOIN_TOO_LATE,
	NET_JOIN_DUTY_CYCLE,
	NET_JOIN_GATEWAY_REFUSED,
	/* why a rejoin was refused */
	NET_JOIN_REJOIN_NET_ID,
	NET_JOIN_REJOIN_VERSION,
	NET_JOIN_REJOIN_NOT_ALLOWED,
	NET_JOIN_REJOIN_NO_SESSION,
	NET_JOIN_REJOIN_MIC,
	NET_JOIN_RJ_COUNT,
	/* another's join server: which one, and what it said, stands in the cause */
	NET_JOIN_FOREIGN_REFUSED,
	NET_JOIN_FOREIGN_AWAY,
	NET_JOIN_FOREIGN_BAD_ANSWER,
	NET_JOIN_FOREIGN_BUSY,
	/* who it is, once more: numbers are on the wire, so it stands here */
	NET_JOIN_DEVICE_REPLACED,
	NET_JOIN_STORM, /* more ask to join than can be answered */
	NET_JOIN_VERDICT_COUNT
};

/* How the row is to be taken. */
enum net_join_kind {
	NET_JOIN_GOING,    /* on its way, nothing is wrong so far */
	NET_JOIN_GOOD,     /* the end one wishes for */
	NET_JOIN_PROBLEM,  /* an end that somebody has to do something about */
	NET_JOIN_STRANGERS /* not ours: nobody has to do anything */
};

struct net_join_row {
	const char *name; /* "join_eui_differs" */
	enum net_join_kind kind;
	const char *sentence; /* what happened */
	const char *next;     /* what to do next; "" when there is nothing to do */
};
/* Lends the row; asserts on a value outside the enum. */
const struct net_join_row *net_join_row(enum net_join_verdict verdict);
/* False: no verdict has this name. */
bool net_join_verdict_parse(const char *name, enum net_join_verdict *verdict);

/* Members that a report has nothing to say about are zero; a later report of the attempt leaves what an earlier one said. */
struct net_join_report {
	uint64_t attempt; /* never 0; not met again after a restart */
	enum net_join_verdict verdict;
	struct wall time;                  /* of the request; of a later report: of what it tells */
	struct lw_eui64 dev_eui, join_eui; /* as the device sent them */
	uint16_t dev_nonce;                /* of a rejoin: RJcount */
	enum net_join_request request;
	/* The registered device that it is about: dev_eui's own, or the one whose EUIs are reversed or swapped. */
	bool has_device;
	struct lw_eui64 device, device_join_eui; /* as registered */
	/* The request as it was heard. */
	bool has_heard;
	uint32_t freq_hz;
	struct lw_modulation modulation;
	uint32_t gateway_count;
	struct lw_eui64 gateway; /* the best */
	int16_t rssi_dbm;
	bool has_snr;
	int16_t snr_cdb;
	char region_id[GW_REGION_ID_MAX]; /* of the best gateway */
	uint32_t times; /* requests that this report stands for; several for what is not registered, else 1 */
	/* A fixed plan's channel that the gateways of the region are not set to. */
	bool off_plan;
	uint8_t channel, sub_band; /* sub-band 1..; 0: the region has none */
	char plan[NET_PLAN_TEXT];  /* of the gateway: "8-15,65" */
	char cause[NET_TEXT_MAX];  /* the join server's word, the gateway's error, the device's region */
	uint16_t unheard;          /* accepts in a row, up to here, that were followed by a new request */
	/* The accept: sent from NET_JOIN_ACCEPT_SENT on. */
	bool has_tx;
	struct lw_eui64 tx_gateway;
	enum gw_window tx_window;
	uint32_t tx_freq_hz;
	span_us left; /* until that window, when the frame left the server */
};

#endif
