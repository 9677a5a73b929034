/* Values in the forms that Basics Station gives them; inside its codec alone. */
#ifndef LAMPPOST_BRIDGE_STATION_FIELDS_H
#define LAMPPOST_BRIDGE_STATION_FIELDS_H

#include "gateway-bridge/basics_station.h"

/* Parses a text message whose document is an object. */
enum gb_verdict gb_station_open(struct gb_json *json, const char *text, size_t length);
/* Reads an EUI or a MAC with dashes; false: it is neither. */
bool gb_station_dashed(const char *text, struct lw_eui64 *eui);
/* Reads an identifier of 64 bits: integer or text. False: none of its forms. */
bool gb_station_identifier(const struct gb_json *json, int value, struct lw_eui64 *eui);

/* --- a message while it is read --- */

enum {
	UP_MSGTYPE,
	UP_MHDR,
	UP_JOIN_EUI,
	UP_JOIN_EUI_UPPER,
	UP_DEV_EUI,
	UP_DEV_EUI_UPPER,
	UP_DEV_NONCE,
	UP_DEV_ADDR,
	UP_FCTRL,
	UP_FCNT,
	UP_FOPTS,
	UP_FPORT,
	UP_FRM_PAYLOAD,
	UP_MIC,
	UP_PDU,
	UP_DR,
	UP_FREQ,
	UP_UPINFO,
	UP_DIID,
	UP_RCTX,
	UP_XTIME,
	UP_GPSTIME,
	UP_TXTIME,
	UP_STATION,
	UP_FIRMWARE,
	UP_PACKAGE,
	UP_MODEL,
	UP_PROTOCOL,
	UP_FEATURES,
	UP_RMTSH,
	UP_ROWS
};

struct gb_station_reading {
	struct gb_json *json;
	const struct lw_region *region;
	const int *values; /* tokens, by the enum above */
	struct gb_station_message *message;
};

/* An integer member; 0 when it is absent. */
int64_t gb_station_number(const struct gb_station_reading *of, int row);
/* Whether none of these rows is absent; the last is followed by −1. */
bool gb_station_has_all(const struct gb_station_reading *of, const int *rows);
#define GB_STATION_HAS_ALL(of, ...) gb_station_has_all(of, (const int[]){__VA_ARGS__, -1})

/* Frames: the PHYPayload is put together into message->frame, with where and how it was heard. */
enum gb_verdict gb_station_jreq(const struct gb_station_reading *of);
enum gb_verdict gb_station_rejoin(const struct gb_station_reading *of);
enum gb_verdict gb_station_updf(const struct gb_station_reading *of);
enum gb_verdict gb_station_dndf(const struct gb_station_reading *of);
enum gb_verdict gb_station_propdf(const struct gb_station_reading *of);
enum gb_verdict gb_station_jacc(const struct gb_station_reading *of);

#endif
