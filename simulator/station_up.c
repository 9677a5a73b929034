/* What a station says: frames cut into members, as its own writer does. A frame whose header does not fit its length is no LoRaWAN
 * frame to a station and never leaves it; a rejoin-request of a real length does not either.
 *
 *	23 bytes of FType 0   jreq    MHdr, JoinEui, DevEui, DevNonce, MIC
 *	data up               updf    MHdr, DevAddr, FCtrl, FCnt, FOpts, FPort (-1: none), FRMPayload, MIC
 *	proprietary           propdf  FRMPayload: all of it
 */
#include "simulator/station_parts.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <stdio.h>
#include <string.h>

#define MEMBERS 1100
#define TAIL    420

void sim_station_say_version(struct sim_station *station)
{
	const struct sim_station_options *options = &station->options;
	sim_station_say(
		station,
		"{\"msgtype\":\"version\",\"station\":\"2.0.6(sim) 2026-11-21 06:32:40\",\"firmware\":%s%s%s,"
		"\"package\":%s%s%s,\"model\":\"%s\",\"protocol\":2,\"features\":\"%s%s%s\"}",
		options->firmware ? "\"" : "", options->firmware ? options->firmware : "null",
		options->firmware ? "\"" : "", options->package ? "\"" : "",
		options->package ? options->package : "null", options->package ? "\"" : "",
		options->model ? options->model : "simulated", options->prod ? "prod " : "",
		options->gps ? "gps " : "", options->allows_commands ? "rmtsh" : "");
}

static void eui_text(char text[24], const uint8_t bytes[8])
{
	for (size_t i = 0; i < 8; i++)
		snprintf(text + 3 * i, 4, i < 7 ? "%02X-" : "%02X", bytes[i]);
}

/* --- frames --- */

/* Each writes the members of its own and returns the msgtype's text; NULL: not a frame of that kind, or filtered. */
static bool wanted_join_eui(const struct sim_station_config *config, uint64_t join_eui)
{
	for (size_t i = 0; i < config->range_count; i++)
		if (join_eui >= config->ranges[i].low && join_eui <= config->ranges[i].high)
			return true;
	return config->range_count == 0;
}

static bool write_jreq(const struct sim_station_config *config, const uint8_t *phy, char *out)
{
	struct rd rd = rd_init(phy, 23);
	uint8_t mhdr = rd_u8(&rd), join_eui[8], dev_eui[8];
	for (size_t i = 0; i < 8; i++)
		join_eui[7 - i] = rd_u8(&rd);
	for (size_t i = 0; i < 8; i++)
		dev_eui[7 - i] = rd_u8(&rd);
	uint16_t nonce = rd_u16le(&rd);
	int32_t mic = (int32_t)rd_u32le(&rd);
	char join_text[24], dev_text[24];
	eui_text(join_text, join_eui);
	eui_text(dev_text, dev_eui);
	struct lw_eui64 eui;
	memcpy(eui.bytes, join_eui, 8);
	const char *spelling = config->spelled_eui ? "EUI" : "Eui";
	snprintf(out, MEMBERS,
		 "\"msgtype\":\"jreq\",\"MHdr\":%u,\"Join%s\":\"%s\",\"Dev%s\":\"%s\",\"DevNonce\":%u,"
		 "\"MIC\":%d",
		 mhdr, spelling, join_text, spelling, dev_text, nonce, mic);
	return wanted_join_eui(config, lw_eui64_number(&eui));
}

/* False with `*filtered` for a frame of another network; false without for what is no data frame. */
static bool write_updf(const struct sim_station_config *config, const uint8_t *phy, size_t length, char *out,
		       bool *filtered)
{
	struct rd rd = rd_init(phy, length);
	char fopts[31], payload[2 * LW_PHY_PAYLOAD_MAX + 1];
	uint8_t mhdr = rd_u8(&rd);
	uint32_t dev_addr = rd_u32le(&rd);
	uint8_t fctrl = rd_u8(&rd);
	uint16_t fcnt = rd_u16le(&rd);
	size_t fopts_length = fctrl & 0x0f;
	const uint8_t *options = rd_take(&rd, fopts_length);
	if (!rd_ok(&rd) || rd_left(&rd) < 4)
		return false;
	hex_encode(fopts, options, fopts_length);
	int fport = rd_left(&rd) > 4 ? rd_u8(&rd) : -1;
	size_t payload_length = rd_left(&rd) - 4;
	hex_encode(payload, rd_take(&rd, payload_length), payload_length);
	int32_t mic = (int32_t)rd_u32le(&rd);
	snprintf(out, MEMBERS,
		 "\"msgtype\":\"updf\",\"MHdr\":%u,\"DevAddr\":%d,\"FCtrl\":%u,\"FCnt\":%u,\"FOpts\":\"%s\","
		 "\"FPort\":%d,\"FRMPayload\":\"%s\",\"MIC\":%d",
		 mhdr, (int32_t)dev_addr, fctrl, fcnt, fopts, fport, payload, mic);
	uint32_t net = dev_addr >> 25;
	*filtered = !config->all_net_ids && (config->net_ids[net / 32] >> (net % 32) & 1) == 0;
	return !*filtered;
}

