/* The script of zsh: the same table as bash's with what each word means, and the function that reads the line. It works as a
 * file of $fpath and when it is sourced. */
#include "cli/completion.h"
#include "cli/value_word.h"

#include <string.h>

static const char begin[] = "#compdef lamppost\n"
			    "# zsh completion of lamppost; made by `lamppost completion zsh`.\n"
			    "\n"
			    "# PATH: what may follow these words.\n"
			    "_lamppost_row() {\n"
			    "\tnames=() options=() kinds=() operands=()\n"
			    "\tcase $1 in\n";

static const char end[] =
	"\t*) return 1 ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"# KIND: offers values.\n"
	"_lamppost_value() {\n"
	"\tcase $1 in\n"
	"\t'' | free) ;;\n"
	"\tfile) compset -P @; _files ;;\n"
	"\tdir) _files -/ ;;\n"
	"\tdevice | gateway | agency | application | profile | deployment)\n"
	"\t\tlocal -a lines found\n"
	"\t\tlines=(${(f)\"$(${words[1]} __complete ${socket:+--socket} ${socket:+$socket} -- $1 \"$PREFIX\" "
	"2>/dev/null)\"})\n"
	"\t\tfound=(${lines//:/\\\\:})\n"
	"\t\tfound=(${found/$'\\t'/:})\n"
	"\t\t_describe -t values $1 found\n"
	"\t\t;;\n"
	"\t*) compadd -- ${(s:|:)1} ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_lamppost() {\n"
	"\tlocal -a names options operands\n"
	"\tlocal -A kinds\n"
	"\tlocal at= socket= pending= word\n"
	"\tlocal -i taken=0 place=1 i\n"
	"\tif (( CURRENT > 3 )) && _lamppost_row \"$words[2] $words[3]\"; then\n"
	"\t\tat=\"$words[2] $words[3]\" taken=2\n"
	"\telif (( CURRENT > 2 )); then\n"
	"\t\tat=$words[2] taken=1\n"
	"\tfi\n"
	"\t_lamppost_row $at || return 1\n"
	"\tfor (( i = taken + 2; i < CURRENT; i++ )); do\n"
	"\t\tword=$words[i]\n"
	"\t\tif [[ -n $pending ]]; then\n"
	"\t\t\t[[ $words[i-1] != --socket ]] || socket=$word\n"
	"\t\t\tpending=\n"
	"\t\telif [[ $word == --*=* ]]; then\n"
	"\t\t\t[[ $word != --socket=* ]] || socket=${word#*=}\n"
	"\t\telif [[ $word == --* ]]; then\n"
	"\t\t\tpending=${kinds[$word]}\n"
	"\t\telse\n"
	"\t\t\tplace+=1\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ -n $pending ]]; then\n"
	"\t\t_lamppost_value $pending\n"
	"\telif [[ $words[CURRENT] == --*=* ]]; then\n"
	"\t\tpending=${kinds[${words[CURRENT]%%=*}]}\n"
	"\t\tcompset -P '*='\n"
	"\t\t_lamppost_value $pending\n"
	"\telif [[ $words[CURRENT] == -* ]]; then\n"
	"\t\t_describe -t options option options\n"
	"\telse\n"
	"\t\tif (( $#operands && place > $#operands )) && [[ $operands[-1] == *... ]]; then "
	"place=$#operands; fi\n"
	"\t\t(( ! $#names || place != 1 )) || _describe -t commands command names\n"
	"\t\t_lamppost_value ${operands[place]%...}\n"
	"\tfi\n"
	"}\n"
	"\n"
	"if [[ $funcstack[1] == _lamppost ]]; then _lamppost \"$@\"; else compdef _lamppost lamppost; fi\n";

/* 'word:what it is', quoted; a colon in the word or the text is escaped for _describe. */
static void print_described(FILE *out, const char *dashes, const char *word, const char *help)
{
	char text[600];
	size_t used = (size_t)snprintf(text, sizeof text, "%s%s:", dashes, word);
	for (const char *at = help; *at && used + 3 < sizeof text; at++) {
		if (*at == ':' || *at == '\\')
			text[used++] = '\\';
		text[used++] = *at;
	}
	text[used] = '\0';
	fputc(' ', out);
	cli_completion_quote(out, text);
}

static void print_command(const struct cli_command *command, FILE *out)
{
	struct cli_completion_option options[CLI_OPTIONS_MAX + 8];
	struct cli_operand operand;
	const char *at = command->operands;
	size_t count = cli_completion_options(command, options);
	fputs("\n\t\toperands=(", out);
	for (bool first = true; cli_operand_next(&at, &operand); first = false) {
		char kind[64];
		cli_completion_operand(command->group, operand.word, kind);
		fprintf(out, "%s'%s%s'", first ? "" : " ", *kind ? kind : "free",
			operand.repeats ? "..." : "");
	}
	fputs(")\n\t\tkinds=(", out);
	for (size_t i = 0; i < count; i++)
		if (options[i].kind)
			fprintf(out, " --%s '%s'", options[i].name, options[i].kind);
	fputs(" )\n\t\toptions=(", out);
	for (size_t i = 0; i < count; i++)
		print_described(out, "--", options[i].name, options[i].help);
	fputs(" )\n", out);
}

static void print_group(const struct cli_group *group, FILE *out)
{
	const struct cli_command *command, *itself = cli_command_named(group->name, NULL);
	fprintf(out, "\t%s)\n\t\tnames=(", group->name);
	for (size_t i = 0; (command = cli_command_of(group->name, i)); i++)
		if (command->name && !command->hidden)
			print_described(out, "", command->name, command->summary);
	fputs(" )", out);
	if (itself && !itself->hidden)
		print_command(itself, out);
	else
		fputs("\n\t\toptions=( '--help:this text' )\n", out);
	fputs("\t\t;;\n", out);
	for (size_t i = 0; (command = cli_command_of(group->name, i)); i++) {
		if (!command->name || command->hidden)
			continue;
		fprintf(out, "\t'%s %s')", group->name, command->name);
		print_command(command, out);
		fputs("\t\t;;\n", out);
	}
}

void cli_completion_zsh(FILE *out)
{
	const struct cli_group *group;
	fputs(begin, out);
	fputs("\t'')\n\t\tnames=(", out);
	for (size_t i = 0; (group = cli_group_at(i)); i++)
		if (!group->hidden)
			print_described(out, "", group->name, group->summary);
	fputs(" )\n\t\toptions=( '--help:the commands' '--version:the version' )\n\t\t;;\n", out);
	for (size_t i = 0; (group = cli_group_at(i)); i++)
		if (!group->hidden)
			print_group(group, out);
	fputs(end, out);
}
