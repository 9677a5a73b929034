/* An independent reader of what is on the air: tshark 4.0 takes apart what `lamppost frames --pcap` wrote while four processes and
 * the simulator ran, and says of each frame whether its MIC is right, with the keys it was given.
 *
 * Every packet is held against what the simulator says it sent, and belongs to one class:
 *
 *	checked     join-requests; data frames of 1.0.x devices with an FPort and a counter below 65,536: mic.status must be 1
 *	no_fport    frames without FPort, which that version calls malformed
 *	counter     counters of 65,536 and more, of which it knows 16 bits
 *	mac_1_1     data frames of 1.1 devices, whose MICs it does not know
 *	accept      join-accepts, which it cannot open
 *
 * Each class has to occur. In the end one bit is flipped, and tshark has to notice. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "common/base/pcap.h"
#include "common/lorawan/keys.h"
#include "common/lorawan/loratap.h"
#include "tests/harness/network.h"
#include "tests/harness/radio.h"
#include "tests/harness/udp_tap.h"
#include "tests/harness/gateway_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG     "network-server:\n  rx_delay_s: 1\n"
#define SECONDS    "20"
#define FILE_MAX   (1u << 20)
#define FRAMES_MAX 512
#define HAND_NWK   "44024241ed4ce9a68c6a8bc055233fd3"
#define HAND_ADDR  0x01019009

/* The scenario and the import file are made of these. */
static const struct sensor {
	const char *name, *eui, *join_eui, *mac_version, *app_key, *nwk_key;
	const char *dev_addr, *nwk_s_key, *app_s_key; /* ABP */
	unsigned fcnt_up, confirmed_every;
} sensors[] = {
	{.name = "joins-104",
	 .eui = "70b3d57ed00a0001",
	 .join_eui = "70b3d57ed0000011",
	 .mac_version = "1.0.4",
	 .app_key = "8a1f6c02d94e4b7fa3b05c6de7182930",
	 .confirmed_every = 2},
	{.name = "joins-102",
	 .eui = "70b3d57ed00a0002",
	 .join_eui = "70b3d57ed0000012",
	 .mac_version = "1.0.2",
	 .app_key = "5be3408712fa4d0c96c1d7a08e3f6b24"},
	{.name = "joins-110",
	 .eui = "70b3d57ed00a0003",
	 .join_eui = "70b3d57ed0000013",
	 .mac_version = "1.1.0",
	 .app_key = "1d70a1e5c3964d22b8e86f14059c7ab3",
	 .nwk_key = "f2b4960e8d114c53a07ce9d3481b625f",
	 .confirmed_every = 2},
	{.name = "abp-103",
	 .eui = "70b3d57ed00a0004",
	 .mac_version = "1.0.3",
	 .dev_addr = "0100da05",
	 .nwk_s_key = "c40b5a9971e24f3d8e06b27d1f83ac65",
	 .app_s_key = "37d8e10fa6bc4920815e4c9b6a02f7d1",
	 .confirmed_every = 2},
	{.name = "counter",
	 .eui = "70b3d57ed00a0005",
	 .mac_version = "1.0.3",
	 .dev_addr = "0100da06",
	 .nwk_s_key = "d40b5a9971e24f3d8e06b27d1f83ac66",
	 .app_s_key = "47d8e10fa6bc4920815e4c9b6a02f7d2",
	 .fcnt_up = 65533},
};

static char dir[T_DIR_MAX];

