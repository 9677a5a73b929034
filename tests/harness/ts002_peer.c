#include "tests/harness/ts002_peer.h"

#include "common/base/check.h"
#include "tests/harness/process.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void run(const struct t_process_options *options)
{
	struct t_process *process = t_process_start(options);
	int code = t_process_wait(process);
	char log[4096];
	if (code != 0)
		fputs(t_process_log(process, log, sizeof log), stderr);
	ASSERT_CMP(code, ==, 0);
	t_process_free(process);
}

void t_tls_authority(const char *dir, const char *name)
{
	char key[64], certificate[64], subject[80];
	snprintf(key, sizeof key, "%s.key", name);
	snprintf(certificate, sizeof certificate, "%s.crt", name);
	snprintf(subject, sizeof subject, "/CN=%s", name);
	run(&(struct t_process_options){.program = "/usr/bin/openssl",
					.arguments = {"req", "-x509", "-newkey", "ec", "-pkeyopt",
						      "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
						      "-subj", subject, "-keyout", key, "-out", certificate},
					.dir = dir,
					.name = "openssl"});
}

void t_tls_certificate(const char *dir, const char *authority, const char *name)
{
	char key[64], certificate[64], subject[80], ca[64], ca_key[64];
	snprintf(key, sizeof key, "%s.key", name);
	snprintf(certificate, sizeof certificate, "%s.crt", name);
	snprintf(subject, sizeof subject, "/CN=%s", name);
	snprintf(ca, sizeof ca, "%s.crt", authority);
	snprintf(ca_key, sizeof ca_key, "%s.key", authority);
	run(&(struct t_process_options){.program = "/usr/bin/openssl",
					.arguments = {"req",
						      "-x509",
						      "-newkey",
						      "ec",
						      "-pkeyopt",
						      "ec_paramgen_curve:P-256",
						      "-nodes",
						      "-days",
						      "30",
						      "-subj",
						      subject,
						      "-CA",
						      ca,
						      "-CAkey",
						      ca_key,
						      "-addext",
						      "subjectAltName=IP:127.0.0.1",
						      "-keyout",
						      key,
						      "-out",
						      certificate},
					.dir = dir,
					.name = "openssl"});
}

void t_tls_fingerprint(const char *dir, const char *name, char text[100])
{
	char certificate[64], out[T_DIR_MAX + 64], line[128] = "";
	snprintf(certificate, sizeof certificate, "%s.crt", name);
	run(&(struct t_process_options){
		.program = "/usr/bin/openssl",
		.arguments = {"x509", "-noout", "-fingerprint", "-sha256", "-in", certificate},
		.dir = dir,
		.name = "fingerprint"});
	snprintf(out, sizeof out, "%s/fingerprint.log", dir);
	FILE *file = fopen(out, "re");
	ASSERT(file && fgets(line, sizeof line, file));
	fclose(file);
	const char *equals = strchr(line, '=');
	ASSERT(equals);
	snprintf(text, 100, "%.95s", equals + 1);
}

struct gathered {
	char *text;
	size_t length, capacity;
};

static size_t gather(char *bytes, size_t size, size_t count, void *ctx)
{
	struct gathered *to = ctx;
	size_t length = size * count, room = to->capacity - 1 - to->length;
	size_t taken = length < room ? length : room;
	memcpy(to->text + to->length, bytes, taken);
	to->length += taken;
	to->text[to->length] = '\0';
	return length;
}

int t_tls_post(const char *dir, const char *authority, const char *name, const char *url, const char *body,
	       char *answer, size_t capacity)
{
	char ca[T_DIR_MAX + 64], certificate[T_DIR_MAX + 64], key[T_DIR_MAX + 64];
	struct gathered gathered = {answer, 0, capacity};
	long code = 0;
	answer[0] = '\0';
	snprintf(ca, sizeof ca, "%s/%s.crt", dir, authority);
	snprintf(certificate, sizeof certificate, "%s/%s.crt", dir, name ? name : "");
	snprintf(key, sizeof key, "%s/%s.key", dir, name ? name : "");
	CURL *easy = curl_easy_init();
	ASSERT(easy);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
	if (name) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, certificate);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, key);
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, gather);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &gathered);
	if (curl_easy_perform(easy) == CURLE_OK)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	curl_slist_free_all(headers);
	curl_easy_cleanup(easy);
	return (int)code;
}

int t_idle_from(const char *from, uint16_t port)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	struct sockaddr_in there = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT(fd >= 0 && inet_pton(AF_INET, from, &own.sin_addr) == 1);
	ASSERT(bind(fd, (struct sockaddr *)&own, sizeof own) == 0);
	ASSERT(connect(fd, (struct sockaddr *)&there, sizeof there) == 0);
	return fd;
}
