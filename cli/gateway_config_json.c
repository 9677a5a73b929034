/* The JSON that Semtech's packet forwarder and LoRa Basics Station read (gateway-protocols A.8, B.6 in the reference notes of
 * docs/gateways.md). */
#include "cli/gateway_config.h"

#include <stdio.h>
#include <string.h>

#define KEEPALIVE_S 10
#define STAT_S      30

static const char *const chip_objects[] = {"SX1301_conf", "SX1302_conf", "SX130x_conf", "radio_conf"};

static json_t *object_in(json_t *parent, const char *name)
{
	json_t *object = json_object_get(parent, name);
	if (json_is_object(object))
		return object;
	object = json_object();
	json_object_set_new(parent, name, object);
	return object;
}

/* Sets what the vendor's file has not set: the reference design's. */
static void otherwise(json_t *object, const char *name, json_t *value)
{
	if (json_object_get(object, name))
		json_decref(value);
	else
		json_object_set_new(object, name, value);
}

/* The vendor's name of the concentrator's object, or ours. */
static const char *chip_object(const json_t *base, const char *ours)
{
	for (size_t i = 0; base && i < sizeof chip_objects / sizeof *chip_objects; i++)
		if (json_object_get(base, chip_objects[i]))
			return chip_objects[i];
	return ours;
}

static enum gateway_chip chip_of(const struct gateway_config *config)
{
	const char *name = chip_object(config->base, NULL);
	if (!name || strcmp(name, "radio_conf") == 0) /* a station's, of whatever chip */
		return config->chip;
	return strcmp(name, "SX1301_conf") == 0 ? GATEWAY_SX1301 : GATEWAY_SX1302;
}

/* Radio chip, RSSI and clock of the reference design. */
static void hardware(json_t *radio, const struct gateway_config *config, enum gateway_chip chip, bool sends)
{
	bool low = config->region->freq_ranges[0].max_hz < 600000000;
	bool sx1301 = chip == GATEWAY_SX1301;
	otherwise(radio, "type", json_string(!sx1301 ? "SX1250" : low ? "SX1255" : "SX1257"));
	otherwise(radio, "rssi_offset",
		  json_real(sx1301 ? (low ? -176.0 : -166.0) : (low ? -207.0 : -215.4)));
	if (!sx1301)
		otherwise(radio, "rssi_tcomp",
			  json_pack("{s:i, s:i, s:f, s:f, s:i}", "coeff_a", 0, "coeff_b", 0, "coeff_c", 20.41,
				    "coeff_d", 2162.56, "coeff_e", 0));
	otherwise(radio, "tx_enable", json_boolean(sends));
}

static char *dump(json_t *document)
{
	char *text = json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	json_decref(document);
	return text;
}

/* --- lora_pkt_fwd ------------------------------------------------------------------------------------------------- */

static void put_radios(json_t *chip, const struct gateway_config *config, enum gateway_chip kind)
{
	uint32_t low = UINT32_MAX, high = 0;
	const struct lw_region *region = config->region;
	for (unsigned i = 0; i < region->freq_range_count; i++) {
		const struct lw_freq_range *range = &region->freq_ranges[i];
		low = range->downlink && range->min_hz < low ? range->min_hz : low;
		high = range->downlink && range->max_hz > high ? range->max_hz : high;
	}
	for (unsigned i = 0; i < GATEWAY_RADIOS; i++) {
		char name[16];
		snprintf(name, sizeof name, "radio_%u", i);
		json_t *radio = object_in(chip, name);
		json_object_set_new(radio, "enable", json_true());
		json_object_set_new(radio, "freq", json_integer(config->radios.centre_hz[i]));
		hardware(radio, config, kind, i == 0);
		if (!json_is_true(json_object_get(radio, "tx_enable")))
			continue;
		json_object_set_new(radio, "tx_freq_min", json_integer(low));
		json_object_set_new(radio, "tx_freq_max", json_integer(high));
	}
}

static json_t *channel(const struct gateway_channel *from)
{
	return json_pack("{s:b, s:i, s:i}", "enable", 1, "radio", (int)from->radio, "if", (int)from->if_hz);
}

