#include "common/text/manual.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE 78

/* A line that begins with a dot or a quote would be a request; a hyphen is one to copy; a backslash begins an escape. */
static void put(FILE *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool begins = i == 0 || text[i - 1] == '\n';
		if (begins && (text[i] == '.' || text[i] == '\''))
			fputs("\\&", out);
		if (text[i] == '\\')
			fputs("\\e", out);
		else if (text[i] == '-')
			fputs("\\-", out);
		else if (text[i] == '\'')
			fputs("\\(aq", out);
		else if (text[i] == '`')
			fputs("\\(ga", out);
		else if (text[i] == '^')
			fputs("\\(ha", out);
		else if (text[i] == '~')
			fputs("\\(ti", out);
		else
			fputc(text[i], out);
	}
}

static void date(char text[16])
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t now = epoch ? (time_t)strtoll(epoch, NULL, 10) : 0;
	struct tm parts = {0};
	if (!gmtime_r(&now, &parts) || strftime(text, 16, "%Y-%m-%d", &parts) == 0)
		snprintf(text, 16, "1970-01-01");
}

void manual_head(FILE *out, const char *name, int section, const char *summary)
{
	char day[16];
	date(day);
	fprintf(out, ".TH ");
	for (const char *at = name; *at; at++)
		fputc(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at, out);
	fprintf(out, " %d %s \"Lamppost %s\" \"Lamppost\"\n.SH NAME\n", section, day, LAMPPOST_VERSION);
	put(out, name, strlen(name));
	fputs(" \\- ", out);
	put(out, summary, strlen(summary));
	fputc('\n', out);
}

void manual_section(FILE *out, const char *title)
{
	fprintf(out, ".SH %s\n", title);
}

void manual_subsection(FILE *out, const char *title)
{
	fputs(".SS ", out);
	put(out, title, strlen(title));
	fputc('\n', out);
}

/* One paragraph in lines that an editor can show: broken at blanks. */
static void put_filled(FILE *out, const char *text, size_t length)
{
	size_t column = 0;
	const char *end = text + length, *at = text;
	/* A row's help is one line that begins small. */
	if (length > 1 && at[0] >= 'a' && at[0] <= 'z' && ((at[1] >= 'a' && at[1] <= 'z') || at[1] == ' ')) {
		fputc(at[0] - 'a' + 'A', out);
		at++;
		column = 1;
		size_t rest = strcspn(at, " \n");
		rest = rest < (size_t)(end - at) ? rest : (size_t)(end - at);
		put(out, at, rest);
		column += rest;
		at += rest;
		at += at < end ? strspn(at, " \n") : 0;
	}
	while (at < end) {
		size_t word = strcspn(at, " \n");
		if (word > (size_t)(end - at))
			word = (size_t)(end - at);
		if (column && column + word + 1 > LINE) {
			fputc('\n', out);
			column = 0;
		} else if (column) {
			fputc(' ', out);
			column++;
		}
		/* At the start of a line a dot or a quote is a request. */
		if (column == 0)
			put(out, at, word);
		else {
			char first[2] = {at[0], '\0'};
			if (first[0] == '.' && word > 0) {
				fputc('.', out);
				put(out, at + 1, word - 1);
			} else
				put(out, at, word);
		}
		column += word;
		at += word;
		at += strspn(at, " \n");
	}
	if (length && !strchr(".?!:", end[-1]))
		fputc('.', out);
	fputc('\n', out);
}

/* `between`: the macro that begins a further paragraph, as deep as the first. */
static void put_paragraphs(FILE *out, const char *text, const char *between)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t length = end ? (size_t)(end - text) : strlen(text);
		put_filled(out, text, length);
		text += length;
		text += strspn(text, "\n");
		if (*text)
			fputs(between, out);
	}
}

void manual_text(FILE *out, const char *text)
{
	put_paragraphs(out, text, ".PP\n");
}

void manual_paragraph(FILE *out, const char *text)
{
	fputs(".PP\n", out);
	put_paragraphs(out, text, ".PP\n");
}

void manual_item(FILE *out, const char *term, const char *text)
{
	fputs(".TP\n.B ", out);
	put(out, term, strlen(term));
	fputc('\n', out);
	put_paragraphs(out, text, ".IP\n");
}

