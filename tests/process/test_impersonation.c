/* A gateway that must come by certificate cannot be played by another: every credential that is not its own, at discovery and at the
 * data connection of the real bridge over TLS, by datagram and after revocation; and the bridge's own certificate, taken over while
 * it runs. Certificates are forged here as an attacker would, with keys of his own. */
#include "tests/harness/harness.h"
#include "tests/harness/station_rig.h"

#include "gateway-bridge/identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROOF  T_STATION_FIRST       /* by certificate alone */
#define MAST  (T_STATION_FIRST + 1) /* the same: the neighbour who plays it */
#define TOWER (T_STATION_FIRST + 2) /* by token alone */
#define YEAR  (365 * INT64_C(86400) * US_PER_S)

static struct t_stations at;
static struct t_wire *wire, *first; /* the one that is dialled, one that stays */
static struct x509_key *foreign;    /* the attacker's */

struct credential {
	uint8_t der[X509_DER_MAX], chain[X509_DER_MAX], key[X509_KEY_DER_MAX];
	size_t length, chain_length, key_length;
	const char *token;
};

static int64_t wall_us(void)
{
	return (int64_t)time(NULL) * US_PER_S;
}

/* --- the rig ------------------------------------------------------------------------------------------------------- */

static struct gw_gateway *row_of(uint64_t eui)
{
	struct t_upstream *upstream = at.rig->upstream;
	const struct lw_eui64 wanted = lw_eui64_from_number(eui);
	for (size_t i = 0; i < upstream->list_count; i++)
		if (lw_eui64_equal(&upstream->list[i].eui, &wanted))
			return &upstream->list[i];
	return NULL;
}

static void give_list(void)
{
	at.rig->upstream->list_version++;
	t_upstream_give_list(at.rig->upstream);
}

static void give_token(struct gw_gateway *row, const char *header)
{
	struct gb_presented token = {.has_token = false};
	gb_presented_token(&token, header);
	row->token_count = 1;
	memcpy(row->token_hashes[0], token.token_hash, sizeof token.token_hash);
}

static int open_bridge(void **state)
{
	int failed = t_setup(state);
	t_stations_open(&at, 3, ROOF, "");
	row_of(TOWER)->accept = GW_ACCEPT_TOKEN;
	give_token(row_of(TOWER), "Bearer the-tower's");
	give_list();
	t_true("list", t_bridge_has_list(at.rig));
	foreign = x509_key_generate();
	wire = first = NULL;
	return failed;
}

static int close_bridge(void **state)
{
	t_wire_free(wire);
	t_wire_free(first);
	x509_key_free(foreign);
	t_stations_close(&at);
	return t_teardown(state);
}

/* --- credentials --------------------------------------------------------------------------------------------------- */

static struct x509_wish wish_for(const char *name, enum x509_use use, int64_t until_us)
{
	struct x509_wish wish = {.use = use, .common_name = name, .until = {until_us - until_us % US_PER_S}};
	const uint8_t random[8] = {9, 1, 2, 3, 4, 5, 6, 7};
	x509_serial(wish.serial, (struct wall){wall_us()}, random);
	return wish;
}

static const char *name_of(uint64_t eui)
{
	static char name[20];
	snprintf(name, sizeof name, "%016" PRIx64, eui);
	return name;
}

static void take_key(struct credential *credential, const struct x509_key *key)
{
	credential->key_length = x509_key_der(key, credential->key);
}

static void of_the_city(struct credential *out, const char *name, enum x509_use use, int64_t until_us)
{
	struct x509_wish wish = wish_for(name, use, until_us);
	out->length = x509_issue(&wish, at.pki.gateway_key, at.pki.ca_key, at.pki.ca_der, at.pki.ca_length,
				 out->der);
	take_key(out, at.pki.gateway_key);
}

static void its_own(struct credential *out)
{
	of_the_city(out, name_of(ROOF), X509_FOR_CLIENT, wall_us() + YEAR);
}

static void nothing(struct credential *out)
{
	(void)out;
}

static void anothers(struct credential *out)
{
	of_the_city(out, name_of(MAST), X509_FOR_CLIENT, wall_us() + YEAR);
}

static void expired(struct credential *out)
{
	of_the_city(out, name_of(ROOF), X509_FOR_CLIENT, wall_us() - 60 * US_PER_S);
}

static void a_servers(struct credential *out)
{
	of_the_city(out, name_of(ROOF), X509_FOR_SERVER, wall_us() + YEAR);
}

static void no_gateways(struct credential *out)
{
	of_the_city(out, "0016c001 00001000", X509_FOR_CLIENT, wall_us() + YEAR);
}