static const char *path_of(const char *name)
{
	static char paths[8][T_DIR_MAX + 32];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static bool is_otaa(const struct sensor *sensor)
{
	return sensor->app_key != NULL;
}

static bool is_1_1(const struct sensor *sensor)
{
	return sensor->nwk_key != NULL;
}

/* --- the network and its traffic ---------------------------------------------------------------------------- */

static void write_scenario(void)
{
	FILE *file = fopen(path_of("scenario.yaml"), "w");
	assert_non_null(file);
	fprintf(file, "seed: 7\nregion: us915\npath_loss: {exponent: 2.7, shadowing_db: 0, fading: "
		      "none}\ngateways:\n"
		      "  - {eui: \"aa555a0000000101\", x: -250, y: 120, protocol: udp2, backhaul_ms: 12, "
		      "sub_band: 2}\n"
		      "  - {eui: \"aa555a0000000102\", x: -9000, y: -9000, protocol: udp2, backhaul_ms: 25, "
		      "sub_band: 2}\n"
		      "devices:\n");
	for (size_t i = 0; i < ARRAY_SIZE(sensors); i++) {
		const struct sensor *sensor = &sensors[i];
		fprintf(file, "  - {name: \"%s\", dev_eui: \"%s\", activation: %s, mac_version: \"%s\"",
			sensor->name, sensor->eui, is_otaa(sensor) ? "otaa" : "abp", sensor->mac_version);
		if (is_otaa(sensor))
			fprintf(file, ", join_eui: \"%s\", app_key: \"%s\"", sensor->join_eui,
				sensor->app_key);
		else
			fprintf(file, ", dev_addr: \"%s\", nwk_s_key: \"%s\", app_s_key: \"%s\", fcnt_up: %u",
				sensor->dev_addr, sensor->nwk_s_key, sensor->app_s_key, sensor->fcnt_up);
		if (is_1_1(sensor))
			fprintf(file, ", nwk_key: \"%s\"", sensor->nwk_key);
		/* The last is far away, so that SNRs of both signs are heard. */
		size_t away = i + 1 == ARRAY_SIZE(sensors) ? 14000 : 100 + 300 * i;
		fprintf(file,
			", x: %zu, y: %zu, sub_band: 2, dr: 3, first_s: 0.%zu, interval_s: 3, payload: "
			"counter, fport: %zu, "
			"confirmed_every: %u}\n",
			away, away, 2 * i + 1, 10 + i, sensor->confirmed_every);
	}
	fclose(file);
}

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

static void write_import(void)
{
	FILE *file = fopen(path_of("devices.csv"), "w");
	assert_non_null(file);
	fprintf(file, "dev_eui,name,application,profile,activation,join_eui,app_key,nwk_key,dev_addr,nwk_s_"
		      "key,app_s_key,fcnt_up\n");
	for (size_t i = 0; i < ARRAY_SIZE(sensors); i++) {
		const struct sensor *sensor = &sensors[i];
		fprintf(file, "%s,%s,trees,mac-%c-%c-%c,%s,%s,%s,%s,%s,%s,%s,", sensor->eui, sensor->name,
			sensor->mac_version[0], sensor->mac_version[2], sensor->mac_version[4],
			is_otaa(sensor) ? "otaa" : "abp", or_nothing(sensor->join_eui),
			or_nothing(sensor->app_key), or_nothing(sensor->nwk_key),
			or_nothing(sensor->dev_addr), or_nothing(sensor->nwk_s_key),
			or_nothing(sensor->app_s_key));
		if (sensor->fcnt_up > 0)
			fprintf(file, "%u", sensor->fcnt_up);
		fprintf(file, "\n");
	}
	fprintf(file, "70b3d57ed00a0009,hand,trees,mac-1-0-3,abp,,,,%08x,%s,%s,\n", HAND_ADDR, HAND_NWK,
		HAND_NWK);
	fclose(file);
}

static bool bridge_has_list(void *ctx)
{
	return t_metric(t_network_admin(ctx, T_GATEWAY_BRIDGE),
			"lamppost_bridge_gateways{state=\"known\"}") >= 3;
}

static void furnish(struct t_network *network)
{
	static const char *const versions[] = {"1.0.2", "1.0.3", "1.0.4", "1.1.0"};
	static const char *const gateways[] = {"aa555a0000000101", "aa555a0000000102", "aa555a0000000103"};
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "trees", "--name", "Trees", "--agency",
		   "parks");
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		char slug[16];
		snprintf(slug, sizeof slug, "mac-%c-%c-%c", versions[i][0], versions[i][2], versions[i][4]);
		t_cli_must(network, 0, "profile", "add", "--slug", slug, "--name", slug, "--region", "us915",
			   "--mac-version", versions[i], "--rx-delay-s", "1");
	}
	for (size_t i = 0; i < ARRAY_SIZE(gateways); i++)
		t_cli_must(network, 0, "gateway", "add", gateways[i], "--name", gateways[i], "--region",
			   "us915", "--channel-plan", "8-15,65");
	t_cli_must(network, 0, "device", "import", path_of("devices.csv"));
	t_network_replicated(network);
	t_true("gateways on the bridge's list", t_wait_until(bridge_has_list, network, T_SLOW_CEILING));
	for (unsigned i = 0; i < 3; i++)
		t_cli_must(network, 0, "downlink", "send", "70b3d57ed00a0004", "--port", "20", "--hex",
			   "0a0164", i == 1 ? "--confirmed" : NULL);
}

