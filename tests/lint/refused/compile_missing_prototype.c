/* rule: compile as: common/base/bad.c */
int bad(void)
{
	return 0;
}