static void self_signed(struct credential *out)
{
	struct x509_wish wish = wish_for(name_of(ROOF), X509_FOR_CLIENT, wall_us() + YEAR);
	out->length = x509_issue(&wish, foreign, foreign, NULL, 0, out->der);
	take_key(out, foreign);
}

/* A CA that bears the name of the city's, and is sent along. */
static void foreign_ca(struct credential *out)
{
	struct x509_wish ca = wish_for("Lamppost test CA", X509_FOR_CA, wall_us() + YEAR);
	out->chain_length = x509_issue(&ca, foreign, foreign, NULL, 0, out->chain);
	struct x509_wish wish = wish_for(name_of(ROOF), X509_FOR_CLIENT, wall_us() + YEAR);
	out->length = x509_issue(&wish, foreign, foreign, out->chain, out->chain_length, out->der);
	take_key(out, foreign);
}

/* It names the city's CA and the CA's very key; the signature alone is another's. */
static void forged_until(struct credential *out, int64_t until_us)
{
	struct x509_wish wish = wish_for(name_of(ROOF), X509_FOR_CLIENT, until_us);
	out->length = x509_issue(&wish, foreign, foreign, at.pki.ca_der, at.pki.ca_length, out->der);
	take_key(out, foreign);
}

static void forged(struct credential *out)
{
	forged_until(out, wall_us() + YEAR);
}

static void forged_and_old(struct credential *out)
{
	forged_until(out, wall_us() - 60 * US_PER_S);
}

/* The neighbour plays CA with its own, good certificate. */
static void under_a_gateways(struct credential *out)
{
	struct credential mast = {.length = 0};
	anothers(&mast);
	memcpy(out->chain, mast.der, mast.length);
	out->chain_length = mast.length;
	struct x509_wish wish = wish_for(name_of(ROOF), X509_FOR_CLIENT, wall_us() + YEAR);
	out->length = x509_issue(&wish, foreign, at.pki.gateway_key, out->chain, out->chain_length, out->der);
	take_key(out, foreign);
}

static void a_token(struct credential *out)
{
	out->token = "the-tower's";
}

static void self_signed_with_a_token(struct credential *out)
{
	self_signed(out);
	out->token = "the-tower's";
}

static void anothers_with_a_good_token(struct credential *out)
{
	anothers(out);
	out->token = "the-tower's";
}

static void a_wrong_token(struct credential *out)
{
	out->token = "the-towers";
}

/* --- a station ----------------------------------------------------------------------------------------------------- */

static struct t_wire *dial_from(const struct t_wire_tls *tls, const char *path,
				const struct credential *credential)
{
	const struct t_wire_options options = {.port = at.port,
					       .path = path,
					       .tls = tls,
					       .token = credential->token,
					       .certificate = credential->der,
					       .certificate_length = credential->length,
					       .chain = credential->chain,
					       .chain_length = credential->chain_length,
					       .key = credential->key,
					       .key_length = credential->key_length};
	return t_wire_open(&options);
}

static void pump(void)
{
	t_bridge_pump(at.rig);
	if (first)
		t_wire_pump(first);
	if (wire)
		t_wire_pump(wire);
}

static bool is_settled(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_state(wire) >= T_WIRE_OPEN;
}

static bool has_text(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_texts(wire) > 0 || t_wire_state(wire) == T_WIRE_CLOSED;
}

static bool is_closed(void *ctx)
{
	(void)ctx;
	pump();
	return t_wire_state(first) == T_WIRE_CLOSED;
}

/* The status of a data connection with it. */
static unsigned status_at(uint64_t eui, const struct credential *credential)
{
	char path[64];
	snprintf(path, sizeof path, "/gateway/%s", name_of(eui));
	t_wire_free(wire);
	wire = dial_from(at.tls, path, credential);
	t_true("answered", t_bridge_wait(at.rig, is_settled));
	return t_wire_http_status(wire);
}

/* What discovery answers it. */
static const char *discovery_says(uint64_t eui, const struct credential *credential)
{
	char text[64];
	const char *name = name_of(eui);
	t_wire_free(wire);
	wire = dial_from(at.tls, "/router-info", credential);
	t_true("asks", t_bridge_wait(at.rig, is_settled) && t_wire_state(wire) == T_WIRE_OPEN);
	snprintf(text, sizeof text, "{\"router\":\"%.4s:%.4s:%.4s:%.4s\"}", name, name + 4, name + 8,
		 name + 12);
	t_wire_text(wire, text);
	t_true("is told", t_bridge_wait(at.rig, has_text));
	return t_wire_last(wire);
}