/* What a frame ought to be; the order is the report's. */
struct expected {
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	size_t length;
	unsigned times, found;
	uint32_t freq_hz, fcnt;
	const struct sensor *sensor; /* NULL: sent by hand */
};
static struct expected expected[FRAMES_MAX];
static size_t expected_count;

static struct expected *expect(const uint8_t *phy, size_t length, uint32_t freq_hz)
{
	for (size_t i = 0; i < expected_count; i++)
		if (expected[i].length == length && memcmp(expected[i].phy, phy, length) == 0) {
			expected[i].times++;
			return &expected[i];
		}
	assert_true(expected_count < FRAMES_MAX);
	struct expected *one = &expected[expected_count++];
	*one = (struct expected){.length = length, .times = 1, .freq_hz = freq_hz};
	memcpy(one->phy, phy, length);
	return one;
}

/* The FPort 0 that no simulated device needs here: a LinkCheckReq alone, from a gateway of its own. */
static void send_by_hand(uint16_t port)
{
	struct t_gateway gateway = {.socket = -1};
	struct t_device device = {.dev_addr = {HAND_ADDR}};
	assert_true(lw_key_parse(HAND_NWK, &device.nwk_s_key));
	device.app_s_key = device.nwk_s_key;
	assert_true(t_gateway_open(&gateway, port, 0xaa555a0000000103));
	for (unsigned i = 0; i < 2; i++) {
		struct t_air air = t_device_sends(&device, false, 0, "\x02", 1);
		expect(air.phy, air.length, 903900000)->fcnt = i;
		t_true("heard", t_gateway_hears(&gateway, &air));
		struct sim_txpk answer = {.length = 0};
		if (!t_true("answered", t_gateway_expects(&gateway, &answer)))
			continue;
		expect(answer.phy, answer.length, answer.freq_hz);
		t_until(air.end + 2.5);
	}
	t_gateway_close(&gateway);
}

static struct expected *expect_hex(const json_t *object, json_int_t freq_hz)
{
	uint8_t phy[LW_PHY_PAYLOAD_MAX] = {0};
	size_t length = 0;
	const char *text = json_string_value(json_object_get(object, "phy"));
	assert_true(text && hex_decode(phy, sizeof phy, &length, text, strlen(text)));
	return expect(phy, length, (uint32_t)freq_hz);
}

