/*
 * The two directions of a process or connection: an inlet takes bytes from the runtime to a descriptor, an outlet takes
 * them from a descriptor to the runtime. Each holds its own descriptor and its own credit, so none waits for another.
 */
#ifndef MOORAGE_STREAM_H
#define MOORAGE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link.h"

struct inlet {
  struct source source; /* watched only while something waits in `bytes` */
  struct link *link;
  uint32_t id;
  int fd;             /* -1: not open yet, or closed */
  uint32_t allowance; /* bytes that the runtime may still send */
  uint64_t taken;     /* bytes that came, over all links */
  uint8_t last;       /* the last of them */
  uint8_t *bytes;     /* what could not be written yet */
  size_t head, tail, size;
  bool ending; /* EOF came: close once all is written */
  bool dead;   /* nobody reads: what comes is thrown away */
  bool is_socket;
  bool pausing; /* it has room again, and is left alone for a moment so that there is more of it */
  bool is_wide; /* its pipe was made larger */
  void (*closed)(void *owner); /* all is written and the descriptor is closed */
  void *owner;
};

struct outlet {
  struct source source;
  struct link *link;
  uint32_t id;
  uint8_t stream;
  uint32_t credit;  /* bytes that we may still send */
  uint64_t sent;    /* bytes that went, over all links */
  bool ended;       /* EOF was read */
  bool discard;     /* the runtime does not want it any more */
  bool is_terminal; /* a PTY's master: EIO is its end, a short read says nothing */
  bool pausing;     /* left alone for a moment, so that more comes with one read */
  bool is_wide;     /* its pipe was made larger */
  int64_t read_us;  /* the last read */
  size_t burst;     /* bytes that came without a pause before it */
  void (*closed)(void *owner, int error); /* EOF (0, already reported) or a broken connection; the descriptor is closed */
  void *owner;
};

/* Begins with a full window. The inlet owns fd; -1: it comes later, by inlet_connect. */
void inlet_open(struct inlet *inlet, struct link *link, uint32_t id, int fd, bool is_socket);
void inlet_connect(struct inlet *inlet, int fd);
/* False: the runtime sent more than was granted. */
bool inlet_take(struct inlet *inlet, const uint8_t *bytes, size_t length);
void inlet_end(struct inlet *inlet);
/* Closes at once, whatever waits. `closed` is not called. */
void inlet_close(struct inlet *inlet);
bool inlet_is_open(const struct inlet *inlet);
/* The link was opened again: the window is full again. */
void inlet_renew(struct inlet *inlet);

/* Takes fd over and begins to read with a full window. */
void outlet_open(struct outlet *outlet, struct link *link, uint32_t id, uint8_t stream, int fd);
void outlet_credit(struct outlet *outlet, uint32_t bytes);
void outlet_discard(struct outlet *outlet);
void outlet_renew(struct outlet *outlet);
bool outlet_is_open(const struct outlet *outlet);
void outlet_close(struct outlet *outlet);

#endif