/* Comes in, stays as `first`, and is given its channels. */
static void comes_up(uint64_t eui, const struct credential *credential)
{
	t_wire_free(first);
	first = NULL;
	assert_int_equal(101, status_at(eui, credential));
	t_wire_text(wire, "{\"msgtype\":\"version\",\"station\":\"2.0.6\",\"protocol\":2,\"model\":\"test\","
			  "\"features\":\"\"}");
	t_true("configured",
	       t_bridge_wait(at.rig, has_text) && strstr(t_wire_last(wire), "\"router_config\""));
	first = wire;
	wire = NULL;
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */

static const struct impostor {
	const char *name;
	uint64_t eui;
	void (*make)(struct credential *out);
	unsigned status;
	const char *verdict;
} impostors[] = {
	{"nothing", ROOF, nothing, 401, "credential_missing"},
	{"another gateway's certificate", ROOF, anothers, 403, "certificate_foreign"},
	{"self-signed with its name", ROOF, self_signed, 401, "credential_missing"},
	{"a foreign CA that bears our CA's name", ROOF, foreign_ca, 401, "credential_missing"},
	{"a foreign signature below our CA's name and key", ROOF, forged, 401, "credential_missing"},
	{"the same, and its time is over", ROOF, forged_and_old, 401, "credential_missing"},
	{"signed with another gateway's certificate", ROOF, under_a_gateways, 401, "credential_missing"},
	{"its own, whose time is over", ROOF, expired, 401, "certificate_expired"},
	{"a server's certificate with its name", ROOF, a_servers, 401, "credential_missing"},
	{"a certificate of the city's that names no gateway", ROOF, no_gateways, 403, "certificate_foreign"},
	{"another gateway's token", ROOF, a_token, 403, "credential_not_allowed"},
	{"self-signed, and another's token", ROOF, self_signed_with_a_token, 403, "credential_not_allowed"},
	{"a wrong token", TOWER, a_wrong_token, 401, "token_wrong"},
	{"no token", TOWER, nothing, 401, "credential_missing"},
	{"a certificate of another, and its own token", TOWER, anothers_with_a_good_token, 403,
	 "certificate_foreign"},
};

static void nobody_else_comes_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(impostors); i++) {
		const struct impostor *row = &impostors[i];
		struct credential credential = {.length = 0};
		t_row(row->name);
		row->make(&credential);
		double before = t_bridge_verdict(at.rig, row->verdict);
		t_uint("status", row->status, status_at(row->eui, &credential));
		const char *said = discovery_says(row->eui, &credential);
		t_true("told no", strstr(said, "\"error\"") != NULL);
		t_true("and no address", strstr(said, "\"uri\"") == NULL);
		t_uint("counted at both", 2,
		       (unsigned)(t_bridge_verdict(at.rig, row->verdict) - before + 0.5));
		t_str("not there", "", t_upstream_presence(at.rig->upstream, row->eui));
	}
	t_row("while its own is let in");
	struct credential own = {.length = 0}, token = {.length = 0};
	its_own(&own);
	t_true("told where", strstr(discovery_says(ROOF, &own), "\"uri\"") != NULL);
	comes_up(ROOF, &own);
	a_token(&token);
	t_uint("the tower's token", 101, status_at(TOWER, &token));
}

/* What others try while it is connected harms it in nothing. */
static void its_connection_stands(void **state)
{
	(void)state;
	struct credential own = {.length = 0};
	its_own(&own);
	comes_up(ROOF, &own);
	for (size_t i = 0; i < ARRAY_SIZE(impostors); i++) {
		struct credential credential = {.length = 0};
		t_row(impostors[i].name);
		impostors[i].make(&credential);
		t_uint("status", impostors[i].status, status_at(impostors[i].eui, &credential));
		t_int("stands", T_WIRE_OPEN, t_wire_state(first));
	}
	t_row("by datagram");
	struct t_gateway *forger = t_bridge_gateway(at.rig, ROOF, 2, NULL);
	unsigned texts = t_wire_texts(first);
	t_gateway_pull(forger);
	t_gateway_push(forger, 1000);
	t_upstream_order(at.rig->upstream, ROOF, 5);
	anothers(&own);
	t_uint("others are served", 101, status_at(MAST, &own));
	t_uint("not forwarded", 0, at.rig->upstream->uplinks);
	t_uint("not answered", 0, forger->push_acks + forger->pull_acks + forger->pull_resps);
	t_true("counted", t_bridge_verdict(at.rig, "udp_not_allowed") >= 2);
	t_int("stands", T_WIRE_OPEN, t_wire_state(first));
	t_true("what waits for it is its own", t_wire_texts(first) >= texts);
}

static void void_certificates(struct gw_gateway *row)
{
	row->certificates_void_us = wall_us() + US_PER_S;
}

