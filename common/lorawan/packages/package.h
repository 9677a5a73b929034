/* Application packages (LoRa Alliance TS003 to TS006): commands in FRMPayload, bytes to struct and back.
 *
 * A command is a row {direction, CID, name, lengths, versions} with the rows of its fields; each package has its table
 * (clock_sync.h, fragmentation.h, multicast_setup.h, firmware.h), one reader and one writer interpret them all. Where
 * versions of a package lay a command out differently it has a row for each, over the same struct.
 *
 *	struct lw_package_reader reader;
 *	struct lw_package_command command;
 *	lw_package_reader_init(&reader, &lw_fragmentation, 2, LW_UP, payload, length, region->freq_step_hz);
 *	while (lw_package_read(&reader, &command) == LW_PACKAGE_COMMAND)
 *		...
 *
 * A payload may hold several commands; an unknown CID or a command cut short ends the reading, and what came before
 * stands. RFU bits are ignored when read and zero when written; a value that does not fit its bits is refused when
 * written. Nothing here allocates; DataFragment's bytes stay where they were read (struct lw_package_reader borrows). */
#ifndef LAMPPOST_LORAWAN_PACKAGES_PACKAGE_H
#define LAMPPOST_LORAWAN_PACKAGES_PACKAGE_H

#include "common/base/bytes.h"
#include "common/base/status.h"
#include "common/lorawan/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LW_PACKAGE_VERSIONS_MAX 2
#define LW_MC_GROUPS            4

/* PackageIdentifier, as PackageVersionAns says it. */
enum lw_package_id {
	LW_PACKAGE_CLOCK_SYNC = 1,
	LW_PACKAGE_MULTICAST_SETUP = 2,
	LW_PACKAGE_FRAGMENTATION = 3,
	LW_PACKAGE_FIRMWARE = 4
};

#define LW_CID_PACKAGE_VERSION 0x00 /* in every package: PackageVersionReq, PackageVersionAns */

/* The fields of each command. Those without a payload have none here. Times are GPS seconds (gps_time.h). */
union lw_package_fields {
	struct {
		uint8_t package_identifier; /* enum lw_package_id */
		uint8_t package_version;
	} package_version_ans;

	/* TS003 */
	struct {
		uint32_t device_time; /* GPS seconds, modulo 2^32 */
		uint8_t token_req;    /* 0..15 */
		bool ans_required;
	} app_time_req;
	struct {
		int32_t time_correction; /* seconds to add */
		uint8_t token_ans;       /* 0..15: of the request */
	} app_time_ans;
	struct {
		uint8_t period; /* 0..15: every 128 x 2^n s, +- 30 s */
	} periodicity_req;
	struct {
		bool not_supported;
		uint32_t time; /* the device's, GPS seconds */
	} periodicity_ans;
	struct {
		uint8_t nb_transmissions; /* 0..7 */
	} force_device_resync;

	/* TS004 */
	struct {
		bool participants; /* every device that takes part answers, not only those that miss fragments */
		uint8_t frag_index; /* 0..3 */
	} frag_status_req;
	struct {
		uint8_t frag_index;
		uint16_t nb_frag_received;     /* 0..16383, coded ones counted */
		uint8_t missing_frag;          /* independent fragments still needed; 255: 255 or more */
		bool not_enough_matrix_memory; /* version 1 */
		bool memory_error;             /* version 2; so the next two */
		bool mic_error;
		bool session_does_not_exist;
	} frag_status_ans;
	struct {
		uint8_t mc_group_bit_mask; /* 0..15: groups from which fragments may come; 0: unicast alone */
		uint8_t frag_index;
		uint16_t nb_frag; /* uncoded fragments */
		uint8_t frag_size;
		uint8_t block_ack_delay;      /* 0..7: answers spread over 2^(n + 4) s */
		uint8_t fragmentation_matrix; /* 0..7: 0 is the code of fragment_code.h (version 2: FragAlgo) */
		bool ack_reception;    /* version 2: FragDataBlockReceivedReq is wanted; so the next two */
		uint8_t padding;       /* bytes added to fill the last fragment */
		uint8_t descriptor[4]; /* as on the air */
		uint16_t session_cnt;
		uint8_t mic[4];
	} frag_setup_req;
	struct {
		uint8_t frag_index;
		bool encoding_unsupported; /* version 2 calls it FragAlgo unsupported */
		bool not_enough_memory;
		bool frag_session_index_not_supported;
		bool wrong_descriptor;
		bool session_cnt_replay; /* version 2 */
	} frag_setup_ans;
	struct {
		uint8_t frag_index;
	} frag_delete_req;
	struct {
		uint8_t frag_index;
		bool session_does_not_exist;
	} frag_delete_ans;
	struct {
		uint8_t frag_index;
		bool mic_error;
	} frag_block_received_req;
	struct {
		uint8_t frag_index;
	} frag_block_received_ans;
	struct {
		uint8_t frag_index;
		uint16_t n;          /* 1..nb_frag uncoded, above coded */
		const uint8_t *data; /* borrows what the command was read from, or is written from */
		uint8_t data_length;
	} data_fragment;

