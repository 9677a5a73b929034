/* The datagrams that a gateway sends, written by hand, one member after the other, in the forwarder's order and number forms. */
#include "common/text/semtech_write.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

__attribute__((format(printf, 2, 3))) static void print(struct wr *wr, const char *format, ...)
{
	char text[256];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	ASSERT(length >= 0 && (size_t)length < sizeof text);
	wr_copy(wr, (const uint8_t *)text, (size_t)length);
}

static void write_header(struct wr *wr, uint8_t version, uint16_t token, uint8_t identifier,
			 const struct lw_eui64 *eui)
{
	wr_u8(wr, version);
	wr_u16be(wr, token);
	wr_u8(wr, identifier);
	wr_copy(wr, eui->bytes, sizeof eui->bytes);
}

static void write_rxpk(struct wr *wr, const struct semtech_rxpk *rxpk)
{
	char data[BASE64_ROOM(LW_PHY_PAYLOAD_MAX)];
	print(wr, "{\"tmst\":%" PRIu32, rxpk->tmst.us);
	if (rxpk->has_gps) {
		time_t seconds = (time_t)(wall_from_gps_us(rxpk->gps_us).us / US_PER_S);
		struct tm utc;
		char stamp[32];
		gmtime_r(&seconds, &utc);
		strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
		print(wr, ",\"time\":\"%s.%06dZ\",\"tmms\":%" PRId64, stamp, (int)(rxpk->gps_us % US_PER_S),
		      rxpk->gps_us / US_PER_MS);
	}
	print(wr, ",\"chan\":%u,\"rfch\":%u,\"freq\":%u.%06u,\"stat\":%d", rxpk->chan, rxpk->rfch,
	      rxpk->freq_hz / 1000000, rxpk->freq_hz % 1000000, rxpk->crc);
	if (rxpk->spreading_factor > 0)
		print(wr, ",\"modu\":\"LORA\",\"datr\":\"SF%uBW%u\",\"codr\":\"4/5\",\"lsnr\":%.1f",
		      rxpk->spreading_factor, rxpk->bandwidth_hz / 1000, rxpk->snr_cdb / 100.0);
	else
		print(wr, ",\"modu\":\"FSK\",\"datr\":%u", rxpk->bit_rate_bps);
	print(wr, ",\"rssi\":%d,\"size\":%zu,\"data\":\"", rxpk->rssi_dbm, rxpk->length);
	wr_copy(wr, (const uint8_t *)data, base64_encode(data, rxpk->phy, rxpk->length));
	print(wr, "\"}");
}

static void write_stat(struct wr *wr, const struct semtech_stat *stat)
{
	time_t seconds = (time_t)(stat->time.us / US_PER_S);
	struct tm utc;
	char stamp[32];
	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S GMT", &utc);
	print(wr, "\"stat\":{\"time\":\"%s\",\"lati\":%.5f,\"long\":%.5f,\"alti\":%d", stamp,
	      stat->latitude_deg, stat->longitude_deg, stat->altitude_m);
	print(wr, ",\"rxnb\":%u,\"rxok\":%u,\"rxfw\":%u,\"ackr\":%u.%u,\"dwnb\":%u,\"txnb\":%u}",
	      stat->received, stat->received_good, stat->forwarded, stat->ack_permille / 10,
	      stat->ack_permille % 10, stat->downlinks, stat->transmissions);
}

size_t semtech_write_push_data(uint8_t *out, size_t capacity, uint8_t version, uint16_t token,
			       const struct lw_eui64 *eui, const struct semtech_rxpk *entries, size_t count,
			       const struct semtech_stat *stat)
{
	struct wr wr = wr_init(out, capacity);
	write_header(&wr, version, token, SEMTECH_PUSH_DATA, eui);
	print(&wr, "{");
	if (count > 0) {
		print(&wr, "\"rxpk\":[");
		for (size_t i = 0; i < count; i++) {
			print(&wr, "%s", i == 0 ? "" : ",");
			write_rxpk(&wr, &entries[i]);
		}
		print(&wr, "]");
	}
	if (stat != NULL) {
		print(&wr, "%s", count > 0 ? "," : "");
		write_stat(&wr, stat);
	}
	print(&wr, "}");
	return wr_length(&wr);
}

size_t semtech_write_pull_data(uint8_t *out, size_t capacity, uint8_t version, uint16_t token,
			       const struct lw_eui64 *eui)
{
	struct wr wr = wr_init(out, capacity);
	write_header(&wr, version, token, SEMTECH_PULL_DATA, eui);
	return wr_length(&wr);
}

size_t semtech_write_tx_ack(uint8_t *out, size_t capacity, uint8_t version, uint16_t token,
			    const struct lw_eui64 *eui, const char *cause, bool warn, int power_dbm)
{
	struct wr wr = wr_init(out, capacity);
	write_header(&wr, version, token, SEMTECH_TX_ACK, eui);
	if (cause && warn)
		print(&wr, "{\"txpk_ack\":{\"warn\":\"%s\",\"value\":%d}}", cause, power_dbm);
	else if (cause)
		print(&wr, "{\"txpk_ack\":{\"error\":\"%s\"}}", cause);
	return wr_length(&wr);
}
