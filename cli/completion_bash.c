/* The script of bash: a table, by the words of a command, of what may follow; and one function that reads the line. bash parts
 * words at `=`, so `--colour=al` arrives as three. */
#include "cli/completion.h"
#include "cli/value_word.h"

#include <string.h>

static const char begin[] = "# bash completion of lamppost; made by `lamppost completion bash`.\n"
			    "\n"
			    "# PATH: what may follow these words.\n"
			    "_lamppost_row() {\n"
			    "\tnames= options= operands=\n"
			    "\tcase $1 in\n";

static const char end[] =
	"\t*) return 1 ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"# KIND: offers the values that begin as $cur.\n"
	"_lamppost_value() {\n"
	"\tcase $1 in\n"
	"\t'' | free) ;;\n"
	"\tfile | dir)\n"
	"\t\tlocal at= how=-f\n"
	"\t\t[ \"$1\" = file ] || how=-d\n"
	"\t\t[[ $cur != @* ]] || at=@\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen \"$how\" -P \"$at\" -- \"${cur#@}\")\n"
	"\t\t;;\n"
	"\tdevice | gateway | agency | application | profile | deployment)\n"
	"\t\tmapfile -t COMPREPLY < <(\"${COMP_WORDS[0]}\" __complete ${socket:+--socket \"$socket\"} -- "
	"\"$1\" "
	"\"$cur\" 2>/dev/null | cut -f1)\n"
	"\t\t;;\n"
	"\t*) mapfile -t COMPREPLY < <(compgen -W \"${1//|/ }\" -- \"$cur\") ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"# OPTION: prints the kind of its value; nothing for a switch.\n"
	"_lamppost_kind() {\n"
	"\tlocal option\n"
	"\tfor option in $options; do\n"
	"\t\tif [ \"${option%%=*}\" = \"$1\" ] && [ \"$option\" != \"$1\" ]; then\n"
	"\t\t\techo \"${option#*=}\"\n"
	"\t\tfi\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_lamppost() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} path= taken=1 names options operands socket= kind= word i "
	"place=0\n"
	"\tCOMPREPLY=()\n"
	"\tlocal -a before=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n"
	"\tif [ \"${#before[@]}\" -ge 2 ] && _lamppost_row \"${before[0]} ${before[1]}\"; then\n"
	"\t\tpath=\"${before[0]} ${before[1]}\" taken=2\n"
	"\telif [ \"${#before[@]}\" -ge 1 ]; then\n"
	"\t\tpath=${before[0]}\n"
	"\telse\n"
	"\t\ttaken=0\n"
	"\tfi\n"
	"\t_lamppost_row \"$path\" || return 0\n"
	"\tfor ((i = taken; i < ${#before[@]}; i++)); do\n"
	"\t\tword=${before[i]}\n"
	"\t\tif [ -n \"$kind\" ]; then\n"
	"\t\t\t[ \"$word\" != = ] || continue\n"
	"\t\t\t[ \"${before[i - 1]}\" != --socket ] && [ \"${before[i - 2]}\" != --socket ] || socket=$word\n"
	"\t\t\tkind=\n"
	"\t\telif [[ $word == --* ]]; then\n"
	"\t\t\tkind=$(_lamppost_kind \"$word\")\n"
	"\t\telif [ \"$word\" != = ]; then\n"
	"\t\t\tplace=$((place + 1))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\t[ \"$cur\" != = ] || cur=\n"
	"\tif [ -n \"$kind\" ]; then\n"
	"\t\t_lamppost_value \"$kind\"\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\tlocal -a all=()\n"
	"\t\tfor word in $options; do all+=(\"${word%%=*}\"); done\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"${all[*]}\" -- \"$cur\")\n"
	"\telse\n"
	"\t\tlocal -a kinds=($operands)\n"
	"\t\tlocal last=$((${#kinds[@]} - 1))\n"
	"\t\tif [ $last -ge 0 ] && [ $place -gt $last ] && [[ ${kinds[last]} == *... ]]; then place=$last; "
	"fi\n"
	"\t\t_lamppost_value \"${kinds[place]%...}\"\n"
	"\t\tif [ -n \"$names\" ] && [ $place -eq 0 ]; then\n"
	"\t\t\tmapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -W \"$names\" -- \"$cur\")\n"
	"\t\tfi\n"
	"\tfi\n"
	"}\n"
	"\n"
	"complete -F _lamppost lamppost\n";

static void print_operands(const struct cli_command *command, FILE *out)
{
	const char *at = command->operands;
	struct cli_operand operand;
	fputs(" operands='", out);
	for (bool first = true; cli_operand_next(&at, &operand); first = false) {
		char kind[64];
		cli_completion_operand(command->group, operand.word, kind);
		fprintf(out, "%s%s%s", first ? "" : " ", *kind ? kind : "free", operand.repeats ? "..." : "");
	}
	fputc('\'', out);
}

static void print_options(const struct cli_command *command, FILE *out)
{
	struct cli_completion_option options[CLI_OPTIONS_MAX + 8];
	size_t count = cli_completion_options(command, options);
	fputs(" options='", out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s--%s%s%s", i ? " " : "", options[i].name, options[i].kind ? "=" : "",
			options[i].kind ? options[i].kind : "");
	fputc('\'', out);
}

/* What a group's name alone may be followed by: its commands' names, and what its own command takes. */
static void print_group(const struct cli_group *group, FILE *out)
{
	const struct cli_command *command, *itself = cli_command_named(group->name, NULL);
	fprintf(out, "\t%s) names='", group->name);
	bool any = false;
	for (size_t i = 0; (command = cli_command_of(group->name, i)); i++) {
		if (command->hidden || !command->name)
			continue;
		fprintf(out, "%s%s", any ? " " : "", command->name);
		any = true;
	}
	fputc('\'', out);
	if (itself && !itself->hidden) {
		print_operands(itself, out);
		print_options(itself, out);
	} else {
		fputs(" options='--help'", out);
	}
	fputs(" ;;\n", out);
	for (size_t i = 0; (command = cli_command_of(group->name, i)); i++) {
		if (command->hidden || !command->name)
			continue;
		fprintf(out, "\t'%s %s')", group->name, command->name);
		print_operands(command, out);
		print_options(command, out);
		fputs(" ;;\n", out);
	}
}

void cli_completion_bash(FILE *out)
{
	const struct cli_group *group;
	bool any = false;
	fputs(begin, out);
	fputs("\t'') names='", out);
	for (size_t i = 0; (group = cli_group_at(i)); i++) {
		if (group->hidden)
			continue;
		fprintf(out, "%s%s", any ? " " : "", group->name);
		any = true;
	}
	fputs("' options='--help --version' ;;\n", out);
	for (size_t i = 0; (group = cli_group_at(i)); i++)
		if (!group->hidden)
			print_group(group, out);
	fputs(end, out);
}
