#include "tests/harness/radio.h"

#include "common/base/check.h"
#include "common/lorawan/cipher.h"
#include "tests/harness/process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PULL_EVERY_S 10.0 /* as gateways do, lest the way back to it is forgotten */

static uint32_t ticks(const struct t_gateway *gateway, double moment)
{
	return (uint32_t)(uint64_t)(moment * 1e6) + gateway->tmst_offset;
}

void t_gateway_raw(struct t_gateway *gateway, const void *bytes, size_t length)
{
	ssize_t sent = send(gateway->socket, bytes, length, 0);
	ASSERT(sent == (ssize_t)length || sent < 0); /* refused while nobody listens */
	gateway->datagrams++;
}

static void pull(struct t_gateway *gateway)
{
	uint8_t datagram[SIM_DATAGRAM_MAX] = {0};
	gateway->pulled = t_seconds();
	t_gateway_raw(gateway, datagram,
		      semtech_write_pull_data(datagram, sizeof datagram, 2, ++gateway->token, &gateway->eui));
}

bool t_gateway_open(struct t_gateway *gateway, uint16_t port, uint64_t eui)
{
	*gateway = (struct t_gateway){.eui = lw_eui64_from_number(eui),
				      .tmst_offset = (uint32_t)(eui * 7919)};
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	gateway->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT(gateway->socket >= 0);
	ASSERT(connect(gateway->socket, (const struct sockaddr *)&to, sizeof to) == 0);
	struct sim_down down;
	for (unsigned i = 0; i < 20; i++) {
		pull(gateway);
		if (t_gateway_waits(gateway, SIM_DOWN_PULL_ACK, &down, 1))
			return true;
	}
	return false;
}

void t_gateway_close(struct t_gateway *gateway)
{
	close(gateway->socket);
}

bool t_gateway_waits(struct t_gateway *gateway, enum sim_down_kind kind, struct sim_down *down,
		     double ceiling)
{
	uint8_t bytes[SIM_DATAGRAM_MAX], answer[64] = {0};
	double end = t_seconds() + ceiling;
	for (double left; (left = end - t_seconds()) > 0;) {
		struct pollfd wait = {.fd = gateway->socket, .events = POLLIN};
		if (poll(&wait, 1, (int)(left * 1000) + 1) <= 0)
			continue;
		ssize_t length = recv(gateway->socket, bytes, sizeof bytes, 0);
		if (length < 0 || sim_semtech_parse_down(bytes, (size_t)length, down) != SIM_DOWN_OK)
			continue;
		gateway->push_acks += down->kind == SIM_DOWN_PUSH_ACK;
		if (down->kind == SIM_DOWN_PULL_RESP)
			t_gateway_raw(gateway, answer,
				      sim_semtech_write_tx_ack(answer, sizeof answer, 2, down->token,
							       &gateway->eui, SIM_JIT_OK, false, 0));
		if (down->kind == kind)
			return true;
	}
	return false;
}

bool t_gateway_expects(struct t_gateway *gateway, struct sim_txpk *txpk)
{
	struct sim_down down;
	bool came = t_gateway_waits(gateway, SIM_DOWN_PULL_RESP, &down, T_CEILING);
	if (came)
		*txpk = down.txpk;
	return came;
}

bool t_gateway_hears(struct t_gateway *gateway, const struct t_air *air)
{
	uint8_t datagram[SIM_DATAGRAM_MAX] = {0};
	const struct semtech_rxpk rxpk = {.tmst = {ticks(gateway, air->end)},
					  .freq_hz = 903900000,
					  .spreading_factor = 7,
					  .bandwidth_hz = 125000,
					  .crc = 1,
					  .rssi_dbm = -80,
					  .snr_cdb = 700,
					  .phy = air->phy,
					  .length = air->length};
	if (t_seconds() - gateway->pulled > PULL_EVERY_S)
		pull(gateway);
	t_gateway_raw(gateway, datagram,
		      semtech_write_push_data(datagram, sizeof datagram, 2, ++gateway->token, &gateway->eui,
					      &rxpk, 1, NULL));
	/* A PULL_RESP that comes first stays in the socket's queue. */
	uint8_t header[4];
	double end = t_seconds() + T_CEILING;
	while (t_seconds() < end) {
		struct pollfd wait = {.fd = gateway->socket, .events = POLLIN};
		if (poll(&wait, 1, 1000) <= 0)
			continue;
		if (recv(gateway->socket, header, sizeof header, MSG_PEEK) == 4 && header[3] == 3)
			return true; /* answered, so it was taken */
		struct sim_down down;
		if (t_gateway_waits(gateway, SIM_DOWN_PUSH_ACK, &down, 0.01))
			return true;
	}
	return false;
}

static bool has_passed(void *moment)
{
	return t_seconds() >= *(double *)moment;
}

void t_until(double moment)
{
	t_wait_until(has_passed, &moment, 10 * T_CEILING);
}

struct t_air t_device_sends(struct t_device *device, bool confirmed, uint8_t fport, const void *payload,
			    size_t length)
{
	struct t_air air = {.end = t_seconds()};
	struct aes *aes = aes_new();
	uint8_t ciphered[LW_PHY_PAYLOAD_MAX];
	ASSERT(aes != NULL && length <= sizeof ciphered);
	lw_cipher_frm_payload(aes, &device->app_s_key, LW_UP, device->dev_addr, device->fcnt_up, payload,
			      length, ciphered);
	struct lw_frame frame = {.ftype = confirmed ? LW_CONFIRMED_UP : LW_UNCONFIRMED_UP,
				 .dev_addr = device->dev_addr,
				 .fcnt = (uint16_t)device->fcnt_up,
				 .has_fport = true,
				 .fport = fport,
				 .frm_payload = ciphered,
				 .frm_payload_length = (uint8_t)length};
	air.length = lw_frame_encode(&frame, air.phy, sizeof air.phy);
	ASSERT(air.length > 0);
	const struct lw_mic_input input = {.direction = LW_UP,
					   .dev_addr = device->dev_addr,
					   .fcnt = device->fcnt_up,
					   .msg = air.phy,
					   .length = (uint8_t)(air.length - 4)};
	lw_frame_set_mic(air.phy, air.length, lw_mic_1_0(aes, &device->nwk_s_key, &input));
	device->fcnt_up++;
	aes_free(aes);
	return air;
}

bool t_device_reads(const struct t_device *device, const struct sim_txpk *txpk, struct lw_frame *frame)
{
	if (lw_frame_parse(frame, txpk->phy, txpk->length, LW_DOWN) != LW_OK ||
	    frame->dev_addr.value != device->dev_addr.value)
		return false;
	struct aes *aes = aes_new();
	ASSERT(aes != NULL);
	const struct lw_mic_input input = {.direction = LW_DOWN,
					   .dev_addr = device->dev_addr,
					   .fcnt = frame->fcnt,
					   .msg = frame->msg,
					   .length = frame->msg_length};
	bool fits = lw_mic_equal(frame->mic, lw_mic_1_0(aes, &device->nwk_s_key, &input));
	aes_free(aes);
	return fits;
}
