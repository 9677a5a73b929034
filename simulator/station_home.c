#include "simulator/station_home.h"

#include "common/base/check.h"
#include "common/crypto/x509.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM (SIM_PATH + 64)
#define PART_MAX  4096 /* bytes of a file of credentials */

static const char *const stems[] = {"cups", "tc"};

static bool complain(char error[SIM_HOME_ERROR], const char *dir, const char *name)
{
	snprintf(error, SIM_HOME_ERROR, "%.200s/%.100s: %.80s", dir, name, strerror(errno));
	return false;
}

/* --- files --- */

/* Reads a whole file; a length of 0: it is not there. False: it is there and cannot be read, or is longer. */
static bool read_file(const char *dir, const char *name, uint8_t *bytes, size_t capacity, size_t *length)
{
	char path[PATH_ROOM];
	*length = 0;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	for (ssize_t got = 1; got > 0 && *length < capacity;) {
		got = read(fd, bytes + *length, capacity - *length);
		if (got > 0)
			*length += (size_t)got;
	}
	close(fd);
	errno = EFBIG;
	return *length < capacity;
}

static bool write_file(const char *dir, const char *name, const uint8_t *bytes, size_t length,
		       char error[SIM_HOME_ERROR])
{
	char path[PATH_ROOM], beside[PATH_ROOM + 8];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	snprintf(beside, sizeof beside, "%s.new", path);
	if (length == 0)
		return unlink(path) == 0 || errno == ENOENT || complain(error, dir, name);
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool good = fd >= 0 && write(fd, bytes, length) == (ssize_t)length;
	if (fd >= 0)
		good = close(fd) == 0 && good;
	return (good && rename(beside, path) == 0) || complain(error, dir, name);
}

static void name_of(char name[32], const char *stem, enum sim_cups_which which, const char *kind)
{
	snprintf(name, 32, "%s%s.%s", stem, sim_cups_which_name(which), kind);
}

/* --- sets --- */

static void cut_line(char *text)
{
	text[strcspn(text, "\r\n \t")] = 0;
}

static bool load_set(const char *dir, const char *stem, enum sim_cups_which which, struct sim_cups_set *set,
		     char error[SIM_HOME_ERROR])
{
	static const char *const kinds[] = {"trust", "crt", "key"};
	size_t *const lengths[] = {&set->trust_length, &set->certificate_length, &set->key_length};
	char name[32];
	size_t length;
	name_of(name, stem, which, "uri");
	if (!read_file(dir, name, (uint8_t *)set->uri, sizeof set->uri - 1, &length))
		return complain(error, dir, name);
	set->uri[length] = 0;
	cut_line(set->uri);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		name_of(name, stem, which, kinds[i]);
		if (!read_file(dir, name, set->bytes + set->length, PART_MAX, lengths[i]) ||
		    set->length + *lengths[i] + 4 > SIM_CUPS_CREDENTIALS_MAX)
			return complain(error, dir, name);
		set->length += *lengths[i];
		/* What is not there counts as four zero bytes, as in what CUPS hands over; of a set that is empty nothing does. */
		if (i == 1 && *lengths[i] == 0 && set->length > 0) {
			memset(set->bytes + set->length, 0, 4);
			set->length += 4;
		}
	}
	return true;
}

struct parts {
	const uint8_t *trust, *certificate, *key;
};

static struct parts parts_of(const struct sim_cups_set *set)
{
	const uint8_t *behind = set->bytes + set->trust_length;
	return (struct parts){set->bytes, behind,
			      behind + (set->certificate_length > 0 ? set->certificate_length : 4)};
}

static bool store_set(const char *dir, const char *stem, enum sim_cups_which which,
		      const struct sim_cups_set *set, char error[SIM_HOME_ERROR])
{
	const struct parts parts = parts_of(set);
	char name[32];
	if (set->length == 0 && set->uri[0] == 0)
		return true;
	name_of(name, stem, which, "trust");
	bool good = write_file(dir, name, parts.trust, set->trust_length, error);
	name_of(name, stem, which, "crt");
	good = good && write_file(dir, name, parts.certificate, set->certificate_length, error);
	name_of(name, stem, which, "key");
	good = good && write_file(dir, name, parts.key, set->key_length, error);
	name_of(name, stem, which, "uri");
	return good && write_file(dir, name, (const uint8_t *)set->uri, strlen(set->uri), error);
}

/* --- the directory --- */

bool sim_home_load(const char *dir, const struct lw_eui64 *eui, struct sim_cups *cups,
		   char error[SIM_HOME_ERROR])
{
	uint8_t text[sizeof cups->package];
	size_t length;
	*cups = (struct sim_cups){.next_us = 0};
	if (access(dir, R_OK | X_OK) != 0)
		return complain(error, dir, "");
	for (enum sim_cups_which which = SIM_CUPS_REG; which < SIM_CUPS_SETS; which++)
		if (!load_set(dir, stems[0], which, &cups->cups[which], error) ||
		    !load_set(dir, stems[1], which, &cups->tc[which], error))
			return false;
	for (unsigned i = 0; i < SIM_CUPS_KEYS; i++) {
		uint8_t key[X509_POINT_BYTES + 1];
		char name[32];
		snprintf(name, sizeof name, "sig-%u.key", i);
		if (!read_file(dir, name, key, sizeof key, &length))
			return complain(error, dir, name);
		if (length == X509_POINT_BYTES)
			memcpy(cups->keys[cups->key_count++], key, X509_POINT_BYTES);
	}
	if (!read_file(dir, "version.txt", text, sizeof text, &length))
		return complain(error, dir, "version.txt");
	memcpy(cups->package, text, length);
	cups->package[length] = 0;
	cut_line(cups->package);
	sim_cups_init(cups, eui);
	return true;
}