static json_int_t number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void read_report(const json_t *report)
{
	const json_t *device, *frame;
	size_t d, i;
	json_array_foreach(json_object_get(report, "devices"), d, device)
	{
		json_array_foreach(json_object_get(device, "joins"), i, frame)
		{
			if (number(frame, "heard_by") > 0)
				expect_hex(frame, 0)->sensor = &sensors[d];
		}
		json_array_foreach(json_object_get(device, "sent"), i, frame)
		{
			if (number(frame, "heard_by") == 0)
				continue;
			struct expected *one = expect_hex(frame, number(frame, "freq_hz"));
			one->sensor = &sensors[d];
			one->fcnt = (uint32_t)number(frame, "fcnt");
		}
	}
	json_array_foreach(json_object_get(report, "air"), i, frame)
	{
		expect_hex(frame, number(frame, "freq_hz"));
	}
	t_int("the report is whole", 0, number(report, "records_dropped"));
}

/* --- what was captured ---------------------------------------------------------------------------------------- */

enum class { CHECKED, NO_FPORT, COUNTER, MAC_1_1, ACCEPT, CLASS_COUNT };
static const char *const class_names[CLASS_COUNT] = {"checked", "no_fport", "counter", "mac_1_1", "accept"};

struct packet {
	struct expected *expected;
	enum class class;
	size_t at; /* of its LoRaTap header in the file */
	size_t length;
};
static uint8_t file[FILE_MAX];
static size_t file_length;
static struct packet packets[FRAMES_MAX];
static size_t packet_count;

/* Fills `packets` with what the capture holds by now. */
static void read_capture(void)
{
	struct pcap_reader reader = pcap_reader_init();
	struct pcap_packet packet;
	size_t at = 0, used;
	enum pcap_verdict verdict;
	FILE *in = fopen(path_of("air.pcap"), "rb");
	packet_count = 0;
	if (!in)
		return;
	file_length = fread(file, 1, sizeof file, in);
	fclose(in);
	while ((verdict = pcap_read(&reader, file + at, file_length - at, &used, &packet)) <= PCAP_SKIPPED) {
		at += used;
		if (verdict == PCAP_PACKET && packet_count < FRAMES_MAX)
			packets[packet_count++] = (struct packet){.at = (size_t)(packet.bytes - file),
								  .length = packet.length};
	}
}

static bool has_all(void *ctx)
{
	size_t wanted = 0;
	(void)ctx;
	for (size_t i = 0; i < expected_count; i++)
		wanted += expected[i].times;
	read_capture();
	return packet_count >= wanted;
}

/* A device by a data frame's address, which for a joined one is in its accepts. */
static const struct sensor *sensor_of(const json_t *report, const uint8_t *phy)
{
	char text[LW_DEV_ADDR_TEXT];
	struct rd rd = rd_init(phy + 1, 4);
	const json_t *device, *accept;
	size_t d, i;
	lw_dev_addr_format(text, (struct lw_dev_addr){rd_u32le(&rd)});
	json_array_foreach(json_object_get(report, "devices"), d, device)
	{
		if (sensors[d].dev_addr && strcmp(sensors[d].dev_addr, text) == 0)
			return &sensors[d];
		json_array_foreach(json_object_get(device, "accepts"), i, accept)
		{
			if (strcmp(json_string_value(json_object_get(accept, "dev_addr")), text) == 0)
				return &sensors[d];
		}
	}
	return NULL;
}

static enum class class_of(const json_t *report, const struct expected *one) {
	unsigned type = one->phy[0] >> 5, fopts = one->phy[5] & 0x0f; if (type == 0) return CHECKED;
	if (type == 1) return ACCEPT;
	const struct sensor *sensor = sensor_of(report, one->phy);
	if (sensor && is_1_1(sensor)) return MAC_1_1;
	if (one->length == 12 + fopts) return NO_FPORT;
	return one->fcnt >= 65536 ? COUNTER : CHECKED;
}