	/* TS005 */
	struct {
		uint8_t req_group_mask; /* 0..15 */
	} mc_status_req;
	struct {
		uint8_t ans_group_mask;  /* 0..15; as many items follow as bits are set */
		uint8_t nb_total_groups; /* 0..7 */
		struct {
			uint8_t mc_group_id; /* 0..3 */
			struct lw_dev_addr mc_addr;
		} items[LW_MC_GROUPS];
	} mc_status_ans;
	struct {
		uint8_t mc_group_id;
		struct lw_dev_addr mc_addr;
		struct lw_key mc_key_encrypted; /* lw_key_mc_encrypted() */
		uint32_t min_mc_fcnt;
		uint32_t max_mc_fcnt;
	} mc_setup_req;
	struct {
		uint8_t mc_group_id;
		bool id_error;
	} mc_setup_ans;
	struct {
		uint8_t mc_group_id;
	} mc_delete_req;
	struct {
		uint8_t mc_group_id;
		bool mc_group_undefined;
	} mc_delete_ans;
	struct { /* classes C and B */
		uint8_t mc_group_id;
		uint32_t session_time; /* GPS seconds; class B: a multiple of 128 */
		uint8_t time_out; /* 0..15: the session ends by itself after 2^n s (class C), 2^n periods of 128 s */
		uint8_t periodicity; /* class B: 0..7 */
		uint32_t dl_frequency_hz;
		uint8_t dr;
	} mc_session_req;
	struct {
		uint8_t mc_group_id;
		bool dr_error;
		bool freq_error;
		bool mc_group_undefined;
		bool start_missed;      /* version 2 */
		uint32_t time_to_start; /* seconds, 24 bits; there only when no flag is set */
	} mc_session_ans;

	/* TS006 */
	struct {
		uint32_t fw_version;
		uint32_t hw_version;
	} dev_version_ans;
	struct {                      /* both ways */
		uint32_t reboot_time; /* GPS seconds; Req: 0 at once, 0xffffffff cancels. Ans: seconds left */
	} dev_reboot_time;
	struct {                    /* both ways */
		uint32_t countdown; /* seconds, 24 bits */
	} dev_reboot_countdown;
	struct {
		uint8_t up_image_status;  /* 0 none, 1 corrupt, 2 for other hardware, 3 valid */
		uint32_t next_fw_version; /* there only with 3 */
	} dev_upgrade_image_ans;
	struct {
		uint32_t fw_version;
	} dev_delete_image_req;
	struct {
		uint8_t error_no_valid_image;
		uint8_t error_invalid_version;
	} dev_delete_image_ans;
};

struct lw_package_command {
	enum lw_direction direction;
	uint8_t cid;
	union lw_package_fields as;
};

enum lw_package_field_kind {
	LW_PACKAGE_UINT,
	LW_PACKAGE_SINT,
	LW_PACKAGE_BOOL,
	LW_PACKAGE_FREQUENCY, /* Hz in the struct, steps of the region on the air */
	LW_PACKAGE_ADDRESS,   /* a DevAddr */
	LW_PACKAGE_BYTES      /* a fixed number of them, as on the air */
};

struct lw_package_field {
	const char *name;
	enum lw_package_field_kind kind;
	uint8_t first_bit; /* of the payload after the CID, see bit_field.h */
	uint8_t bits;
	uint8_t offset; /* in union lw_package_fields */
	uint8_t size;   /* of the member */
};

/* What follows the fixed part. */
enum lw_package_tail {
	LW_PACKAGE_NO_TAIL,
	LW_PACKAGE_MORE_IF,   /* `more_length` bytes with fields, if (first byte & more_mask) == more_value */
	LW_PACKAGE_MC_GROUPS, /* five bytes for each bit of ans_group_mask */
	LW_PACKAGE_REST       /* everything that is left: DataFragment */
};

