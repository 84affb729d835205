/* The first bytes on stdin: proof that a runtime is there, and its secret. */
#ifndef MOORAGE_CLAIM_H
#define MOORAGE_CLAIM_H

#include <netinet/in.h>
#include <stdint.h>

#include "frame.h"

#define CLAIM_OF_GATEWAY (1 + SECRET_BYTES)
#define CLAIM_OF_AGENT (CLAIM_OF_GATEWAY + 4 + 2)

struct claim {
  uint8_t secret[SECRET_BYTES];
  struct in_addr address; /* of the gateway; in an agent's claim only */
  uint16_t port;
};

/*
 * Waits 10 s at most for a CLAIM whose payload has `size` bytes. Returns 0 or this program's exit code: a container that
 * nobody claims must not stay.
 */
int claim_read(struct claim *claim, size_t size);
/* Waits 10 s at most for the first bytes. Returns 0 or this program's exit code. */
int claim_wait(void);

#endif
