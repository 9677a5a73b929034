#include "common/lorawan/packages/fragmentation.h"

#include "common/lorawan/packages/row_macros.h"

#include <string.h>

PACKAGE_VERSION_FIELDS;
static const struct lw_package_field status_req[] = {
	FLAG(frag_status_req, participants, 0),
	UINT(frag_status_req, frag_index, 1, 2),
};
static const struct lw_package_field status_ans_v1[] = {
	UINT(frag_status_ans, nb_frag_received, 0, 14),
	UINT(frag_status_ans, frag_index, 14, 2),
	UINT(frag_status_ans, missing_frag, 16, 8),
	FLAG(frag_status_ans, not_enough_matrix_memory, 24),
};
static const struct lw_package_field status_ans_v2[] = {
	FLAG(frag_status_ans, memory_error, 0),           FLAG(frag_status_ans, mic_error, 1),
	FLAG(frag_status_ans, session_does_not_exist, 2), UINT(frag_status_ans, nb_frag_received, 8, 14),
	UINT(frag_status_ans, frag_index, 22, 2),         UINT(frag_status_ans, missing_frag, 24, 8),
};
static const struct lw_package_field setup_req_v1[] = {
	UINT(frag_setup_req, mc_group_bit_mask, 0, 4), UINT(frag_setup_req, frag_index, 4, 2),
	UINT(frag_setup_req, nb_frag, 8, 16),          UINT(frag_setup_req, frag_size, 24, 8),
	UINT(frag_setup_req, block_ack_delay, 32, 3),  UINT(frag_setup_req, fragmentation_matrix, 35, 3),
	UINT(frag_setup_req, padding, 40, 8),          BYTES(frag_setup_req, descriptor, 48, 4),
};
static const struct lw_package_field setup_req_v2[] = {
	UINT(frag_setup_req, mc_group_bit_mask, 0, 4),
	UINT(frag_setup_req, frag_index, 4, 2),
	UINT(frag_setup_req, nb_frag, 8, 16),
	UINT(frag_setup_req, frag_size, 24, 8),
	UINT(frag_setup_req, block_ack_delay, 32, 3),
	NAMED(LW_PACKAGE_UINT, "frag_algo", frag_setup_req, fragmentation_matrix, 35, 3),
	FLAG(frag_setup_req, ack_reception, 38),
	UINT(frag_setup_req, padding, 40, 8),
	BYTES(frag_setup_req, descriptor, 48, 4),
	UINT(frag_setup_req, session_cnt, 80, 16),
	BYTES(frag_setup_req, mic, 96, 4),
};
static const struct lw_package_field setup_ans_v1[] = {
	FLAG(frag_setup_ans, encoding_unsupported, 0),
	FLAG(frag_setup_ans, not_enough_memory, 1),
	FLAG(frag_setup_ans, frag_session_index_not_supported, 2),
	FLAG(frag_setup_ans, wrong_descriptor, 3),
	UINT(frag_setup_ans, frag_index, 6, 2),
};
static const struct lw_package_field setup_ans_v2[] = {
	NAMED(LW_PACKAGE_BOOL, "frag_algo_unsupported", frag_setup_ans, encoding_unsupported, 0, 1),
	FLAG(frag_setup_ans, not_enough_memory, 1),
	NAMED(LW_PACKAGE_BOOL, "frag_index_unsupported", frag_setup_ans, frag_session_index_not_supported, 2,
	      1),
	FLAG(frag_setup_ans, wrong_descriptor, 3),
	FLAG(frag_setup_ans, session_cnt_replay, 4),
	UINT(frag_setup_ans, frag_index, 6, 2),
};
static const struct lw_package_field delete_req[] = {UINT(frag_delete_req, frag_index, 0, 2)};
static const struct lw_package_field delete_ans[] = {
	UINT(frag_delete_ans, frag_index, 0, 2),
	FLAG(frag_delete_ans, session_does_not_exist, 2),
};
static const struct lw_package_field block_received_req[] = {
	UINT(frag_block_received_req, frag_index, 0, 2),
	FLAG(frag_block_received_req, mic_error, 2),
};
static const struct lw_package_field block_received_ans[] = {UINT(frag_block_received_ans, frag_index, 0, 2)};
static const struct lw_package_field data_fragment[] = {
	UINT(data_fragment, n, 0, 14),
	UINT(data_fragment, frag_index, 14, 2),
};