static void other_token(struct gw_gateway *row)
{
	give_token(row, "Bearer a-new-one");
}

static void no_token(struct gw_gateway *row)
{
	row->token_count = 0;
}

static void tokens_alone(struct gw_gateway *row)
{
	row->accept = GW_ACCEPT_TOKEN;
}

static void other_source(struct gw_gateway *row)
{
	snprintf(row->source_cidr, sizeof row->source_cidr, "10.0.0.0/8");
}

static void another_gateway(struct gw_gateway *row)
{
	row->eui = lw_eui64_from_number(UINT64_C(0x1122334455667788));
}

static void what_is_taken_back_ends_the_connection(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint64_t eui;
		void (*make)(struct credential *out);
		void (*change)(struct gw_gateway *row);
		const char *why;
		unsigned status; /* of the next try */
	} rows[] = {
		{"its certificate is revoked", ROOF, its_own, void_certificates, "certificate_void", 403},
		{"its record takes no certificate any more", ROOF, its_own, tokens_alone,
		 "credential_not_allowed", 403},
		{"its record names another source", ROOF, its_own, other_source, "foreign_source", 403},
		{"its record is removed", ROOF, its_own, another_gateway, "unknown_gateway", 404},
		{"its token is replaced", TOWER, a_token, other_token, "token_wrong", 401},
		{"its token is revoked", TOWER, a_token, no_token, "token_wrong", 401},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct credential credential = {.length = 0};
		struct gw_gateway *row = row_of(rows[i].eui), before = *row;
		rows[i].make(&credential);
		comes_up(rows[i].eui, &credential);
		rows[i].change(row);
		give_list();
		t_true("ends", t_bridge_wait(at.rig, is_closed));
		t_uint("code", 1008, t_wire_close_code(first));
		t_true("with the reason", strstr(t_wire_close_text(first), rows[i].why) != NULL);
		for (int again = 0; again < 2; again++)
			t_uint("and stays out", rows[i].status, status_at(rows[i].eui, &credential));
		t_true("told no at discovery",
		       strstr(discovery_says(rows[i].eui, &credential), "\"error\"") != NULL);
		*row = before;
		give_list();
	}
}

/* --- the bridge's own certificate ---------------------------------------------------------------------------------- */

static struct t_pki fresh;
static struct t_wire_tls *fresh_tls;

static void copy(const char *from, const char *to)
{
	char text[X509_PEM_MAX] = "", next[200];
	FILE *file = fopen(from, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof text - 1, file) > 0);
	fclose(file);
	snprintf(next, sizeof next, "%s.next", to);
	t_write_file(next, text);
	assert_int_equal(0, rename(next, to));
}

static bool the_new_one_is_shown(void *ctx)
{
	char path[64];
	snprintf(path, sizeof path, "/gateway/%s", name_of(MAST));
	pump();
	if (wire && t_wire_state(wire) < T_WIRE_OPEN)
		return false;
	if (wire && t_wire_state(wire) == T_WIRE_OPEN)
		return true;
	t_wire_free(wire);
	wire = dial_from(fresh_tls, path, ctx);
	return false;
}

static void a_renewed_server_certificate_is_taken_over(void **state)
{
	(void)state;
	char dir[T_DIR_MAX];
	struct credential own = {.length = 0}, mast = {.length = 0};
	t_temp_dir(dir);
	t_pki_make(&fresh, dir);
	fresh_tls = t_wire_tls_new(fresh.ca);
	its_own(&own);
	anothers(&mast);
	comes_up(ROOF, &own);
	t_row("a key without its certificate changes nothing");
	copy(fresh.server_key, at.pki.server_key);
	t_uint("who comes is served", 101, status_at(MAST, &mast));
	t_row("its certificate");
	copy(fresh.server, at.pki.server);
	t_wire_free(wire);
	wire = NULL;
	t_true("is shown to who comes", t_wait_until(the_new_one_is_shown, &mast, T_CEILING));
	t_int("and nobody's connection ended", T_WIRE_OPEN, t_wire_state(first));
	t_wire_tls_free(fresh_tls);
	t_pki_free(&fresh);
	t_temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"nobody_else_comes_in", nobody_else_comes_in, open_bridge, close_bridge, NULL},
		{"its_connection_stands", its_connection_stands, open_bridge, close_bridge, NULL},
		{"what_is_taken_back_ends_the_connection", what_is_taken_back_ends_the_connection,
		 open_bridge, close_bridge, NULL},
		{"a_renewed_server_certificate_is_taken_over", a_renewed_server_certificate_is_taken_over,
		 open_bridge, close_bridge, NULL},
	};
	return t_run(tests);
}
