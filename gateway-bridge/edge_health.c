#include "gateway-bridge/edge_health.h"

#include "common/base/check.h"

#include <inttypes.h>

/* --- what everybody asks for */

/* UDP has no connection, whatever came of this gateway before. */
static const char *connected(const struct gb_gateway *gateway)
{
	bool is_udp = gateway->protocol == GW_SEMTECH_UDP_V1 || gateway->protocol == GW_SEMTECH_UDP_V2;
	if (is_udp || !gateway->health.has_connection)
		return "null";
	return gateway->health.connected ? "true" : "false";
}

static uint64_t ended(const struct gb_health *health)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < GB_CLOSE_COUNT; i++)
		sum += health->closed[i];
	return sum;
}

static void write_presence(FILE *out, const struct gb_gateway *gateway, const char *topic, struct now now)
{
	char eui[LW_EUI64_TEXT], from[GB_ADDRESS_TEXT], path[GB_ADDRESS_TEXT] = "";
	const struct gb_health *health = &gateway->health;
	lw_eui64_format(eui, &gateway->eui);
	gb_address_format(from, &gateway->from);
	const struct gb_peer *peer = gb_gateway_path(gateway, now.mono);
	if (peer)
		gb_address_format(path, &peer->address);
	fprintf(out,
		"\"eui\":\"%s\",\"known\":%s,\"online\":%s,\"from\":\"%s\",\"path\":\"%s\",\"source\":\"%s\","
		"\"silent_ms\":%" PRId64 ",\"datagrams\":%" PRIu64 ",\"uplinks\":%" PRIu64
		",\"dropped\":%" PRIu64 ",\"moves\":%u,\"flapping\":%s,\"restarts\":%u,\"shared_eui\":%s",
		eui, gateway->known ? "true" : "false", gateway->online ? "true" : "false", from,
		*topic ? topic : path, gateway->row.source_cidr,
		gateway->datagrams ? mono_since(now.mono, gateway->heard) / US_PER_MS : -1,
		gateway->datagrams, gateway->uplinks, gateway->dropped, gateway->moves,
		gateway->flapping ? "true" : "false", gateway->restarts,
		gb_eui_is_shared(&gateway->eui) ? "true" : "false");
	if (gateway->datagrams > 0)
		fprintf(out, ",\"protocol\":\"%s\"", gw_protocol_name(gateway->protocol));
	else
		fputs(",\"protocol\":null", out);
	fprintf(out, ",\"connected\":%s", connected(gateway));
	if (health->has_connection)
		fprintf(out, ",\"changed_ms\":%" PRId64, mono_since(now.mono, health->changed) / US_PER_MS);
	if (ended(health) > 0)
		fprintf(out, ",\"closed\":\"%s\"", gb_close_name(health->last_close));
	if (gateway->turned_away.verdict)
		fprintf(out, ",\"refused\":\"%s\",\"refused_ms\":%" PRId64, gateway->turned_away.verdict,
			mono_since(now.mono, gateway->turned_away.at) / US_PER_MS);
}

/* --- the counters */

/* {NAME: n, ...} without those that are 0. */
static void write_counts(FILE *out, const char *member, const uint32_t *counts, size_t count,
			 const char *(*name)(size_t i))
{
	const char *separator = "";
	fprintf(out, ",\"%s\":{", member);
	for (size_t i = 0; i < count; i++)
		if (counts[i] > 0) {
			fprintf(out, "%s\"%s\":%" PRIu32, separator, name(i), counts[i]);
			separator = ",";
		}
	fputc('}', out);
}

static const char *result_name(size_t i)
{
	return gw_tx_result_name((enum gw_tx_result)i);
}

static const char *close_name(size_t i)
{
	return gb_close_name((enum gb_close)i);
}

static void write_number(FILE *out, const char *member, bool known, int64_t number)
{
	if (known)
		fprintf(out, ",\"%s\":%" PRId64, member, number);
	else
		fprintf(out, ",\"%s\":null", member);
}

static int64_t rounded_ms(span_us span)
{
	return (span + US_PER_MS / 2) / US_PER_MS;
}

static void write_measured(FILE *out, const struct gb_health *health)
{
	int32_t drift = 0;
	bool has_drift = gb_health_drift(health, &drift);
	span_us last = gb_health_trip_last(health), most = gb_health_trip_95(health);
	write_number(out, "certificate_until", health->certificate_until.us != 0,
		     health->certificate_until.us / US_PER_S);
	write_number(out, "trip_ms", last >= 0, rounded_ms(last));
	write_number(out, "trip_95_ms", most >= 0, rounded_ms(most));
	write_number(out, "drift_tenths_ppm", has_drift, drift);
}

static void write_said(FILE *out, const struct gb_health *health, struct now now)
{
	const struct gw_stats *stats = &health->stats;
	write_number(out, "temperature_cdeg", stats->has_temperature, stats->temperature_cdeg);
	write_number(out, "acks_permille", stats->has_ack_permille, stats->ack_permille);
	if (health->has_stats) {
		fprintf(out, ",\"stats\":{\"age_ms\":%" PRId64,
			mono_since(now.mono, health->stats_at) / US_PER_MS);
		if (stats->has_counts)
			fprintf(out,
				",\"rx_received\":%" PRIu32 ",\"rx_ok\":%" PRIu32 ",\"rx_forwarded\":%" PRIu32
				",\"tx_received\":%" PRIu32 ",\"tx_emitted\":%" PRIu32,
				stats->rx_received, stats->rx_ok, stats->rx_forwarded, stats->tx_received,
				stats->tx_emitted);
		fputc('}', out);
	}
	if (health->has_location)
		fprintf(out, ",\"position\":{\"lat\":%.6f,\"lon\":%.6f,\"altitude_m\":%" PRId32 "}",
			health->latitude_deg, health->longitude_deg, health->altitude_m);
	if (health->station[0] || health->model[0] || health->firmware[0])
		fprintf(out, ",\"station\":\"%s\",\"model\":\"%s\",\"firmware\":\"%s\"", health->station,
			health->model, health->firmware);
}

static void write_health(FILE *out, const struct gb_health *health, struct now now)
{
	fprintf(out,
		",\"health\":{\"received\":%" PRIu64 ",\"crc_errors\":%" PRIu64 ",\"forwarded\":%" PRIu64
		",\"bytes_up\":%" PRIu64 ",\"bytes_down\":%" PRIu64 ",\"sent\":%" PRIu64
		",\"opened\":%" PRIu32,
		health->received, health->crc_errors, health->forwarded, health->bytes_up, health->bytes_down,
		health->sent, health->opened);
	write_counts(out, "results", health->results, GW_TX_RESULT_COUNT, result_name);
	write_counts(out, "closed", health->closed, GB_CLOSE_COUNT, close_name);
	write_measured(out, health);
	write_said(out, health, now);
	fputc('}', out);
}

/* Every text in it is an EUI, an address, a topic (gb_chirpstack_topic), a name of ours, or was cleaned (gb_health_version): nothing to escape. */
void gb_write_gateway(FILE *out, const struct gb_gateway *gateway, const char *topic, struct now now,
		      bool health)
{
	fputc('{', out);
	write_presence(out, gateway, topic, now);
	if (health)
		write_health(out, &gateway->health, now);
	fputc('}', out);
}