struct lw_package_row {
	enum lw_direction direction;
	uint8_t cid;
	const char *name;
	uint8_t length; /* of the fixed part, without CID */
	uint8_t since;  /* version of the package */
	uint8_t until;
	const struct lw_package_field *fields;
	uint8_t field_count;
	enum lw_package_tail tail;
	uint8_t more_length;
	uint8_t more_mask;
	uint8_t more_value;
};

struct lw_package {
	enum lw_package_id id;
	const char *name;      /* "clock_sync" */
	const char *document;  /* "TS003" */
	uint8_t default_fport; /* a device may use another */
	uint8_t versions;      /* 1 .. this */
	const struct lw_package_row *rows;
	uint8_t row_count;
};

/* Returns the row of a command in that version, or NULL. Static. */
const struct lw_package_row *lw_package_row_find(const struct lw_package *package, uint8_t version,
						 enum lw_direction direction, uint8_t cid);
/* Returns whether the field is there in this very command: those of a conditional part need not be. */
bool lw_package_field_there(const struct lw_package_row *row, const struct lw_package_command *command,
			    const struct lw_package_field *field);
/* Read a number, flag, frequency or address of a command by its row; not for LW_PACKAGE_BYTES. */
int64_t lw_package_field_get(const struct lw_package_command *command, const struct lw_package_field *field);
/* Writes it. Returns false, nothing changed, if the value does not fit the member. */
bool lw_package_field_set(struct lw_package_command *command, const struct lw_package_field *field,
			  int64_t value);

enum lw_package_read {
	LW_PACKAGE_COMMAND = 0,
	LW_PACKAGE_END,         /* everything was read */
	LW_PACKAGE_UNKNOWN_CID, /* `reader.cid`, at `reader.offset`; the rest is unreadable */
	LW_PACKAGE_TRUNCATED,   /* the command at `reader.offset` is cut short */
	LW_PACKAGE_TRAILING,    /* lw_package_read_one() alone: more than one command */
	LW_PACKAGE_READ_COUNT
};

/* "command", "end", "unknown_cid", "truncated", "trailing_bytes". */
const char *lw_package_read_name(enum lw_package_read read);

struct lw_package_reader {
	const struct lw_package *package;
	struct rd rd; /* borrows the payload; so do commands read from it */
	size_t total;
	uint8_t version;
	enum lw_direction direction;
	uint32_t freq_step_hz;
	size_t offset; /* of the command read last, or of the one that stopped the reading */
	uint8_t cid;
	enum lw_package_read stopped; /* LW_PACKAGE_COMMAND while it goes on */
};

/* Starts reading a deciphered FRMPayload. `version` is 1 .. package->versions. */
void lw_package_reader_init(struct lw_package_reader *reader, const struct lw_package *package,
			    uint8_t version, enum lw_direction direction, const uint8_t *payload,
			    size_t length, uint32_t freq_step_hz);
/* Fills the next command; anything but LW_PACKAGE_COMMAND is said again and again, `command` untouched. */
enum lw_package_read lw_package_read(struct lw_package_reader *reader, struct lw_package_command *command);
/* Reads a payload that is to hold exactly one command: fewer bytes are truncated, more are trailing. */
MUST_USE enum lw_package_read lw_package_read_one(const struct lw_package *package, uint8_t version,
						  enum lw_direction direction, const uint8_t *payload,
						  size_t length, uint32_t freq_step_hz,
						  struct lw_package_command *command);

enum lw_package_write {
	LW_PACKAGE_WRITTEN = 0,
	LW_PACKAGE_UNKNOWN_COMMAND,
	LW_PACKAGE_OUT_OF_RANGE,   /* a field does not fit its bits */
	LW_PACKAGE_FREQUENCY_STEP, /* no multiple of the region's step */
	LW_PACKAGE_NO_ROOM,        /* the writer has not the room; it is as before */
	LW_PACKAGE_WRITE_COUNT
};

/* "ok", "unknown_command", "field_out_of_range", "frequency_step", "no_room". */
const char *lw_package_write_name(enum lw_package_write write);
/* Appends a command with its CID. The writer is untouched unless LW_PACKAGE_WRITTEN. */
MUST_USE enum lw_package_write lw_package_write(struct wr *wr, const struct lw_package *package,
						uint8_t version, const struct lw_package_command *command,
						uint32_t freq_step_hz);

#endif