static void match_packets(const json_t *report)
{
	for (size_t i = 0; i < packet_count; i++) {
		const uint8_t *phy = file + packets[i].at + LW_LORATAP_SIZE;
		size_t length = packets[i].length - LW_LORATAP_SIZE;
		for (size_t e = 0; e < expected_count && !packets[i].expected; e++)
			if (expected[e].length == length && memcmp(expected[e].phy, phy, length) == 0)
				packets[i].expected = &expected[e];
		if (!t_true("the frame is one that was sent", packets[i].expected != NULL))
			continue;
		packets[i].expected->found++;
		packets[i].class = class_of(report, packets[i].expected);
	}
	for (size_t e = 0; e < expected_count; e++)
		if (expected[e].found != expected[e].times) {
			char text[2 * LW_PHY_PAYLOAD_MAX + 1];
			hex_encode(text, expected[e].phy, expected[e].length);
			t_uint(text, expected[e].times, expected[e].found);
		}
}

/* --- what tshark says ---------------------------------------------------------------------------------------- */

struct dissected {
	int mtype, fcnt, fport, mic_status; /* −1: tshark has no such field */
	uint32_t freq_hz;
	int bandwidth, sf, packet_rssi, current_rssi, snr, sync_word;
};
static struct dissected dissected[FRAMES_MAX];

static void reverse_hex(char out[17], const char *text)
{
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i += 2)
		memcpy(out + i, text + length - 2 - i, 2);
	out[length] = '\0';
}

/* tshark's table: address, NwkSKey, AppSKey, JoinEUI; addresses and EUIs in the order of the air. A join-request is checked with
 * the AppSKey of the row with its JoinEUI. */
static void write_keys(const json_t *report)
{
	char folder[T_DIR_MAX + 32], air[17];
	snprintf(folder, sizeof folder, "%s/encryption_keys_lorawan", dir);
	FILE *out = fopen(folder, "w");
	struct aes *aes = aes_new();
	const json_t *device, *accept;
	size_t d, i;
	assert_true(out && aes);
	json_array_foreach(json_object_get(report, "devices"), d, device)
	{
		const struct sensor *sensor = &sensors[d];
		if (is_otaa(sensor)) {
			const char *root = is_1_1(sensor) ? sensor->nwk_key : sensor->app_key;
			reverse_hex(air, sensor->join_eui);
			fprintf(out, "\"00000000\",\"%s\",\"%s\",\"%s\"\n", root, root, air);
		} else {
			reverse_hex(air, sensor->dev_addr);
			fprintf(out, "\"%s\",\"%s\",\"%s\",\"0000000000000000\"\n", air, sensor->nwk_s_key,
				sensor->app_s_key);
		}
		json_array_foreach(json_object_get(device, "accepts"), i, accept)
		{
			struct lw_session_keys keys;
			struct lw_key root;
			char nwk[33], app[33];
			if (is_1_1(sensor))
				continue;
			assert_true(lw_key_parse(sensor->app_key, &root));
			lw_session_keys_1_0(aes, &root, (uint32_t)number(accept, "join_nonce"),
					    (struct lw_net_id){0}, (uint16_t)number(accept, "dev_nonce"),
					    &keys);
			hex_encode(nwk, keys.f_nwk_s_int_key.bytes, 16);
			hex_encode(app, keys.app_s_key.bytes, 16);
			reverse_hex(air, json_string_value(json_object_get(accept, "dev_addr")));
			fprintf(out, "\"%s\",\"%s\",\"%s\",\"0000000000000000\"\n", air, nwk, app);
		}
	}
	fprintf(out, "\"09900101\",\"%s\",\"%s\",\"0000000000000000\"\n", HAND_NWK, HAND_NWK);
	fclose(out);
	aes_free(aes);
}

/* One number of a line whose fields are parted by commas; −1: empty. */
static long take(const char **line)
{
	char *end;
	long value = **line == ',' || **line == '\n' ? -1 : strtol(*line, &end, 0);
	*line += strcspn(*line, ",\n");
	*line += **line == ',';
	return value;
}

