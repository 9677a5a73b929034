/* rule: words as: common/lorawan/bad.c */
struct device {
	int region;
};
int bad(const struct device *device);
int bad(const struct device *device)
{
	switch (device->region) {
	default: return 0;
	}
}
