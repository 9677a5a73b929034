/* MAC commands of 1.0.x, 1.1 and the relay (TS001-1.0.4 §5, TS001-1.1 §5, TS011 §6), bytes to struct and
 * back.
 *
 * A command is a row {direction, CID, name, length, repeat, since, until} and the rows of its fields {name,
 * place in the struct, bits}. One reader and one writer interpret the rows; there is no code for a single
 * command but for FilterListReq, whose length varies.
 *
 *	struct lw_mac_reader reader;
 *	struct lw_mac_command command;
 *	lw_mac_reader_init(&reader, LW_UP, fopts, length, region->frequency_step_hz);
 *	while (lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND)
 *		...
 *
 * An unknown CID or a command cut short ends the reading; what came before stands. RFU bits are ignored when
 * read and zero when written. A field that does not fit its bits is refused when written. */
#ifndef LAMPPOST_LORAWAN_MAC_COMMAND_H
#define LAMPPOST_LORAWAN_MAC_COMMAND_H

#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/lorawan/types.h"

#define LW_MAC_COMMAND_MAX 27 /* bytes with CID: UpdateUplinkListReq */

/* CIDs; the direction says which of the two commands it is. */
enum lw_cid {
	LW_CID_RESET = 0x01,
	LW_CID_LINK_CHECK = 0x02,
	LW_CID_LINK_ADR = 0x03,
	LW_CID_DUTY_CYCLE = 0x04,
	LW_CID_RX_PARAM_SETUP = 0x05,
	LW_CID_DEV_STATUS = 0x06,
	LW_CID_NEW_CHANNEL = 0x07,
	LW_CID_RX_TIMING_SETUP = 0x08,
	LW_CID_TX_PARAM_SETUP = 0x09,
	LW_CID_DL_CHANNEL = 0x0a,
	LW_CID_REKEY = 0x0b,
	LW_CID_ADR_PARAM_SETUP = 0x0c,
	LW_CID_DEVICE_TIME = 0x0d,
	LW_CID_FORCE_REJOIN = 0x0e,
	LW_CID_REJOIN_PARAM_SETUP = 0x0f,
	LW_CID_PING_SLOT_INFO = 0x10,
	LW_CID_PING_SLOT_CHANNEL = 0x11,
	LW_CID_BEACON_TIMING = 0x12,
	LW_CID_BEACON_FREQ = 0x13,
	LW_CID_DEVICE_MODE = 0x20,
	LW_CID_RELAY_CONF = 0x40,
	LW_CID_END_DEVICE_CONF = 0x41,
	LW_CID_FILTER_LIST = 0x42,
	LW_CID_UPDATE_UPLINK_LIST = 0x43,
	LW_CID_CTRL_UPLINK_LIST = 0x44,
	LW_CID_CONFIGURE_FWD_LIMIT = 0x45,
	LW_CID_NOTIFY_NEW_END_DEVICE = 0x46
};

/* How long a device repeats a command of its own (§5: "sticky"). */
enum lw_mac_repeat {
	LW_MAC_ONCE,
	LW_MAC_UNTIL_DOWNLINK, /* in every uplink until a class A downlink arrives */
	LW_MAC_UNTIL_CONF      /* in every uplink until the matching Conf arrives */
};

/* The fields of each command, by direction. Commands without a payload have none here. */
union lw_mac_fields {
	/* Up and down: ResetInd, ResetConf, RekeyInd, RekeyConf. */
	struct {
		uint8_t minor; /* 0..15: minor version of LoRaWAN */
	} reset, rekey;
	/* Up and down: DeviceModeInd, DeviceModeConf. */
	struct {
		uint8_t class; /* 0 class A, 2 class C */
	} device_mode;

	/* Up. */
	struct {
		bool ch_mask_ack;
		bool data_rate_ack;
		bool power_ack;
	} link_adr_ans;
	struct {
		bool channel_ack;
		bool rx2_data_rate_ack;
		bool rx1_dr_offset_ack;
	} rx_param_setup_ans;
	struct {
		uint8_t battery; /* 0 external, 1..254, 255 unknown */
		int8_t margin;   /* -32..31 dB */
	} dev_status_ans;
	struct {
		bool channel_frequency_ok;
		bool data_rate_range_ok;
	} new_channel_ans;
	struct {
		bool channel_frequency_ok;
		bool uplink_frequency_exists;
	} dl_channel_ans;
	struct {
		bool time_ok;
	} rejoin_param_setup_ans;
	struct {
		uint8_t periodicity; /* 0..7: a slot every 2^n seconds */
	} ping_slot_info_req;
	struct {
		bool channel_frequency_ok;
		bool data_rate_ok;
	} ping_slot_channel_ans;
	struct {
		bool beacon_frequency_ok;
	} beacon_freq_ans;
	struct {
		bool second_ch_freq_ack;
		bool second_ch_ack_offset_ack;
		bool second_ch_dr_ack;
		bool second_ch_idx_ack;
		bool default_ch_idx_ack;
		bool cad_periodicity_ack;
	} relay_conf_ans;
	struct {
		bool second_ch_freq_ack;
		bool second_ch_dr_ack;
		bool second_ch_idx_ack;
		bool backoff_ack;
	} end_device_conf_ans;
	struct {
		bool filter_list_action_ack;
		bool filter_list_len_ack;
		bool combined_rules_ack;
	} filter_list_ans;
	struct {
		bool uplink_list_idx_ack;
		uint32_t wfcnt32;
	} ctrl_uplink_list_ans;
	struct {
		struct lw_dev_addr dev_addr;
		uint8_t wor_snr_raw;  /* raw: dB + 20 */
		uint8_t wor_rssi_raw; /* -(dBm + 15) */
	} notify_new_end_device_req;