static const struct lw_package_row rows[] = {
	PACKAGE_VERSION_ANS,
	{LW_UP, LW_CID_FRAG_SESSION_STATUS, "FragSessionStatusAns", 4, 1, 1, FIELDS(status_ans_v1)},
	{LW_UP, LW_CID_FRAG_SESSION_STATUS, "FragSessionStatusAns", 4, 2, 2, FIELDS(status_ans_v2)},
	{LW_UP, LW_CID_FRAG_SESSION_SETUP, "FragSessionSetupAns", 1, 1, 1, FIELDS(setup_ans_v1)},
	{LW_UP, LW_CID_FRAG_SESSION_SETUP, "FragSessionSetupAns", 1, 2, 2, FIELDS(setup_ans_v2)},
	{LW_UP, LW_CID_FRAG_SESSION_DELETE, "FragSessionDeleteAns", 1, 1, 2, FIELDS(delete_ans)},
	{LW_UP, LW_CID_FRAG_DATA_BLOCK_RECEIVED, "FragDataBlockReceivedReq", 1, 2, 2,
	 FIELDS(block_received_req)},
	PACKAGE_VERSION_REQ,
	{LW_DOWN, LW_CID_FRAG_SESSION_STATUS, "FragSessionStatusReq", 1, 1, 2, FIELDS(status_req)},
	{LW_DOWN, LW_CID_FRAG_SESSION_SETUP, "FragSessionSetupReq", 10, 1, 1, FIELDS(setup_req_v1)},
	{LW_DOWN, LW_CID_FRAG_SESSION_SETUP, "FragSessionSetupReq", 16, 2, 2, FIELDS(setup_req_v2)},
	{LW_DOWN, LW_CID_FRAG_SESSION_DELETE, "FragSessionDeleteReq", 1, 1, 2, FIELDS(delete_req)},
	{LW_DOWN, LW_CID_FRAG_DATA_BLOCK_RECEIVED, "FragDataBlockReceivedAns", 1, 2, 2,
	 FIELDS(block_received_ans)},
	{LW_DOWN, LW_CID_DATA_FRAGMENT, "DataFragment", 2, 1, 2, FIELDS_TAIL(data_fragment, LW_PACKAGE_REST)},
};

const struct lw_package lw_fragmentation = {LW_PACKAGE_FRAGMENTATION, "fragmentation", "TS004", 201, 2, rows,
					    ARRAY_SIZE(rows)};

struct lw_mic lw_data_block_mic(struct aes *aes, const struct lw_key *data_block_int_key,
				uint16_t session_cnt, uint8_t frag_index, const uint8_t descriptor[4],
				const uint8_t *block, uint32_t length)
{
	uint8_t first[AES_BLOCK], mac[AES_BLOCK];
	struct lw_mic mic;
	struct wr wr = wr_init(first, sizeof first);
	wr_u8(&wr, 0x49);
	wr_u16le(&wr, session_cnt);
	wr_u8(&wr, frag_index);
	wr_copy(&wr, descriptor, 4);
	wr_zeros(&wr, 4);
	wr_u32le(&wr, length);
	ASSERT_CMP(wr_length(&wr), ==, AES_BLOCK);
	aes_cmac_start(aes, data_block_int_key->bytes);
	aes_cmac_add(aes, first, sizeof first);
	aes_cmac_add(aes, block, length);
	aes_cmac_finish(aes, mac);
	memcpy(mic.bytes, mac, sizeof mic.bytes);
	return mic;
}
