/* The TOML that ChirpStack's programs on a gateway read: Concentratord, which has the hardware, and the forwarders, of which
 * one speaks to our bridge by UDP and the other by a broker. */
#include "cli/gateway_config.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVE_S        10
#define KEEPALIVE_FAILURES 12
#define BROKER_PORT        8883 /* MQTT over TLS */

/* "AS923", variant 2 → "AS923_2", as Concentratord spells it. */
static void region_name(char *name, size_t capacity, const struct lw_region *region)
{
	const char *variant = strchr(region->id, '-');
	bool as923 = strncmp(region->id, "as923-", 6) == 0 && strcmp(region->id, "as923-1") != 0;
	snprintf(name, capacity, "%s%s%s", region->common_name, as923 ? "_" : "", as923 ? variant + 1 : "");
}

static char *channels(const struct gateway_config *config)
{
	char *text = NULL;
	size_t size;
	const struct gateway_radios *radios = &config->radios;
	FILE *out = open_memstream(&text, &size);
	ASSERT(out != NULL);
	fprintf(out,
		"# Channels of the gateway's plan (%s). Concentratord places them on its radios itself.\n",
		config->region->id);
	/* Concentratord refuses a list of other than eight; 0 is a demodulator that is off. */
	fputs("[gateway.concentrator]\nmulti_sf_channels = [\n", out);
	for (size_t i = 0; i < GATEWAY_MULTI_SF; i++)
		fprintf(out, "  %u,\n", i < radios->multi_count ? radios->multi[i].freq_hz : 0);
	fputs("]\n", out);
	if (radios->has_service)
		fprintf(out,
			"\n[gateway.concentrator.lora_std]\nfrequency = %u\nbandwidth = %u\nspreading_factor "
			"= %u\n",
			radios->service.freq_hz, radios->service.bandwidth_hz,
			radios->service.spreading_factor);
	if (radios->has_fsk)
		fprintf(out, "\n[gateway.concentrator.fsk]\nfrequency = %u\nbandwidth = %u\ndatarate = %u\n",
			radios->fsk.freq_hz, radios->fsk.bandwidth_hz, radios->fsk.bit_rate_bps);
	ASSERT(fclose(out) == 0);
	return text;
}

static char *forwarder(const struct gateway_config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	ASSERT(out != NULL);
	fprintf(out,
		"# Sends what Concentratord hears to Lamppost's gateway bridge, by Semtech UDP.\n"
		"[udp_forwarder]\nlog_level = \"INFO\"\nlog_to_syslog = true\nmetrics_bind = \"\"\n\n"
		"[[udp_forwarder.servers]]\nserver = \"%s:%u\"\nkeepalive_interval_secs = %d\n"
		"keepalive_max_failures = %d\nforward_crc_ok = true\nforward_crc_invalid = false\n"
		"forward_crc_missing = false\n\n"
		"[concentratord]\nevent_url = \"ipc:///tmp/concentratord_event\"\n"
		"command_url = \"ipc:///tmp/concentratord_command\"\n",
		config->host, config->port, KEEPALIVE_S, KEEPALIVE_FAILURES);
	ASSERT(fclose(out) == 0);
	return text;
}

/* The EUI is the topic's and the user's name, so that the broker's access rules can hold a gateway to its own topics. */
static char *mqtt_forwarder(const struct gateway_config *config)
{
	char *text = NULL, eui[LW_EUI64_TEXT];
	size_t size;
	FILE *out = open_memstream(&text, &size);
	ASSERT(out != NULL);
	lw_eui64_format(eui, &config->eui);
	fprintf(out,
		"# Sends what Concentratord hears to the MQTT broker that Lamppost's gateway bridge reads\n"
		"# (gateway-bridge.mqtt.url). In place of the UDP Forwarder, not beside it.\n"
		"[logging]\nlevel = \"info\"\nlog_to_syslog = true\n\n"
		"[mqtt]\ntopic_prefix = \"%s\"\njson = false\nserver = \"ssl://%s:%d\"\nusername = \"%s\"\n"
		"password = \"\" # of this user at the broker\nqos = 0\nkeep_alive_interval = \"30s\"\n"
		"ca_cert = \"\" # the broker's authority; empty: those of the system\n\n"
		"[gateway]\nstats_interval = \"30s\"\n\n"
		"[backend]\nenabled = \"concentratord\"\n\n"
		"[backend.filters]\nforward_crc_ok = true\nforward_crc_invalid = false\n"
		"forward_crc_missing = false\n\n"
		"[backend.concentratord]\nevent_url = \"ipc:///tmp/concentratord_event\"\n"
		"command_url = \"ipc:///tmp/concentratord_command\"\n",
		config->region->id, config->host, BROKER_PORT, eui);
	ASSERT(fclose(out) == 0);
	return text;
}

bool gateway_make_chirpstack(struct gateway_config_output *output, const struct gateway_config *config,
			     char problem[GATEWAY_RADIO_PROBLEM_MAX])
{
	char region[48], eui[LW_EUI64_TEXT];
	if (config->base) {
		snprintf(problem, GATEWAY_RADIO_PROBLEM_MAX,
			 "--base is for JSON; Concentratord knows its hardware by `model` in "
			 "concentratord.toml");
		return false;
	}
	region_name(region, sizeof region, config->region);
	lw_eui64_format(eui, &config->eui);
	gateway_output_note(output,
			    "In Concentratord's own concentratord.toml, section [gateway]: region = \"%s\", "
			    "gateway_id = \"%s\", antenna_gain = %d, and the vendor's model.",
			    region, eui, config->antenna_gain_dbi);
	gateway_output_note(
		output, "Start Concentratord with -c concentratord.toml -c region.toml -c channels.toml.");
	gateway_output_note(output,
			    "One forwarder of the two: the UDP Forwarder comes to the bridge itself "
			    "(--accept-udp), the MQTT "
			    "Forwarder by a broker (--accept-mqtt true), which the file looks for at %s; put "
			    "the broker's "
			    "address, its authority and this gateway's password in.",
			    config->host);
	gateway_output_file(output, "channels.toml", channels(config));
	gateway_output_file(output, "chirpstack-udp-forwarder.toml", forwarder(config));
	gateway_output_file(output, "chirpstack-mqtt-forwarder.toml", mqtt_forwarder(config));
	return true;
}
