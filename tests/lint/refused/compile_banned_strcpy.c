/* rule: compile as: common/base/bad.c */
void bad(char *out, const char *in);
void bad(char *out, const char *in)
{
	strcpy(out, in);
}
