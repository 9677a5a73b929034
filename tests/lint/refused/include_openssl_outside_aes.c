/* rule: includes as: network-server/main.c */
#include <openssl/evp.h>
