#include "application-server/alarms/mail_text.h"

#include "application-server/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE 76

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));
	return text ? text : "";
}

/* --- the subject --------------------------------------------------------------------------------------------- */

static const char *mark_of(const json_t *alarm)
{
	static const struct {
		const char *severity, *mark;
	} marks[] = {{"critical", "CRITICAL"}, {"warning", "WARNING"}, {"notice", "NOTICE"}};
	const char *what = text_of(alarm, "what"), *severity = text_of(alarm, "severity");
	if (strcmp(what, "cleared") == 0)
		return "CLEARED";
	if (strcmp(what, "came_and_went") == 0)
		return "CAME AND WENT";
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (strcmp(severity, marks[i].severity) == 0)
			return marks[i].mark;
	return "ALARM";
}

const char *as_mail_subject(char text[AS_MAIL_SUBJECT], const json_t *message)
{
	const json_t *list = json_object_get(message, "alarms"), *first = json_array_get(list, 0);
	size_t count = json_array_size(list);
	json_int_t more = json_integer_value(json_object_get(message, "more"));
	const char *test = json_is_true(json_object_get(message, "test")) ? "test: " : "";
	if (!first)
		snprintf(text, AS_MAIL_SUBJECT, "[lamppost] a test: alarms reach you this way");
	else if (count == 1 && more == 0)
		snprintf(text, AS_MAIL_SUBJECT, "[lamppost] %s%s: %s: %s", test, mark_of(first),
			 text_of(first, "title"), text_of(first, "name"));
	else
		snprintf(text, AS_MAIL_SUBJECT, "[lamppost] %s%s: %s: %s, and %" PRIu64 " more%s", test,
			 mark_of(first), text_of(first, "title"), text_of(first, "name"),
			 (uint64_t)count - 1 + (uint64_t)more,
			 json_is_true(json_object_get(message, "digest")) ? " (after quiet time)" : "");
	return text;
}

/* --- heads --------------------------------------------------------------------------------------------------- */

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			return false;
	return true;
}

/* One head whose text may be UTF-8: then as words of RFC 2047, in pieces that do not cut a letter. */
static void put_head(FILE *out, const char *name, const char *text)
{
	if (is_plain(text)) {
		fprintf(out, "%s: %s\r\n", name, text);
		return;
	}
	fprintf(out, "%s:", name);
	while (*text) {
		size_t take = strlen(text);
		if (take > 18) {
			take = 18;
			while (take > 12 && ((unsigned char)text[take] & 0xc0) == 0x80)
				take--;
		}
		fputs(" =?utf-8?q?", out);
		for (size_t i = 0; i < take; i++) {
			unsigned char byte = (unsigned char)text[i];
			if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
			    (byte >= 'a' && byte <= 'z'))
				fputc(byte, out);
			else
				fprintf(out, "=%02X", byte < ' ' ? '?' : byte);
		}
		fputs("?=", out);
		text += take;
		fputs(*text ? "\r\n" : "", out);
	}
	fputs("\r\n", out);
}