void manual_lines(FILE *out, const char *text)
{
	fputs(".PP\n.RS 4\n.nf\n", out);
	put(out, text, strlen(text));
	fputs(".fi\n.RE\n", out);
}

void manual_see_also(FILE *out, const char *pages)
{
	manual_section(out, "SEE ALSO");
	while (*pages) {
		size_t length = strcspn(pages, " ");
		size_t name = strcspn(pages, "(");
		fputs(".BR ", out);
		put(out, pages, name);
		fputc(' ', out);
		put(out, pages + name, length - name);
		pages += length;
		pages += strspn(pages, " ");
		fputs(*pages ? " ,\n" : "\n", out);
	}
}

/* --- a process ------------------------------------------------------------------------------------------------------ */

void manual_options(FILE *out, const struct option *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char expect[OPTION_EXPECT_MAX], text[2048];
		const char *fallback = rows[i].fallback;
		option_expect(&rows[i], expect);
		snprintf(text, sizeof text, "%s\n\n%c%s. Default: %s. %s", rows[i].help,
			 expect[0] - 'a' + 'A', expect + 1, fallback && *fallback ? fallback : "none",
			 rows[i].reload ? "A running process takes a change over at SIGHUP."
					: "A change needs a restart.");
		manual_item(out, rows[i].key, text);
	}
}

void manual_program(FILE *out, const struct config_program *program)
{
	static const struct {
		const char *term, *text;
	} variables[] = {{"LAMPPOST_CONFIG", "The configuration, where -c is not given."},
			 {"LAMPPOST_STATE", "Takes the place of state_dir."},
			 {"LAMPPOST_RUN", "Takes the place of run_dir."}},
	  signals[] = {{"SIGTERM, SIGINT", "Stops it in order: what was begun is finished and stored."},
		       {"SIGHUP",
			"Has it read the configuration again. What may change while running is taken over; "
			"the rest waits for a restart, which /healthz then says."}},
	  exits[] = {{"0", "It was stopped."},
		     {"1", "It failed."},
		     {"2", "Usage, or a configuration that cannot be used."}};
	char summary[200], text[300];
	size_t length = strlen(program->summary);
	snprintf(summary, sizeof summary, "%s", program->summary);
	if (length && length < sizeof summary && summary[length - 1] == '.')
		summary[length - 1] = '\0';
	manual_head(out, program->name, 8, summary);
	manual_section(out, "SYNOPSIS");
	snprintf(text, sizeof text, "%s [-c FILE] [--check-config | --print-config | --version | --help]\n",
		 program->name);
	fputs(".B ", out);
	put(out, text, strlen(text));
	manual_section(out, "DESCRIPTION");
	manual_text(out, program->summary);
	snprintf(text, sizeof text,
		 "It is one of the processes of a Lamppost network; lamppost up starts them all. Its own "
		 "state is told "
		 "by RUN/%s.admin.sock: GET /healthz and GET /metrics (HTTP).",
		 program->name);
	manual_paragraph(out, text);
	manual_section(out, "OPTIONS");
	for (size_t i = 0; i < config_word_count; i++)
		manual_item(out, config_words[i].term, config_words[i].help);
	manual_section(out, "CONFIGURATION");
	snprintf(text, sizeof text,
		 "The keys of the section %s of lamppost.yaml; those of common, which every process reads, "
		 "are in "
		 "lamppost.yaml(5).",
		 program->name);
	manual_text(out, text);
	manual_options(out, program->rows, program->row_count);
	manual_section(out, "SIGNALS");
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		manual_item(out, signals[i].term, signals[i].text);
	manual_section(out, "EXIT STATUS");
	for (size_t i = 0; i < ARRAY_SIZE(exits); i++)
		manual_item(out, exits[i].term, exits[i].text);
	manual_section(out, "ENVIRONMENT");
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		manual_item(out, variables[i].term, variables[i].text);
	manual_section(out, "FILES");
	manual_item(out, CONFIG_DEFAULT_FILE, "The configuration, where none is named.");
	manual_see_also(out, "lamppost(1) lamppost.yaml(5)");
}