	/* Down. */
	struct {
		uint8_t margin; /* dB above the demodulation floor, 0..254 */
		uint8_t gw_cnt; /* distinct gateways */
	} link_check_ans;
	struct {
		uint8_t data_rate; /* 0..15; 15 keeps (1.0.4) */
		uint8_t tx_power;  /* 0..15; 15 keeps (1.0.4) */
		uint16_t ch_mask;
		uint8_t ch_mask_cntl; /* 0..7 */
		uint8_t nb_trans;     /* 0..15; never send 0 */
	} link_adr_req;
	struct {
		uint8_t max_dcycle; /* 0..15: 1/2^n */
	} duty_cycle_req;
	struct {
		uint8_t rx1_dr_offset; /* 0..7 */
		uint8_t rx2_data_rate; /* 0..15 */
		uint32_t frequency_hz;
	} rx_param_setup_req;
	struct {
		uint8_t ch_index;
		uint32_t frequency_hz; /* 0 removes the channel */
		uint8_t max_dr;
		uint8_t min_dr;
	} new_channel_req;
	struct {
		uint8_t delay; /* 0..15 s, 0 means 1 */
	} rx_timing_setup_req;
	struct {
		bool uplink_dwell_time; /* 400 ms limit on */
		bool downlink_dwell_time;
		uint8_t max_eirp; /* index 0..15, not dBm: lw_max_eirp_dbm() */
	} tx_param_setup_req;
	struct {
		uint8_t ch_index;
		uint32_t frequency_hz;
	} dl_channel_req;
	struct {
		uint8_t limit_exp; /* ADR_ACK_LIMIT = 2^n */
		uint8_t delay_exp; /* ADR_ACK_DELAY = 2^n */
	} adr_param_setup_req;
	struct {
		uint32_t gps_seconds; /* of the end of the uplink */
		uint8_t fraction_256; /* 1/256 s */
	} device_time_ans;
	struct {
		uint8_t period;      /* 0..7: a retry every 32 s x 2^n + random */
		uint8_t max_retries; /* 0..7 */
		uint8_t rejoin_type; /* 0..7; 0 and 1 ask for type 0, 2 for type 2 */
		uint8_t data_rate;
	} force_rejoin_req;
	struct {
		uint8_t max_time_n;  /* 2^(n+10) s */
		uint8_t max_count_n; /* 2^(n+4) uplinks */
	} rejoin_param_setup_req;
	struct {
		uint32_t frequency_hz; /* 0: the default */
		uint8_t data_rate;
	} ping_slot_channel_req;
	struct {
		uint16_t delay; /* x 30 ms */
		uint8_t channel;
	} beacon_timing_ans;
	struct {
		uint32_t frequency_hz; /* 0: the default */
	} beacon_freq_req;
	struct {
		uint8_t start_stop;
		uint8_t cad_periodicity;
		uint8_t default_ch_idx;
		uint8_t second_ch_idx;
		uint8_t second_ch_dr;
		uint8_t second_ch_ack_offset;
		uint32_t second_ch_freq_hz;
	} relay_conf_req;
	struct {
		uint8_t relay_mode_activation;
		uint8_t smart_enable_level;
		uint8_t backoff;
		uint8_t second_ch_idx;
		uint8_t second_ch_dr;
		uint8_t second_ch_ack_offset;
		uint32_t second_ch_freq_hz;
	} end_device_conf_req;
	struct {
		uint8_t filter_list_idx;          /* 0..15 */
		uint8_t filter_list_action;       /* 0 none, 1 forward, 2 filter */
		uint8_t filter_list_len;          /* 0..16 */
		uint8_t filter_list_eui_wire[16]; /* as on the air */
	} filter_list_req;
	struct {
		uint8_t uplink_list_idx;
		uint8_t reload_rate; /* 0..63; 63 unlimited */
		uint8_t bucket_size;
		struct lw_dev_addr dev_addr;
		uint32_t wfcnt32;
		struct lw_key root_wor_skey;
	} update_uplink_list_req;
	struct {
		uint8_t uplink_list_idx;
		uint8_t ctrl_uplink_action; /* 0 read, 1 remove */
	} ctrl_uplink_list_req;
	struct {
		uint8_t overall_reload_rate; /* 0..127; 127 unlimited; so the next three */
		uint8_t global_uplink_reload_rate;
		uint8_t notify_reload_rate;
		uint8_t join_req_reload_rate;
		uint8_t reset_limit_counter;
		uint8_t overall_limit_size; /* 0..3: x 1, 2, 4, 12; so the next three */
		uint8_t global_uplink_limit_size;
		uint8_t notify_limit_size;
		uint8_t join_req_limit_size;
	} configure_fwd_limit_req;
};

