#include "simulator/station_cups.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/crypto/x509.h"

#include <stdio.h>
#include <string.h>

const char *sim_cups_which_name(enum sim_cups_which which)
{
	static const char *const names[SIM_CUPS_SETS] = {"", "-bak", "-boot"};
	return which < SIM_CUPS_SETS ? names[which] : "unknown";
}

const char *sim_cups_result_name(enum sim_cups_result result)
{
	static const char *const names[SIM_CUPS_RESULT_COUNT] = {"unchanged", "changed",   "refused",
								 "unreached", "malformed", "bad_credentials",
								 "bad_uri",   "unsigned"};
	return result < SIM_CUPS_RESULT_COUNT ? names[result] : "unknown";
}

uint32_t sim_cups_crc(const uint8_t *bytes, size_t length)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320 & (0 - (crc & 1)));
	}
	return length == 0 ? 0 : ~crc;
}

/* --- credentials --- */

/* The length of the DER element in front; 0: none that fits. A station reads any length above 127 as two bytes of length. */
static size_t der_length(const uint8_t *bytes, size_t length)
{
	struct rd rd = rd_init(bytes, length);
	if (rd_u8(&rd) != 0x30)
		return 0;
	size_t inside = rd_u8(&rd);
	size_t head = 2;
	if (inside > 127) {
		inside = (size_t)rd_u8(&rd) << 8;
		inside |= rd_u8(&rd);
		head = 4;
	}
	return rd_ok(&rd) && head + inside <= length ? head + inside : 0;
}

bool sim_cups_split(const uint8_t *bytes, size_t length, struct sim_cups_parts *parts)
{
	struct sim_cups_parts read = {.trust = bytes};
	read.trust_length = der_length(bytes, length);
	if (read.trust_length == 0)
		return false;
	size_t at = read.trust_length;
	read.certificate = bytes + at;
	read.certificate_length = der_length(bytes + at, length - at);
	if (read.certificate_length == 0) {
		static const uint8_t none[4];
		if (length - at < 4 || memcmp(bytes + at, none, 4) != 0)
			return false;
		at += 4;
	} else {
		at += read.certificate_length;
	}
	read.key = bytes + at;
	read.key_length = der_length(bytes + at, length - at);
	read.is_header = read.key_length == 0 && length > at && bytes[at] != 0x30;
	if (read.is_header)
		read.key_length = length - at;
	if (at + read.key_length != length ||
	    (read.certificate_length > 0) != (read.key_length > 0 && !read.is_header))
		return false;
	*parts = read;
	return true;
}

/* --- the question --- */

void sim_cups_init(struct sim_cups *cups, const struct lw_eui64 *eui)
{
	cups->eui = *eui;
	cups->which = SIM_CUPS_REG;
	while (cups->which < SIM_CUPS_BOOT && cups->cups[cups->which].uri[0] == 0)
		cups->which++;
	cups->next_us = 0;
}

static void quoted(struct wr *wr, const char *name, const char *value)
{
	char text[300];
	int length = value[0] != 0 ? snprintf(text, sizeof text, "\"%s\":\"%s\",", name, value)
				   : snprintf(text, sizeof text, "\"%s\":null,", name);
	wr_copy(wr, (const uint8_t *)text, (size_t)length);
}