static size_t dissect(const char *capture)
{
	char command[1024], line[512];
	size_t count = 0;
	snprintf(command, sizeof command,
		 "WIRESHARK_CONFIG_DIR='%s' tshark -n -r '%s' -T fields -E separator=, -E occurrence=f -e "
		 "frame.number "
		 "-e lorawan.mhdr.mtype -e lorawan.fhdr.fcnt -e lorawan.fport -e lorawan.mic.status "
		 "-e loratap.channel.frequency -e loratap.channel.bandwidth -e loratap.channel.sf -e "
		 "loratap.rssi.packet "
		 "-e loratap.rssi.current -e loratap.rssi.snr -e loratap.syncword 2>'%s'",
		 dir, capture, path_of("tshark.log"));
	FILE *out = popen(command, "r");
	assert_non_null(out);
	while (fgets(line, sizeof line, out) && count < FRAMES_MAX) {
		const char *at = line;
		t_int("frame number", (long long)count + 1, take(&at));
		struct dissected *one = &dissected[count++];
		one->mtype = (int)take(&at);
		one->fcnt = (int)take(&at);
		one->fport = (int)take(&at);
		one->mic_status = (int)take(&at);
		one->freq_hz = (uint32_t)take(&at);
		one->bandwidth = (int)take(&at);
		one->sf = (int)take(&at);
		one->packet_rssi = (int)take(&at);
		one->current_rssi = (int)take(&at);
		one->snr = (int)take(&at);
		one->sync_word = (int)take(&at);
	}
	t_int("tshark", 0, pclose(out));
	return count;
}

/* The radio's numbers as tshark reads them against what the gateways told the bridge. */
static void compare_radio(const struct packet *packet, const struct dissected *got)
{
	const struct expected *one = packet->expected;
	const struct t_logged *heard = t_gateway_log_best(one->phy, one->length, got->freq_hz, got->sf);
	if (!t_true("with that frequency and spreading factor in the datagram log", heard != NULL))
		return;
	if (one->freq_hz > 0 && one->times == 1)
		t_uint("frequency of the report", one->freq_hz, got->freq_hz);
	t_int("bandwidth", (long long)heard->bandwidth_hz / 125000, got->bandwidth);
	t_int("sync word", 0x34, got->sync_word);
	if (heard->down) {
		t_int("no RSSI of a transmission", 255, got->packet_rssi);
		return;
	}
	int snr = got->snr >= 128 ? got->snr - 256 : got->snr; /* tshark shows the byte */
	t_int("current RSSI", heard->rssi_dbm, got->current_rssi - 139);
	t_int("SNR in quarter dB",
	      heard->snr_ddb >= 0 ? (heard->snr_ddb * 10 + 12) / 25 : (heard->snr_ddb * 10 - 12) / 25, snr);
	t_int("packet RSSI, quarters of a dB", 4 * heard->rssi_dbm,
	      4 * -139 + (snr < 0 ? 1 : 4) * got->packet_rssi);
}

static void judge(size_t count)
{
	unsigned classes[CLASS_COUNT] = {0}, good = 0, joins = 0, up = 0, down = 0, fport_0 = 0, weak = 0;
	for (size_t i = 0; i < count; i++) {
		const struct packet *packet = &packets[i];
		if (!packet->expected)
			continue;
		char name[64];
		snprintf(name, sizeof name, "packet %zu, %s", i + 1, class_names[packet->class]);
		t_row(name);
		classes[packet->class]++;
		good += dissected[i].mic_status == 1;
		weak += dissected[i].snr >= 128;
		t_int("type", packet->expected->phy[0] >> 5, dissected[i].mtype);
		compare_radio(packet, &dissected[i]);
		if (packet->class == CHECKED) {
			t_int("mic.status", 1, dissected[i].mic_status);
			joins += dissected[i].mtype == 0;
			up += dissected[i].mtype == 2 || dissected[i].mtype == 4;
			down += dissected[i].mtype == 3 || dissected[i].mtype == 5;
			fport_0 += dissected[i].fport == 0;
		} else if (packet->class == COUNTER) {
			t_int("16 bits of the counter", packet->expected->fcnt & 0xffff, dissected[i].fcnt);
		}
	}
	t_row("what was seen");
	printf("checked %u (join-requests %u, up %u, down %u, FPort 0 %u); exempt: without FPort %u, counter "
	       "%u, 1.1 %u, "
	       "join-accepts %u; %u below 0 dB\n",
	       classes[CHECKED], joins, up, down, fport_0, classes[NO_FPORT], classes[COUNTER],
	       classes[MAC_1_1], classes[ACCEPT], weak);
	for (size_t i = 0; i < CLASS_COUNT; i++)
		t_true(class_names[i], classes[i] > 0);
	t_uint("good MICs are those of the checked class", classes[CHECKED], good);
	t_true("join-requests, uplinks, downlinks and FPort 0 were checked",
	       joins >= 3 && up > 0 && down > 0 && fport_0 >= 2);
	t_true("SNRs of both signs", weak > 0 && weak < count);
}