/* RFC 5322: "Sun, 22 Nov 2026 03:12:00 +0100". */
static void put_date(FILE *out, const struct as_mail_frame *frame)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int offset = as_zone_offset(frame->zone, frame->now);
	time_t local = (time_t)(frame->now.us / US_PER_S + offset);
	struct tm parts = {0};
	gmtime_r(&local, &parts);
	int minutes = (offset < 0 ? -offset : offset) / 60;
	fprintf(out, "Date: %s, %d %s %d %02d:%02d:%02d %c%02d%02d\r\n", days[parts.tm_wday], parts.tm_mday,
		months[parts.tm_mon], 1900 + parts.tm_year, parts.tm_hour, parts.tm_min, parts.tm_sec,
		offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/* --- the body ------------------------------------------------------------------------------------------------ */

/* Local time as people write it: "2026-11-22 03:12 +01:00". */
static void put_time(FILE *out, const struct as_zone *zone, const char *text)
{
	struct wall time;
	if (!as_time_parse(text, &time))
		return;
	int offset = as_zone_offset(zone, time), minutes = (offset < 0 ? -offset : offset) / 60;
	time_t local = (time_t)(time.us / US_PER_S + offset);
	struct tm parts = {0};
	gmtime_r(&local, &parts);
	fprintf(out, "%04d-%02d-%02d %02d:%02d %c%02d:%02d", 1900 + parts.tm_year, parts.tm_mon + 1,
		parts.tm_mday, parts.tm_hour, parts.tm_min, offset < 0 ? '-' : '+', minutes / 60,
		minutes % 60);
}

/* A label and a text behind it, broken at blanks and hanging under its first word. Control characters become blanks. */
static void put_text(FILE *out, const char *label, const char *text)
{
	size_t column = (size_t)fprintf(out, "  %-7s", label);
	size_t start = column;
	while (*text) {
		text += strspn(text, " \t\r\n");
		size_t word = strcspn(text, " \t\r\n");
		if (word == 0)
			break;
		if (column > start && column + 1 + word > LINE) {
			fprintf(out, "\r\n%*s", (int)start, "");
			column = start;
		} else if (column > start) {
			fputc(' ', out);
			column++;
		}
		for (size_t i = 0; i < word; i++)
			fputc((unsigned char)text[i] < ' ' ? '?' : text[i], out);
		column += word;
		text += word;
	}
	fputs("\r\n", out);
}

static void put_alarm(FILE *out, const struct as_zone *zone, const json_t *alarm)
{
	const char *what = text_of(alarm, "what");
	bool over = strcmp(text_of(alarm, "state"), "cleared") == 0;
	fprintf(out, "%s  %s\r\n", mark_of(alarm), text_of(alarm, "title"));
	put_text(out, over ? "Was:" : "What:", text_of(alarm, "sentence"));
	fputs("  Since: ", out);
	put_time(out, zone, text_of(alarm, "since"));
	if (over) {
		fputs("\r\n  Until: ", out);
		put_time(out, zone, text_of(alarm, "cleared"));
	}
	if (json_integer_value(json_object_get(alarm, "times")) > 1)
		fprintf(out, "  (%" JSON_INTEGER_FORMAT " times within a day)",
			json_integer_value(json_object_get(alarm, "times")));
	if (strcmp(what, "still") == 0)
		fputs("  still so, and nobody has taken it on", out);
	fputs("\r\n", out);
	if (!over) {
		const json_t *commands = json_object_get(alarm, "commands"), *command;
		size_t i;
		put_text(out, "Cause:", text_of(alarm, "cause"));
		put_text(out, "Do:", text_of(alarm, "next"));
		json_array_foreach(commands, i, command)
		{
			fprintf(out, "  %-7s%s\r\n", i ? "" : "See:", json_string_value(command));
		}
		fprintf(out, "  %-7slamppost alarm ack %" JSON_INTEGER_FORMAT "\r\n",
			"Mine:", json_integer_value(json_object_get(alarm, "id")));
	}
	fputs("\r\n", out);
}

static void put_body(FILE *out, const struct as_mail_frame *frame, const json_t *message)
{
	const json_t *list = json_object_get(message, "alarms"), *open = json_object_get(message, "open");
	const json_t *alarm;
	size_t i;
	if (json_is_true(json_object_get(message, "test")))
		fputs("This is a test: alarms of your network reach you this way.\r\n\r\n", out);
	if (json_is_true(json_object_get(message, "digest")))
		fputs("The quiet time is over. This is what is so now, and what came and went "
		      "meanwhile.\r\n\r\n",
		      out);
	json_array_foreach(list, i, alarm)
	{
		put_alarm(out, frame->zone, alarm);
	}
	json_int_t more = json_integer_value(json_object_get(message, "more"));
	if (more)
		fprintf(out, "%" JSON_INTEGER_FORMAT " more follow in the next message.\r\n\r\n", more);
	fprintf(out,
		"Open now: %" JSON_INTEGER_FORMAT " critical, %" JSON_INTEGER_FORMAT
		" warnings, %" JSON_INTEGER_FORMAT " notices; %" JSON_INTEGER_FORMAT
		" taken on.\r\nAll of them: lamppost alarm list\r\n",
		json_integer_value(json_object_get(open, "critical")),
		json_integer_value(json_object_get(open, "warning")),
		json_integer_value(json_object_get(open, "notice")),
		json_integer_value(json_object_get(open, "acknowledged")));
}

char *as_mail_text(const struct as_mail_frame *frame, const json_t *message, size_t *length)
{
	char *text = NULL, subject[AS_MAIL_SUBJECT];
	FILE *out = open_memstream(&text, length);
	if (!out)
		return NULL;
	put_date(out, frame);
	fprintf(out, "From: Lamppost <%s>\r\nTo: %s\r\n", frame->from, frame->to);
	put_head(out, "Subject", as_mail_subject(subject, message));
	fprintf(out, "Message-ID: <%s@%s>\r\n", text_of(message, "id"), frame->domain);
	fputs("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	      "Content-Transfer-Encoding: 8bit\r\nAuto-Submitted: auto-generated\r\n\r\n",
	      out);
	put_body(out, frame, message);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