size_t sim_cups_question(struct sim_cups *cups, char *text, size_t capacity)
{
	const struct sim_cups_set *own = &cups->cups[cups->which], *tc = &cups->tc[SIM_CUPS_REG];
	const uint8_t *eui = cups->eui.bytes;
	struct wr wr = wr_init((uint8_t *)text, capacity);
	char part[200];
	int length = snprintf(part, sizeof part, "{\"router\":\"%x:%x:%x:%x\",",
			      (unsigned)eui[0] << 8 | eui[1], (unsigned)eui[2] << 8 | eui[3],
			      (unsigned)eui[4] << 8 | eui[5], (unsigned)eui[6] << 8 | eui[7]);
	wr_copy(&wr, (const uint8_t *)part, (size_t)length);
	quoted(&wr, "cupsUri", own->uri);
	quoted(&wr, "tcUri", tc->uri);
	length = snprintf(
		part, sizeof part,
		"\"cupsCredCrc\":%u,\"tcCredCrc\":%u,\"station\":\"2.0.6(sim) 2026-11-21 06:32:40\","
		"\"model\":\"simulated\",",
		sim_cups_crc(own->bytes, own->length), sim_cups_crc(tc->bytes, tc->length));
	wr_copy(&wr, (const uint8_t *)part, (size_t)length);
	quoted(&wr, "package", cups->package);
	wr_copy(&wr, (const uint8_t *)"\"keys\":[", 8);
	for (size_t i = 0; i < cups->key_count; i++) {
		length = snprintf(part, sizeof part, "%s%u", i ? "," : "", sim_cups_crc(cups->keys[i], 64));
		wr_copy(&wr, (const uint8_t *)part, (size_t)length);
	}
	wr_copy(&wr, (const uint8_t *)"]}", 2);
	ASSERT(wr_ok(&wr));
	cups->counters.asked++;
	return wr_length(&wr);
}

/* --- the answer --- */

static bool uri_fits(const uint8_t *uri, size_t length, const char *scheme)
{
	return length <= SIM_STATION_URI_MAX && length > strlen(scheme) &&
	       memcmp(uri, scheme, strlen(scheme)) == 0 && memchr(uri, 0, length) == NULL;
}

static bool is_signed(const struct sim_cups *cups, const struct sim_cups_answer *answer)
{
	bool good = cups->key_count == 0;
	for (size_t i = 0; i < cups->key_count && !good && answer->signature_length > 0; i++) {
		uint8_t digest[X509_SHA512_BYTES];
		if (sim_cups_crc(cups->keys[i], 64) != answer->key_crc)
			continue;
		struct x509_key *key = x509_key_from_point(cups->keys[i]);
		struct x509_sha512 *sha = x509_sha512_new();
		ASSERT(sha != NULL);
		x509_sha512_add(sha, answer->update, answer->update_length);
		x509_sha512_digest(sha, digest);
		x509_sha512_free(sha);
		good = key != NULL && x509_verify(key, digest, answer->signature, answer->signature_length);
		x509_key_free(key);
	}
	return good;
}

static enum sim_cups_result judge(const struct sim_cups *cups, const struct sim_cups_answer *answer)
{
	struct sim_cups_parts parts;
	const uint8_t *sets[] = {answer->cups_credentials, answer->tc_credentials};
	const size_t lengths[] = {answer->cups_credentials_length, answer->tc_credentials_length};
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (lengths[i] > SIM_CUPS_CREDENTIALS_MAX ||
		    (lengths[i] > 0 && !sim_cups_split(sets[i], lengths[i], &parts)))
			return SIM_CUPS_BAD_CREDENTIALS;
	if ((answer->cups_uri_length > 0 && !uri_fits(answer->cups_uri, answer->cups_uri_length, "http")) ||
	    (answer->tc_uri_length > 0 && !uri_fits(answer->tc_uri, answer->tc_uri_length, "ws")))
		return SIM_CUPS_BAD_URI;
	if (answer->update_length > 0 && !is_signed(cups, answer))
		return SIM_CUPS_UNSIGNED;
	bool nothing = answer->cups_uri_length + answer->tc_uri_length + lengths[0] + lengths[1] +
			       answer->update_length ==
		       0;
	return nothing ? SIM_CUPS_UNCHANGED : SIM_CUPS_CHANGED;
}

