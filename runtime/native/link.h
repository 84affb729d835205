/*
 * A connection that carries frames both ways, never blocks and holds a bounded amount. The agent has one (to the relay),
 * the gateway has one (its control connection).
 */
#ifndef MOORAGE_LINK_H
#define MOORAGE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "loop.h"

/* Streams may add to the outgoing queue below this; it is what a slow reader can make us hold. */
#define LINK_DATA_BYTES (4 * MAX_PAYLOAD_BYTES)
/* Above this nothing more is read, so that no answers are added. */
#define LINK_ANSWER_BYTES (8 * MAX_PAYLOAD_BYTES)
#define LINK_OUT_BYTES (16 * MAX_PAYLOAD_BYTES)
#define LINK_IN_BYTES (4 * MAX_PAYLOAD_BYTES)

struct link {
  struct source source;
  void (*frame)(uint8_t type, uint32_t id, uint8_t *payload, size_t length);
  void (*lost)(void); /* it broke, or the peer broke the rules; all is closed and forgotten already */
  bool writable;
  bool broken; /* ended at the next opportunity, so that nobody's link goes away under their feet */
  size_t in_length, head, tail;
  struct list waiting; /* sources that wait for room in the queue */
  uint8_t in[LINK_IN_BYTES];
  uint8_t out[LINK_OUT_BYTES];
};

/* Prepares an unconnected link. */
void link_init(struct link *link);
/* Takes a connected, non-blocking socket over. False: it could not be watched and is closed. */
bool link_open(struct link *link, int fd);
bool link_up(const struct link *link);
void link_close(struct link *link);
/* Ends the link (and calls `lost`) at the end of the round. */
void link_break(struct link *link);
/*
 * Room for a frame with up to `length` bytes of payload: the payload's place, or NULL where the queue is too full for
 * more data or there is no connection. Nothing is sent before link_commit.
 */
uint8_t *link_reserve(struct link *link, size_t length);
void link_commit(struct link *link, uint8_t type, uint32_t id, size_t length);
/* Sends a small frame, whatever is queued. Without a connection it is lost. */
void link_send(struct link *link, uint8_t type, uint32_t id, const void *payload, size_t length);
/* Sends bytes that are no frame (an opening). */
void link_raw(struct link *link, const void *bytes, size_t length);
/* Writes what can be written. To be called once a round. */
void link_flush(struct link *link);

#endif