static bool write_members(struct sim_station *station, const uint8_t *phy, size_t length, char *out)
{
	bool filtered = false, ok = false;
	uint8_t ftype = length > 0 ? phy[0] >> 5 : 0xff;
	if (ftype == 0 && length == 23) {
		ok = write_jreq(&station->config, phy, out);
		filtered = !ok;
	} else if (ftype == 2 || ftype == 4) {
		ok = write_updf(&station->config, phy, length, out, &filtered);
	} else if (ftype == 7) {
		char hex[2 * LW_PHY_PAYLOAD_MAX + 1];
		hex_encode(hex, phy, length);
		snprintf(out, MEMBERS, "\"msgtype\":\"propdf\",\"FRMPayload\":\"%s\"", hex);
		ok = true;
	}
	station->counters.filtered += filtered;
	station->counters.unheard += !ok && !filtered;
	return ok;
}

/* The data rate's index, or −1: only rates of uplinks, only on a channel that the configuration gave it. */
static int rate_of(const struct sim_station_config *config, const struct sim_station_heard *heard)
{
	bool on_channel = false;
	for (size_t i = 0; i < SIM_STATION_CHANNELS; i++)
		on_channel = on_channel ||
			     (config->channels_hz[i] != 0 && config->channels_hz[i] == heard->freq_hz);
	for (int i = 0; on_channel && i < SIM_STATION_RATES; i++) {
		const struct sim_station_rate *rate = &config->rates[i];
		if (!rate->down_only && rate->spreading_factor > 0 &&
		    rate->spreading_factor == heard->spreading_factor &&
		    (uint32_t)rate->bandwidth_khz * 1000 == heard->bandwidth_hz)
			return i;
	}
	return -1;
}

bool sim_station_hear(struct sim_station *station, int64_t now_us, const struct sim_station_heard *heard)
{
	char members[MEMBERS];
	(void)now_us;
	int dr = station->state == SIM_STATION_RUNNING ? rate_of(&station->config, heard) : -1;
	station->counters.heard++;
	if (dr < 0) {
		station->counters.unheard++;
		return false;
	}
	if (!write_members(station, heard->phy, heard->length, members))
		return false;
	double utc_s = sim_station_utc_s(station, heard->end_us);
	int quarters = (heard->snr_cdb >= 0 ? heard->snr_cdb + 12 : heard->snr_cdb - 12) / 25;
	double ref_s = station->mux_offset_s != 0 ? utc_s + station->mux_offset_s : 0;
	sim_station_say(station,
			"{%s,\"RefTime\":%.6f,\"DR\":%d,\"Freq\":%u,\"upinfo\":{\"rctx\":0,\"xtime\":%lld,"
			"\"gpstime\":%lld,\"fts\":-1,\"rssi\":%d,\"snr\":%.2f,\"rxtime\":%.6f}}",
			members, ref_s, dr, heard->freq_hz,
			(long long)sim_station_xtime(station, heard->end_us),
			(long long)sim_station_gps_us(station, heard->end_us), heard->rssi_dbm,
			(double)quarters / 4, utc_s);
	station->counters.forwarded++;
	return true;
}

void sim_station_say_sent(struct sim_station *station, const struct sim_station_job *job)
{
	char eui[24];
	if (job->silent || lw_eui64_number(&job->from.dev_eui) == 0)
		return;
	eui_text(eui, job->from.dev_eui.bytes);
	sim_station_say(station,
			"{\"msgtype\":\"dntxed\",\"seqno\":%lld,\"diid\":%lld,\"DR\":%u,\"Freq\":%u,"
			"\"DevEui\":\"%s\","
			"\"rctx\":%lld,\"xtime\":%lld,\"txtime\":%.6f,\"gpstime\":%lld}",
			(long long)job->from.diid, (long long)job->from.diid, job->window.dr,
			job->window.freq_hz, eui, (long long)job->from.rctx,
			(long long)sim_station_xtime(station, job->start_us),
			sim_station_utc_s(station, job->start_us),
			(long long)sim_station_gps_us(station, job->start_us));
}