static void put_channels(json_t *chip, const struct gateway_config *config, enum gateway_chip kind)
{
	const struct gateway_radios *radios = &config->radios;
	if (kind == GATEWAY_SX1302)
		otherwise(chip, "chan_multiSF_All",
			  json_pack("{s:[iiiiiiii]}", "spreading_factor_enable", 5, 6, 7, 8, 9, 10, 11, 12));
	for (unsigned i = 0; i < GATEWAY_MULTI_SF; i++) {
		char name[24];
		snprintf(name, sizeof name, "chan_multiSF_%u", i);
		json_object_set_new(chip, name,
				    i < radios->multi_count
					    ? channel(&radios->multi[i])
					    : json_pack("{s:b, s:i, s:i}", "enable", 0, "radio", 0, "if", 0));
	}
	json_t *service = json_pack("{s:b}", "enable", 0), *fsk = json_pack("{s:b}", "enable", 0);
	if (radios->has_service) {
		json_object_update_new(service, channel(&radios->service));
		json_object_set_new(service, "bandwidth", json_integer(radios->service.bandwidth_hz));
		json_object_set_new(service, "spread_factor", json_integer(radios->service.spreading_factor));
	}
	if (radios->has_service && kind == GATEWAY_SX1302) {
		json_object_set_new(service, "implicit_hdr", json_false());
		json_object_set_new(service, "implicit_payload_length", json_integer(17));
		json_object_set_new(service, "implicit_crc_en", json_false());
		json_object_set_new(service, "implicit_coderate", json_integer(1));
	}
	if (radios->has_fsk) {
		json_object_update_new(fsk, channel(&radios->fsk));
		json_object_set_new(fsk, "bandwidth", json_integer(radios->fsk.bandwidth_hz));
		json_object_set_new(fsk, "datarate", json_integer(radios->fsk.bit_rate_bps));
	}
	json_object_set_new(chip, "chan_Lora_std", service);
	json_object_set_new(chip, "chan_FSK", fsk);
}

static void put_server(json_t *gateway, const struct gateway_config *config)
{
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &config->eui);
	for (char *at = eui; *at; at++)
		*at = *at >= 'a' ? (char)(*at - 'a' + 'A') : *at;
	json_object_set_new(gateway, "gateway_ID", json_string(eui));
	json_object_set_new(gateway, "server_address", json_string(config->host));
	json_object_set_new(gateway, "serv_port_up", json_integer(config->port));
	json_object_set_new(gateway, "serv_port_down", json_integer(config->port));
	json_object_set_new(gateway, "keepalive_interval", json_integer(KEEPALIVE_S));
	json_object_set_new(gateway, "stat_interval", json_integer(STAT_S));
	otherwise(gateway, "push_timeout_ms", json_integer(100));
	json_object_set_new(gateway, "forward_crc_valid", json_true());
	json_object_set_new(gateway, "forward_crc_error", json_false());
	json_object_set_new(gateway, "forward_crc_disabled", json_false());
}

/* Whether the vendor's file has gains to send with: tx_lut_0 of the SX1301, tx_gain_lut of a radio of the SX1302. */
static bool has_gains(const json_t *chip)
{
	return json_object_get(chip, "tx_lut_0") ||
	       json_object_get(json_object_get(chip, "radio_0"), "tx_gain_lut") ||
	       json_object_get(json_object_get(chip, "radio_1"), "tx_gain_lut");
}

