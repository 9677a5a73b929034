/* A station's home directory: what the command line writes is read, what CUPS hands over is stored in files of their own and read
 * again, with the checksum that the city expects; for OpenSSL it is PEM. */
#include "tests/harness/harness.h"
#include "tests/harness/process.h"
#include "tests/harness/station_pki.h"
#include "tests/harness/temp.h"

#include "application-server/identity/bundle.h"
#include "simulator/station_home.h"

#include "common/base/bytes.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define EUI UINT64_C(0x0016c00100001000)

static char dir[T_DIR_MAX], error[SIM_HOME_ERROR];
static struct t_pki pki;
static struct sim_cups cups;
static const struct lw_eui64 eui = {{0x00, 0x16, 0xc0, 0x01, 0x00, 0x00, 0x10, 0x00}};

static int begin(void **state)
{
	t_temp_dir(dir);
	t_pki_make(&pki, dir);
	error[0] = 0;
	return t_setup(state);
}

static int end(void **state)
{
	t_pki_free(&pki);
	t_temp_dir_remove(dir);
	return t_teardown(state);
}

static void put(const char *name, const char *text)
{
	char path[160];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	t_write_file(path, text);
}

static size_t get(const char *path, char *text, size_t capacity)
{
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, capacity - 1, file) : 0;
	if (file)
		fclose(file);
	text[length] = 0;
	return length;
}

static void load(void)
{
	t_true("loads", sim_home_load(dir, &eui, &cups, error));
	t_str("error", "", error);
}

/* An answer with these credentials for the LNS and for CUPS, as the city makes them. */
static void is_given(const struct as_bundle *bundle)
{
	static uint8_t body[3 * AS_BUNDLE_MAX];
	struct wr wr = wr_init(body, sizeof body);
	wr_u16le(&wr, 0);
	wr_u16le(&wr, (uint16_t)bundle->length);
	wr_copy(&wr, bundle->bytes, bundle->length);
	wr_u16le(&wr, (uint16_t)bundle->length);
	wr_copy(&wr, bundle->bytes, bundle->length);
	wr_u32le(&wr, 0);
	wr_u32le(&wr, 0);
	assert_true(wr_ok(&wr));
	t_str("result", "changed",
	      sim_cups_result_name(sim_cups_answered(&cups, 0, 200, body, wr_length(&wr))));
	t_true("stored", sim_home_store(dir, &cups, error));
	t_str("error", "", error);
}

static void what_the_command_line_writes_is_read(void **state)
{
	(void)state;
	struct sim_scenario_tls tls;
	t_row("a token");
	put("tc.uri", "wss://lns.city:3001\n");
	put("tc.trust", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	put("tc.key", "Authorization: Bearer abc-123\r\n");
	load();
	t_str("uri", "wss://lns.city:3001", cups.tc[SIM_CUPS_REG].uri);
	t_uint("no certificate", 0, cups.tc[SIM_CUPS_REG].certificate_length);
	t_true("for the socket", sim_home_tls(dir, &cups.tc[SIM_CUPS_REG], &tls, error));
	t_str("token", "abc-123", tls.token);
	t_str("no key", "", tls.key);
	t_true("trust", strstr(tls.trust, "/pem/") != NULL);
	t_row("a key that is none");
	put("tc.key", "password: abc\r\n");
	load();
	t_true("refused", !sim_home_tls(dir, &cups.tc[SIM_CUPS_REG], &tls, error));
	t_true("in words", strstr(error, "neither") != NULL);
	t_row("no directory");
	t_true("refused", !sim_home_load("/nowhere", &eui, &cups, error));
}

static void what_is_handed_over_is_kept(void **state)
{
	(void)state;
	struct as_bundle bundle, token;
	struct sim_scenario_tls tls;
	uint8_t certificate[X509_DER_MAX];
	char text[4096], path[200];
	struct stat facts;
	size_t length = t_pki_gateway(&pki, EUI, (int64_t)time(NULL) * 1000000, certificate);
	assert_true(as_bundle_certificate(&bundle, pki.ca_der, pki.ca_length, certificate, length,
					  pki.gateway_key));
	assert_true(as_bundle_token(&token, pki.ca_der, pki.ca_length, "abc"));
	put("cups.uri", "https://cups.city:3002");
	put("tc.uri", "wss://lns.city:3001");
	load();
	t_row("a certificate");
	is_given(&bundle);
	load();
	t_uint("its checksum is the city's", bundle.crc,
	       sim_cups_crc(cups.tc[SIM_CUPS_REG].bytes, cups.tc[SIM_CUPS_REG].length));
	t_uint("for CUPS, too", bundle.crc,
	       sim_cups_crc(cups.cups[SIM_CUPS_REG].bytes, cups.cups[SIM_CUPS_REG].length));
	t_str("the URI stays", "wss://lns.city:3001", cups.tc[SIM_CUPS_REG].uri);
	t_true("for the socket", sim_home_tls(dir, &cups.tc[SIM_CUPS_REG], &tls, error));
	uint8_t der[X509_DER_MAX];
	size_t pem = get(tls.certificate, text, sizeof text);
	t_uint("PEM", length, x509_pem_read(text, pem, "CERTIFICATE", der, sizeof der));
	t_bytes("of the certificate", certificate, length, der, length);
	t_int("the key is its owner's alone", 0, stat(tls.key, &facts) == 0 ? facts.st_mode & 077 : 077);
	t_row("a scenario may name the files themselves");
	struct sim_scenario_tls files = {.trust = "", .server_name = "lns"};
	snprintf(files.trust, sizeof files.trust, "%s/tc.trust", dir);
	snprintf(files.certificate, sizeof files.certificate, "%s/tc.crt", dir);
	snprintf(files.key, sizeof files.key, "%s/tc.key", dir);
	t_true("they are made PEM", sim_home_files(&files, error));
	pem = get(files.certificate, text, sizeof text);
	t_uint("PEM", length, x509_pem_read(text, pem, "CERTIFICATE", der, sizeof der));
	t_bytes("of the certificate", certificate, length, der, length);
	pem = get(files.trust, text, sizeof text);
	t_uint("trust", pki.ca_length, x509_pem_read(text, pem, "CERTIFICATE", der, sizeof der));
	t_int("the key is its owner's alone", 0, stat(files.key, &facts) == 0 ? facts.st_mode & 077 : 077);
	const struct sim_scenario_tls before = files;
	t_true("again", sim_home_files(&files, error));
	t_str("what is PEM stays where it is", before.key, files.key);
	t_row("a token in its place");
	is_given(&token);
	load();
	t_uint("its checksum is the city's", token.crc,
	       sim_cups_crc(cups.tc[SIM_CUPS_REG].bytes, cups.tc[SIM_CUPS_REG].length));
	t_uint("what was there is the backup", bundle.crc,
	       sim_cups_crc(cups.tc[SIM_CUPS_BAK].bytes, cups.tc[SIM_CUPS_BAK].length));
	snprintf(path, sizeof path, "%s/tc.crt", dir);
	t_int("no certificate stays behind", -1, stat(path, &facts));
	t_true("for the socket", sim_home_tls(dir, &cups.tc[SIM_CUPS_REG], &tls, error));
	t_str("token", "abc", tls.token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_the_command_line_writes_is_read, begin, end),
		cmocka_unit_test_setup_teardown(what_is_handed_over_is_kept, begin, end),
	};
	return t_run(tests);
}
