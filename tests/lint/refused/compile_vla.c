/* rule: compile as: common/base/bad.c */
int bad(int count);
int bad(int count)
{
	int values[count];
	values[0] = 1;
	return values[0];
}
