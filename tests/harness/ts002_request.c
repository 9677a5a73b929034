#include "tests/harness/ts002_request.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/aes.h"
#include "common/lorawan/join_frame.h"

#include <stdio.h>
#include <string.h>

static void add_frame(struct bi_join_req *req, const struct t_ts002_request *request,
		      const struct lw_join_request *frame)
{
	struct lw_key key;
	uint8_t mac[AES_BLOCK], *phy = req->phy_payload;
	ASSERT(hex_decode_exact(key.bytes, sizeof key.bytes, request->app_key));
	req->mac_version = LW_MAC_1_0_4;
	req->dev_eui = frame->dev_eui;
	req->dev_addr.value = 0x01020304;
	req->rx_delay = 5;
	req->phy_length = (uint8_t)lw_join_request_encode(frame, phy);
	struct aes *aes = aes_new();
	ASSERT(aes);
	aes_cmac(aes, key.bytes, phy, LW_JOIN_REQUEST_LENGTH - 4, mac);
	aes_free(aes);
	memcpy(phy + LW_JOIN_REQUEST_LENGTH - 4, mac, 4);
}

void t_ts002_write(char text[BI_WRITTEN_MAX], const struct t_ts002_request *request)
{
	struct bi_message message = {.envelope = {.type = request->type,
						  .protocol = request->protocol,
						  .transaction_id = request->transaction}};
	struct lw_join_request frame = {.dev_nonce = request->dev_nonce};
	snprintf(message.envelope.sender_id, BI_ID_TEXT, "%s", request->sender);
	snprintf(message.envelope.receiver_id, BI_ID_TEXT, "%s", request->join_eui);
	ASSERT(lw_eui64_parse(request->dev_eui, &frame.dev_eui) &&
	       lw_eui64_parse(request->join_eui, &frame.join_eui));
	if (request->type == BI_HOME_NS_REQ) {
		message.home_ns_req.dev_eui = frame.dev_eui;
	} else if (request->type == BI_APP_S_KEY_REQ) {
		message.app_s_key_req.dev_eui = frame.dev_eui;
		message.app_s_key_req.session_key_id.length = 16;
	} else {
		add_frame(&message.join_req, request, &frame);
	}
	ASSERT(bi_write(&message, text, BI_WRITTEN_MAX) > 0);
}
