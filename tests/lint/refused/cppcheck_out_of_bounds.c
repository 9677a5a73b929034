/* rule: cppcheck as: common/base/bad.c */
int bad(void);
int bad(void)
{
	int values[4] = {0};
	return values[5];
}