bool sim_home_store(const char *dir, const struct sim_cups *cups, char error[SIM_HOME_ERROR])
{
	bool good = true;
	for (enum sim_cups_which which = SIM_CUPS_REG; which < SIM_CUPS_BOOT && good; which++)
		good = store_set(dir, stems[0], which, &cups->cups[which], error) &&
		       store_set(dir, stems[1], which, &cups->tc[which], error);
	return good &&
	       write_file(dir, "version.txt", (const uint8_t *)cups->package, strlen(cups->package), error);
}

bool sim_home_update(const char *dir, const uint8_t *bytes, size_t length, char error[SIM_HOME_ERROR])
{
	return write_file(dir, "update.bin", bytes, length, error);
}

/* --- for OpenSSL --- */

/* A part as PEM in DIR/pem; one that is PEM already is copied. */
static bool put_pem(const char *dir, uint32_t crc, const char *kind, const char *label, const uint8_t *bytes,
		    size_t length, char out[SIM_PATH], char error[SIM_HOME_ERROR])
{
	char name[64], pem[PART_MAX + X509_PEM_MAX];
	out[0] = 0;
	if (length == 0)
		return true;
	snprintf(name, sizeof name, "pem/%08x.%s", crc, kind);
	if ((size_t)snprintf(out, SIM_PATH, "%s/%s", dir, name) >= SIM_PATH) {
		errno = ENAMETOOLONG;
		return complain(error, dir, name);
	}
	if (bytes[0] == 0x30) {
		length = x509_pem_write(pem, sizeof pem, label, bytes, length);
		bytes = (const uint8_t *)pem;
	}
	return write_file(dir, name, bytes, length, error);
}

static bool make_pem_folder(const char *dir, char error[SIM_HOME_ERROR])
{
	char path[PATH_ROOM];
	snprintf(path, sizeof path, "%s/pem", dir);
	return mkdir(path, 0700) == 0 || errno == EEXIST || complain(error, dir, "pem");
}

static bool is_header(const uint8_t *bytes, size_t length)
{
	return length > 0 && bytes[0] != 0x30 && bytes[0] != '-';
}

/* The token of a line "Authorization: Bearer TOKEN". */
static bool read_token(const uint8_t *bytes, size_t length, char token[SIM_PATH], char error[SIM_HOME_ERROR])
{
	static const char head[] = "Authorization: Bearer ";
	size_t skip = sizeof head - 1;
	if (length <= skip || length - skip >= SIM_PATH || memcmp(bytes, head, skip) != 0) {
		snprintf(error, SIM_HOME_ERROR, "a key that is neither a key nor \"%sTOKEN\"", head);
		return false;
	}
	memcpy(token, bytes + skip, length - skip);
	token[length - skip] = 0;
	cut_line(token);
	return true;
}

bool sim_home_tls(const char *dir, const struct sim_cups_set *set, struct sim_scenario_tls *tls,
		  char error[SIM_HOME_ERROR])
{
	const struct parts parts = parts_of(set);
	uint32_t crc = sim_cups_crc(set->bytes, set->length);
	*tls = (struct sim_scenario_tls){.trust = ""};
	if (!make_pem_folder(dir, error))
		return false;
	if (!put_pem(dir, crc, "trust", "CERTIFICATE", parts.trust, set->trust_length, tls->trust, error) ||
	    !put_pem(dir, crc, "crt", "CERTIFICATE", parts.certificate, set->certificate_length,
		     tls->certificate, error))
		return false;
	if (is_header(parts.key, set->key_length))
		return read_token(parts.key, set->key_length, tls->token, error);
	return put_pem(dir, crc, "key", "EC PRIVATE KEY", parts.key, set->key_length, tls->key, error);
}

/* One file that a scenario names. */
static bool file_as_pem(char path[SIM_PATH], const char *kind, const char *label, char error[SIM_HOME_ERROR])
{
	uint8_t bytes[PART_MAX];
	char dir[SIM_PATH], from[SIM_PATH];
	size_t length;
	const char *slash = strrchr(path, '/');
	if (path[0] == 0)
		return true;
	snprintf(from, sizeof from, "%s", path);
	snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	if (!read_file(dir, slash ? slash + 1 : from, bytes, sizeof bytes, &length))
		return complain(error, dir, slash ? slash + 1 : from);
	bool good = length == 0 || bytes[0] != 0x30 ||
		    (make_pem_folder(dir, error) &&
		     put_pem(dir, sim_cups_crc(bytes, length), kind, label, bytes, length, path, error));
	explicit_bzero(bytes, sizeof bytes);
	return good;
}

bool sim_home_files(struct sim_scenario_tls *tls, char error[SIM_HOME_ERROR])
{
	return file_as_pem(tls->trust, "trust", "CERTIFICATE", error) &&
	       file_as_pem(tls->certificate, "crt", "CERTIFICATE", error) &&
	       file_as_pem(tls->key, "key", "EC PRIVATE KEY", error);
}