static void flipped_bit_is_noticed(size_t count)
{
	size_t victim = 0;
	while (victim < packet_count && (packets[victim].class != CHECKED || dissected[victim].mtype == 0))
		victim++;
	assert_true(victim < packet_count);
	file[packets[victim].at + packets[victim].length - 5] ^= 0x10; /* of the payload */
	FILE *out = fopen(path_of("flipped.pcap"), "wb");
	assert_true(out && fwrite(file, 1, file_length, out) == file_length);
	fclose(out);
	unsigned good = 0, still_good = 0;
	for (size_t i = 0; i < count; i++)
		good += dissected[i].mic_status == 1;
	t_row("one bit flipped");
	t_uint("packets", count, dissect(path_of("flipped.pcap")));
	for (size_t i = 0; i < count; i++)
		still_good += dissected[i].mic_status == 1;
	t_int("mic.status of that frame", 0, dissected[victim].mic_status);
	t_uint("all others as before", good - 1, still_good);
}

static bool is_followed(void *ctx)
{
	return t_metric(t_network_admin(ctx, T_NETWORK_SERVER), "lamppost_network_frames_followers") >= 1;
}

static void tshark_agrees(void **state)
{
	(void)state;
	write_scenario();
	write_import();
	t_row("the run");
	struct t_network *network = t_network_start(CONFIG);
	furnish(network);
	struct t_process *frames = t_network_program(
		network, "lamppost", "frames",
		(const char *const[]){"frames", "--follow", "--pcap", path_of("air.pcap"), NULL});
	t_true("followed", t_wait_until(is_followed, network, T_SLOW_CEILING));
	struct t_udp_tap *tap = t_udp_tap_start(t_network_port(network), path_of("gateways.pcap"));
	struct t_process *simulator = t_network_simulate_at(network, path_of("scenario.yaml"), SECONDS,
							    t_udp_tap_port(tap));
	send_by_hand(t_udp_tap_port(tap));
	t_int("simulator", 0, t_process_wait(simulator));
	t_process_free(simulator);
	json_t *report = t_network_report(network);
	assert_non_null(report);
	read_report(report);
	t_true("all is captured", t_wait_until(has_all, NULL, T_SLOW_CEILING));
	t_int("frames", 130, t_process_stop(frames));
	t_process_free(frames);
	t_udp_tap_free(tap);
	read_capture();
	match_packets(report);
	t_gateway_log_read(path_of("gateways.pcap"), t_network_port(network));
	write_keys(report);
	t_row("dissection");
	size_t count = dissect(path_of("air.pcap"));
	t_uint("packets", packet_count, count);
	judge(count);
	flipped_bit_is_noticed(count);
	t_gateway_log_release();
	json_decref(report);
	t_network_free(network);
}

int main(void)
{
	t_temp_dir(dir);
	const struct CMUnitTest tests[] = {t_test(tshark_agrees)};
	int code = t_run(tests);
	t_temp_dir_remove(dir);
	return code;
}
