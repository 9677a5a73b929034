/* The stations' listener and that of CUPS, and their files while the bridge runs: an authority whose own time is over, and a listening socket that was
 * handed over and could not be opened at first. */
#include "tests/harness/harness.h"
#include "tests/harness/station_rig.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CERTIFICATE "lamppost_bridge_certificate_until_seconds"

static struct t_stations at;
static struct t_wire *wire;

static bool is_open(void *ctx)
{
	(void)ctx;
	t_bridge_pump(at.rig);
	t_wire_pump(wire);
	return t_wire_state(wire) >= T_WIRE_OPEN;
}

static bool cups;

static struct t_wire *dial(void)
{
	static const char question[] =
		"{\"router\":\"0016:c001:0000:1000\",\"cupsUri\":\"\",\"tcUri\":\"\",\"cupsCredCrc\":1,"
		"\"tcCredCrc\":1,\"station\":\"2.0.6(linux/"
		"std)\",\"model\":\"linux\",\"package\":\"1\",\"keys\":"
		"[]}";
	const struct t_wire_options ask = {.path = "/update-info", .post = question};
	return t_stations_dial_with(&at, T_STATION_FIRST, true, cups ? &ask : &(struct t_wire_options){0});
}

static void open_door(void)
{
	if (cups)
		t_stations_open_cups(&at, 1, T_STATION_FIRST);
	else
		t_stations_open(&at, 1, T_STATION_FIRST, "");
}

/* What a gateway that is let in is answered. */
static unsigned welcome(void)
{
	return cups ? 200 : 101;
}

/* The status that the first gateway's certificate gets. */
static unsigned status_now(void)
{
	t_wire_free(wire);
	wire = dial();
	t_true("answered", t_bridge_wait(at.rig, is_open));
	return t_wire_http_status(wire);
}

static bool is_refused(void *ctx)
{
	(void)ctx;
	return status_now() == 401;
}

/* The same authority by its key, whose certificate lasted until so many seconds from now. */
static void write_authority(int64_t lasts_s)
{
	uint8_t der[X509_DER_MAX];
	char pem[4096];
	struct x509_wish wish = {.use = X509_FOR_CA,
				 .common_name = "Lamppost test CA",
				 .until = {((int64_t)time(NULL) + lasts_s) * 1000000}};
	const uint8_t random[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	x509_serial(wish.serial, (struct wall){((int64_t)time(NULL) - 86400) * 1000000}, random);
	size_t length = x509_issue(&wish, at.pki.ca_key, at.pki.ca_key, NULL, 0, der);
	assert_true(length > 0 && x509_pem_write(pem, sizeof pem, "CERTIFICATE", der, length) > 0);
	t_write_file(at.pki.ca, pem);
}

static void an_authority_is_over(void **state)
{
	(void)state;
	t_row("a certificate that is good, below an authority whose time is over");
	open_door();
	t_uint("let in before", welcome(), status_now());
	double before = t_bridge_verdict(at.rig, "certificate_expired");
	write_authority(-60);
	t_true("refused then", t_bridge_wait(at.rig, is_refused));
	t_true("by its name", t_bridge_verdict(at.rig, "certificate_expired") > before);
	t_row("a new certificate of the same authority");
	write_authority(86400);
	double end = t_seconds() + T_CEILING;
	while (status_now() != welcome() && t_seconds() < end) {
	}
	t_uint("lets it in again", welcome(), t_wire_http_status(wire));
	t_wire_free(wire);
	wire = NULL;
	t_stations_close(&at);
}

static void a_socket_that_was_handed_over_waits(void **state)
{
	static char key[8192];
	(void)state;
	t_row("a key that cannot be read at the start");
	open_door();
	FILE *file = fopen(at.pki.server_key, "re");
	assert_non_null(file);
	key[fread(key, 1, sizeof key - 1, file)] = 0;
	fclose(file);
	t_process_signal(at.rig->process, SIGTERM);
	t_int("an orderly end", 0, t_process_wait(at.rig->process));
	t_process_free(at.rig->process);
	t_write_file(at.pki.server_key, "no key\n");
	t_bridge_run(at.rig);
	wire = dial();
	t_true("the list", t_bridge_has_list(at.rig));
	t_wire_pump(wire);
	t_true("whoever dials waits", t_wire_state(wire) < T_WIRE_OPEN);
	t_true("no certificate is shown", t_metric(at.rig->admin, CERTIFICATE) == 0);
	t_row("the key is there");
	t_write_file(at.pki.server_key, key);
	t_true("he is served on the same socket", t_bridge_wait(at.rig, is_open));
	t_uint("let in", welcome(), t_wire_http_status(wire));
	t_true("whose end is told", cups || t_metric(at.rig->admin, CERTIFICATE) > (double)time(NULL));
	t_wire_free(wire);
	wire = NULL;
	t_stations_close(&at);
}

static int at_stations(void **state)
{
	cups = false;
	return t_setup(state);
}

static int at_cups(void **state)
{
	cups = true;
	return t_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"stations: an authority is over", an_authority_is_over, at_stations, t_teardown, NULL},
		{"stations: a socket that was handed over waits", a_socket_that_was_handed_over_waits,
		 at_stations, t_teardown, NULL},
		{"CUPS: an authority is over", an_authority_is_over, at_cups, t_teardown, NULL},
		{"CUPS: a socket that was handed over waits", a_socket_that_was_handed_over_waits, at_cups,
		 t_teardown, NULL},
	};
	return t_run(tests);
}