struct lw_mac_command {
	enum lw_direction direction;
	uint8_t cid; /* enum lw_cid */
	union lw_mac_fields as;
};

enum lw_mac_field_kind { LW_MAC_UINT, LW_MAC_SINT, LW_MAC_BOOL, LW_MAC_FREQUENCY, LW_MAC_BYTES };

/* One field of a payload, taken as a little-endian string of bits: bit 0 is the lowest bit of the first byte.
 */
struct lw_mac_field {
	const char *name;
	enum lw_mac_field_kind kind;
	uint8_t first_bit;
	uint8_t bits;   /* LW_MAC_BYTES: the most there can be, times 8 */
	uint8_t offset; /* in union lw_mac_fields */
	uint8_t size;   /* of the member */
};

struct lw_mac_row {
	enum lw_direction direction;
	uint8_t cid;
	const char *name;
	uint8_t length; /* of the payload without CID; FilterListReq: the least */
	enum lw_mac_repeat repeat;
	enum lw_mac_version since;
	enum lw_mac_version until;
	const struct lw_mac_field *fields;
	uint8_t field_count;
};

/* Returns the row, or NULL for a CID that has no command in that direction. Static. */
const struct lw_mac_row *lw_mac_row_find(enum lw_direction direction, uint8_t cid);
/* Lends all rows, ordered by direction and CID. */
const struct lw_mac_row *lw_mac_rows(size_t *count);
/* Returns whether a device of that version may know the command. Relay commands ask for 1.0.4. */
bool lw_mac_row_in_version(const struct lw_mac_row *row, enum lw_mac_version version);
/* Read a number, flag or frequency of a command by its row; not for LW_MAC_BYTES. */
int64_t lw_mac_field_get(const struct lw_mac_command *command, const struct lw_mac_field *field);
/* Writes it. Returns false, nothing changed, if the value does not fit the member (the bits are checked by
 * encoding). */
bool lw_mac_field_set(struct lw_mac_command *command, const struct lw_mac_field *field, int64_t value);
/* Lends the bytes of a LW_MAC_BYTES field and their number. */
const uint8_t *lw_mac_field_bytes(const struct lw_mac_command *command, const struct lw_mac_field *field,
				  size_t *length);

enum lw_mac_read {
	LW_MAC_READ_COMMAND = 0,
	LW_MAC_READ_END,         /* everything was read */
	LW_MAC_READ_UNKNOWN_CID, /* `reader.cid`, at `reader.offset`; the rest is unreadable */
	LW_MAC_READ_TRUNCATED,   /* the command at `reader.offset` is cut short */
	LW_MAC_READ_COUNT
};

struct lw_mac_reader {
	struct rd rd; /* borrows the bytes */
	size_t total; /* bytes in all */
	enum lw_direction direction;
	uint32_t frequency_step_hz;
	size_t offset;            /* of the command read last, or of the one that stopped the reading */
	uint8_t cid;              /* of the same */
	enum lw_mac_read stopped; /* LW_MAC_READ_COMMAND while it goes on */
};

/* "command", "end", "unknown_cid", "truncated". */
const char *lw_mac_read_name(enum lw_mac_read read);
/* Starts reading FOpts or the payload of FPort 0, in clear. `frequency_step_hz` is the region's: 100 or 200.
 */
void lw_mac_reader_init(struct lw_mac_reader *reader, enum lw_direction direction, const uint8_t *bytes,
			size_t length, uint32_t frequency_step_hz);
/* Fills the next command; anything but LW_MAC_READ_COMMAND is said again and again, `command` untouched. */
enum lw_mac_read lw_mac_read(struct lw_mac_reader *reader, struct lw_mac_command *command);

enum lw_mac_write {
	LW_MAC_WRITE_OK = 0,
	LW_MAC_WRITE_UNKNOWN_COMMAND,
	LW_MAC_WRITE_OUT_OF_RANGE,   /* a field does not fit its bits */
	LW_MAC_WRITE_FREQUENCY_STEP, /* no multiple of the region's step */
	LW_MAC_WRITE_NO_ROOM,        /* the writer has not the room; it is as before */
	LW_MAC_WRITE_COUNT
};

/* "ok", "unknown_command", "field_out_of_range", "frequency_step", "no_room". */
const char *lw_mac_write_name(enum lw_mac_write write);
/* Appends a command with its CID. The writer is untouched unless LW_MAC_WRITE_OK. */
MUST_USE enum lw_mac_write lw_mac_write(struct wr *wr, const struct lw_mac_command *command,
					uint32_t frequency_step_hz);

/* Returns the dBm of TxParamSetupReq's index 0..15; 0 beyond. */
int lw_max_eirp_dbm(uint8_t index);

/* Turns the two octets of an encoded ForceRejoinReq around, for devices that take its high byte first (mac_command_table.c has
 * the order of every other field: low byte first). */
void lw_mac_force_rejoin_turn(uint8_t command[3]);

#endif
