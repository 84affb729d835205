#include "claim.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "loop.h"
#include "say.h"

#define CLAIM_MS 10000
#define UNCLAIMED 64

/* Reads exactly `length` bytes from stdin before `until`. */
static bool read_all(uint8_t *at, size_t length, int64_t until) {
  while (length) {
    struct pollfd in = {.fd = 0, .events = POLLIN};
    int64_t left = until - now_ms();
    if (left <= 0 || poll(&in, 1, (int)left) != 1) return false;
    ssize_t n = read(0, at, length);
    if (n <= 0) return false;
    at += n;
    length -= (size_t)n;
  }
  return true;
}

int claim_read(struct claim *claim, size_t size) {
  uint8_t header[HEADER_BYTES], payload[CLAIM_OF_AGENT];
  int64_t until = now_ms() + CLAIM_MS;
  if (!read_all(header, sizeof header, until)) return UNCLAIMED;
  if (header[4] != CLAIM || get32(header) < 1 || get32(header) > MAX_PAYLOAD_BYTES) return UNCLAIMED;
  if (!read_all(payload, 1, until)) return UNCLAIMED;
  if (payload[0] != WIRE_VERSION) {
    char theirs[4] = {(char)('0' + payload[0] / 100), (char)('0' + payload[0] / 10 % 10), (char)('0' + payload[0] % 10), 0};
    say(2, "moorage-agent speaks wire version " WIRE_VERSION_TEXT ", the runtime version ", theirs, ".\n", NULL);
    return UNCLAIMED;
  }
  if (get32(header) != size || !read_all(payload + 1, size - 1, until)) return UNCLAIMED;
  memcpy(claim->secret, payload + 1, SECRET_BYTES);
  if (size == CLAIM_OF_AGENT) {
    memcpy(&claim->address, payload + 1 + SECRET_BYTES, 4);
    claim->port = get16(payload + 1 + SECRET_BYTES + 4);
  }
  return 0;
}

int claim_wait(void) {
  uint8_t first;
  return read_all(&first, 1, now_ms() + CLAIM_MS) ? 0 : UNCLAIMED;
}
