#include "common/io/mail.h"

#include "common/base/check.h"
#include "common/io/offload.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT (60 * US_PER_S)

/* What the thread has: all its own. */
struct job {
	char url[300], from[260], ca_file[300];
	char username[260], password[260];
	enum io_mail_security security;
	struct curl_slist *to;
	char *text;
	size_t length, sent;
	long timeout_ms;
	CURLcode code;
	long reply; /* of the server, the last */
	char reason[CURL_ERROR_SIZE];
};

struct io_mail_call {
	struct job *job;
	struct io_offload *offload;
	void (*on_done)(void *ctx, struct now now, const struct io_mail_answer *answer);
	void *ctx;
};

static void free_job(void *ctx)
{
	struct job *job = ctx;
	curl_slist_free_all(job->to);
	free(job->text);
	explicit_bzero(job, sizeof *job);
	free(job);
	curl_global_cleanup();
}

static size_t on_read(char *buffer, size_t size, size_t count, void *ctx)
{
	struct job *job = ctx;
	size_t take = size * count;
	if (take > job->length - job->sent)
		take = job->length - job->sent;
	memcpy(buffer, job->text + job->sent, take);
	job->sent += take;
	return take;
}

static void work(void *ctx)
{
	struct job *job = ctx;
	CURL *easy = curl_easy_init();
	job->code = CURLE_OUT_OF_MEMORY;
	if (!easy)
		return;
	curl_easy_setopt(easy, CURLOPT_URL, job->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_USE_SSL,
			 job->security == IO_MAIL_CLEAR ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (*job->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, job->ca_file);
	if (*job->username) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, job->username);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, job->password);
	}
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, job->from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, job->to);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, job);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)job->length);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, job->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->reason);
	job->code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &job->reply);
	curl_easy_cleanup(easy);
}

static enum status status_of(const struct job *job)
{
	switch (job->code) {
	case CURLE_OK: return ST_OK;
	case CURLE_OPERATION_TIMEDOUT: return ST_TIMEOUT;
	case CURLE_OUT_OF_MEMORY: return ST_NO_MEMORY;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_USE_SSL_FAILED:
	case CURLE_LOGIN_DENIED: return ST_REFUSED;
	default: return job->reply >= 500 ? ST_REFUSED : ST_UNAVAILABLE;
	}
}

static void done(void *ctx, struct now now)
{
	struct io_mail_call *call = ctx;
	const struct job *job = call->job;
	char reason[IO_MAIL_REASON] = "";
	if (job->code != CURLE_OK && job->reply >= 400)
		snprintf(reason, sizeof reason, "the server answered %ld", job->reply);
	else if (job->code != CURLE_OK)
		snprintf(reason, sizeof reason, "%.180s",
			 job->reason[0] ? job->reason : curl_easy_strerror(job->code));
	const struct io_mail_answer answer = {.status = status_of(job), .reason = reason};
	call->on_done(call->ctx, now, &answer);
	free_job(call->job);
	free(call);
}

static void copy(char *out, size_t capacity, const char *text)
{
	snprintf(out, capacity, "%s", text ? text : "");
}

struct io_mail_call *io_mail_send(struct io_loop *loop, const struct io_mail *mail)
{
	struct io_mail_call *call = calloc(1, sizeof *call);
	struct job *job = calloc(1, sizeof *job);
	ASSERT(call && job && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	snprintf(job->url, sizeof job->url, "%s://%s:%u/", mail->security == IO_MAIL_TLS ? "smtps" : "smtp",
		 mail->host, mail->port);
	snprintf(job->from, sizeof job->from, "<%s>", mail->from);
	copy(job->ca_file, sizeof job->ca_file, mail->ca_file);
	copy(job->username, sizeof job->username, mail->username);
	copy(job->password, sizeof job->password, mail->password);
	job->security = mail->security;
	for (size_t i = 0; i < IO_MAIL_RECIPIENTS && mail->to[i]; i++) {
		char address[260];
		snprintf(address, sizeof address, "<%s>", mail->to[i]);
		job->to = curl_slist_append(job->to, address);
	}
	job->text = malloc(mail->length + 1);
	ASSERT(job->text);
	memcpy(job->text, mail->text, mail->length);
	job->length = mail->length;
	job->timeout_ms = (long)((mail->timeout > 0 ? mail->timeout : TIMEOUT) / US_PER_MS);
	*call = (struct io_mail_call){.job = job, .on_done = mail->on_done, .ctx = mail->ctx};
	const struct io_offload_options options = {
		.work = work, .done = done, .discard = free_job, .job = job, .ctx = call};
	call->offload = io_offload_start(loop, &options);
	if (!call->offload) {
		free_job(job);
		free(call);
		return NULL;
	}
	return call;
}

void io_mail_abandon(struct io_mail_call *call)
{
	if (!call)
		return;
	io_offload_abandon(call->offload);
	free(call);
}