static void take_over(struct sim_cups *cups, struct sim_cups_set sets[SIM_CUPS_SETS], const uint8_t *uri,
		      size_t uri_length, const uint8_t *credentials, size_t length)
{
	struct sim_cups_set *reg = &sets[SIM_CUPS_REG];
	if (uri_length + length == 0)
		return;
	if (reg->uri[0] != 0)
		sets[SIM_CUPS_BAK] = *reg;
	if (uri_length > 0 && uri_length < sizeof reg->uri) {
		memcpy(reg->uri, uri, uri_length);
		reg->uri[uri_length] = 0;
		cups->counters.uris++;
	}
	if (length > 0) {
		struct sim_cups_parts parts;
		ASSERT(sim_cups_split(credentials, length, &parts));
		memcpy(reg->bytes, credentials, length);
		reg->length = length;
		reg->trust_length = parts.trust_length;
		reg->certificate_length = parts.certificate_length;
		reg->key_length = parts.key_length;
		cups->counters.credentials++;
	}
}

/* A set that was used to good effect becomes the regular one. */
static void promote(struct sim_cups *cups)
{
	if (cups->which != SIM_CUPS_REG)
		cups->cups[SIM_CUPS_REG] = cups->cups[cups->which];
	cups->which = SIM_CUPS_REG;
}

/* The word of a first line "version WORD". */
static bool named(const struct sim_cups_answer *answer, char *name, size_t capacity)
{
	static const char head[] = "version ";
	struct rd rd = rd_init(answer->update, answer->update_length);
	size_t length = 0;
	const uint8_t *first = rd_take(&rd, sizeof head - 1);
	if (!rd_ok(&rd) || memcmp(first, head, sizeof head - 1) != 0)
		return false;
	char word[64];
	for (uint8_t byte = rd_u8(&rd); rd_ok(&rd) && byte != '\n'; byte = rd_u8(&rd)) {
		if (byte <= ' ' || byte > '~' || byte == '"' || byte == '\\' || length + 1 >= sizeof word)
			return false;
		word[length++] = (char)byte;
	}
	if (!rd_ok(&rd) || length == 0)
		return false;
	snprintf(name, capacity, "%.*s", (int)length, word);
	return true;
}

static void install(struct sim_cups *cups, const struct sim_cups_answer *answer)
{
	if (answer->update_length == 0)
		return;
	if (!named(answer, cups->package, sizeof cups->package))
		snprintf(cups->package, sizeof cups->package, "%08x",
			 sim_cups_crc(answer->update, answer->update_length));
	cups->counters.firmwares++;
}

enum sim_cups_result sim_cups_answered(struct sim_cups *cups, int64_t now_us, int code, const uint8_t *body,
				       size_t length)
{
	struct sim_cups_answer answer = {0};
	enum sim_cups_result result = code == 0 ? SIM_CUPS_UNREACHED : SIM_CUPS_REFUSED;
	if (code == 200)
		result = sim_cups_parse(body, length, &answer) == SIM_STATION_OK ? judge(cups, &answer)
										 : SIM_CUPS_MALFORMED;
	bool good = result == SIM_CUPS_UNCHANGED || result == SIM_CUPS_CHANGED;
	cups->counters.result[result]++;
	cups->next_us = now_us + (good ? SIM_CUPS_RESYNC_US : SIM_CUPS_RETRY_US);
	if (good) {
		promote(cups);
		take_over(cups, cups->cups, answer.cups_uri, answer.cups_uri_length, answer.cups_credentials,
			  answer.cups_credentials_length);
		take_over(cups, cups->tc, answer.tc_uri, answer.tc_uri_length, answer.tc_credentials,
			  answer.tc_credentials_length);
		install(cups, &answer);
	} else if (result == SIM_CUPS_REFUSED || result == SIM_CUPS_UNREACHED) {
		/* The next set that there is, around. */
		do {
			cups->which = (enum sim_cups_which)((cups->which + 1) % SIM_CUPS_SETS);
		} while (cups->cups[cups->which].uri[0] == 0 && cups->which != SIM_CUPS_REG);
	}
	return result;
}