bool gateway_make_lora_pkt_fwd(struct gateway_config_output *output, const struct gateway_config *config,
			       char problem[GATEWAY_RADIO_PROBLEM_MAX])
{
	enum gateway_chip kind = chip_of(config);
	(void)problem;
	json_t *document = config->base ? json_deep_copy(config->base) : json_object();
	json_t *chip = object_in(
		document, chip_object(config->base, kind == GATEWAY_SX1301 ? "SX1301_conf" : "SX130x_conf"));
	otherwise(chip, "lorawan_public", json_true());
	otherwise(chip, "clksrc", json_integer(kind == GATEWAY_SX1301));
	if (kind == GATEWAY_SX1302 && !config->base) {
		otherwise(chip, "com_type", json_string("SPI"));
		otherwise(chip, "com_path", json_string("/dev/spidev0.0"));
		otherwise(chip, "full_duplex", json_false());
	}
	if (config->has_antenna_gain)
		json_object_set_new(chip, "antenna_gain", json_integer(config->antenna_gain_dbi));
	otherwise(chip, "antenna_gain", json_integer(0));
	put_radios(chip, config, kind);
	put_channels(chip, config, kind);
	put_server(object_in(document, "gateway_conf"), config);
	if (!has_gains(chip))
		gateway_output_note(output,
				    "The table of transmit gains (%s) belongs to the hardware and is not in "
				    "this file: without "
				    "it the gateway cannot send as it should. Give the vendor's "
				    "global_conf.json with --base.",
				    kind == GATEWAY_SX1301 ? "tx_lut_0 to tx_lut_15"
							   : "tx_gain_lut of radio_0");
	if (!config->base)
		gateway_output_note(
			output, "Radio chip, RSSI offset and clock source are those of Semtech's reference "
				"design; --base FILE keeps the vendor's.");
	if (json_object_get(json_object_get(document, "gateway_conf"), "servers"))
		gateway_output_note(
			output,
			"The vendor's file names `servers` of its own in gateway_conf; a forwarder that "
			"reads those has to be pointed at %s:%u there.",
			config->host, config->port);
	if (kind == GATEWAY_SX1301)
		gateway_output_note(
			output,
			"A local_conf.json beside it goes before this file: let it name no gateway_ID and "
			"no server of its own.");
	gateway_output_file(output, "global_conf.json", dump(document));
	return true;
}

/* --- Basics Station ------------------------------------------------------------------------------------------------ */

bool gateway_make_station(struct gateway_config_output *output, const struct gateway_config *config,
			  char problem[GATEWAY_RADIO_PROBLEM_MAX])
{
	char eui[LW_EUI64_TEXT], router[24] = "", *uri = NULL;
	enum gateway_chip kind = chip_of(config);
	(void)problem;
	lw_eui64_format(eui, &config->eui);
	for (size_t i = 0; i < 8; i++)
		snprintf(router + strlen(router), sizeof router - strlen(router), "%s%.2s", i ? "-" : "",
			 eui + 2 * i);
	json_t *document = config->base ? json_deep_copy(config->base) : json_object();
	json_t *chip = object_in(
		document, chip_object(config->base, kind == GATEWAY_SX1301 ? "SX1301_conf" : "SX1302_conf"));
	otherwise(chip, "lorawan_public", json_true());
	otherwise(chip, "clksrc", json_integer(kind == GATEWAY_SX1301));
	otherwise(chip, "device", json_string("/dev/spidev0.0"));
	otherwise(chip, "pps", json_false());
	for (unsigned i = 0; i < GATEWAY_RADIOS; i++) {
		char name[16];
		snprintf(name, sizeof name, "radio_%u", i);
		json_t *radio = object_in(chip, name);
		hardware(radio, config, kind, i == 0);
		if (json_is_true(json_object_get(radio, "tx_enable")) && config->has_antenna_gain)
			json_object_set_new(radio, "antenna_gain", json_integer(config->antenna_gain_dbi));
	}
	json_t *station = object_in(document, "station_conf");
	json_object_set_new(station, "routerid", json_string(router));
	otherwise(station, "log_level", json_string("INFO"));
	if (asprintf(&uri, "wss://%s:%u\n", config->host, config->port) < 0)
		uri = NULL;
	gateway_output_note(
		output,
		"The gateway's record must accept it: lamppost gateway update EUI --accept-certificate true, "
		"or --accept-token true.");
	gateway_output_note(output, "Channels are not in these files: a station gets them from the server.");
	gateway_output_note(
		output,
		"wss needs the server's certificate in tc.trust beside tc.uri, and a token or a client "
		"certificate in tc.key and tc.crt.");
	if (!has_gains(chip))
		gateway_output_note(
			output,
			"Gains, RSSI offsets and the bus are the hardware's: --base FILE keeps those of the "
			"vendor's station.conf.");
	gateway_output_file(output, "station.conf", dump(document));
	gateway_output_file(output, "tc.uri", uri);
	return true;
}
