/* Text that the load generator writes tens of thousands of times a second: copied, not printed. */
#ifndef LAMPPOST_SIM_LOAD_WRITE_H
#define LAMPPOST_SIM_LOAD_WRITE_H

#include "common/base/bytes.h"

void sim_load_put_text(struct wr *wr, const char *text);
void sim_load_put_number(struct wr *wr, uint32_t value);

#endif
