#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Credit goes back in pieces of this size, so that it costs a frame in every so many bytes. */
#define GRANT_BYTES (WINDOW_BYTES / 4)
/* Of a read: whole pages, since a pipe hands them over without splitting one. */
#define READ_BYTES 61440

/*
 * A process writes and reads in small pieces, and to be woken for each costs more than the bytes do. Where much goes through
 * a pipe, it is made larger and left alone for LATER_US at a time. Of output that is once BURST_BYTES came without a break
 * of QUIET_US, so that nobody who types and reads ever waits; of input it is when the pipe has been full.
 */
#define WIDE_PIPE_BYTES (1 << 18)
#define BURST_BYTES (1 << 18)
#define QUIET_US (4 * LATER_US)
#define OUTLET_EVENTS (EPOLLIN | EPOLLRDHUP)

static void inlet_run(struct source *source);
static void outlet_run(struct source *source);

void inlet_open(struct inlet *in, struct link *link, uint32_t id, int fd, bool is_socket) {
  in->link = link;
  in->id = id;
  in->source = (struct source){.fd = -1, .run = inlet_run, .owner = in};
  in->fd = fd;
  in->allowance = WINDOW_BYTES;
  in->is_socket = is_socket;
}

bool inlet_is_open(const struct inlet *in) {
  return in->fd >= 0;
}

static void forget_bytes(struct inlet *in) {
  free(in->bytes);
  in->bytes = NULL;
  in->head = in->tail = in->size = 0;
}

void inlet_close(struct inlet *in) {
  forget_bytes(in);
  if (in->source.fd >= 0) loop_close(&in->source);
  else if (in->fd >= 0) close(in->fd);
  list_remove(&in->source);
  in->fd = -1;
}

static void grant(struct inlet *in) {
  int64_t due = (int64_t)WINDOW_BYTES - (int64_t)(in->tail - in->head) - in->allowance;
  if (due < GRANT_BYTES || in->ending) return;
  in->allowance += (uint32_t)due;
  uint8_t payload[4];
  put32(payload, (uint32_t)due);
  link_send(in->link, FROM_AGENT_CREDIT, in->id, payload, sizeof payload);
}

void inlet_renew(struct inlet *in) {
  in->allowance = WINDOW_BYTES;
}

/* Bytes that went, 0 where it is full. */
static size_t give(struct inlet *in, const uint8_t *bytes, size_t length) {
  size_t gone = 0;
  bool full = false;
  while (gone < length && !in->dead && !full) {
    ssize_t n = in->is_socket ? send(in->fd, bytes + gone, length - gone, MSG_NOSIGNAL | MSG_DONTWAIT)
                              : write(in->fd, bytes + gone, length - gone);
    if (n >= 0) gone += (size_t)n, full = !in->is_socket; /* not all went: it is full, or was just now */
    else if (errno == EAGAIN) full = true;
    else if (errno != EINTR) in->dead = true;
  }
  return in->dead ? length : gone;
}

static bool keep(struct inlet *in, const uint8_t *bytes, size_t length) {
  size_t held = in->tail - in->head;
  /* Not while more is kept than is free in front of it: a window that is nearly full would be moved for every frame. */
  if (in->tail + length > in->size && in->head && in->head >= held) {
    memmove(in->bytes, in->bytes + in->head, held);
    in->head = 0;
    in->tail = held;
  }
  if (in->tail + length > in->size) {
    size_t size = in->size ? in->size : 4096;
    while (size < in->tail + length) size *= 2;
    uint8_t *more = realloc(in->bytes, size);
    if (!more) return false;
    in->bytes = more;
    in->size = size;
  }
  memcpy(in->bytes + in->tail, bytes, length);
  in->tail += length;
  return true;
}

static void finish(struct inlet *in) {
  if (in->is_socket && !in->dead) shutdown(in->fd, SHUT_WR);
  inlet_close(in);
  in->closed(in->owner);
}

static void flush(struct inlet *in) {
  in->head += give(in, in->bytes + in->head, in->tail - in->head);
  if (in->head == in->tail) forget_bytes(in);
  grant(in);
  if (in->tail) {
    if (in->source.fd < 0 && !loop_watch(&in->source, in->fd, EPOLLOUT)) in->dead = true, loop_again(&in->source);
  } else if (in->ending) {
    finish(in);
  }
}

bool inlet_take(struct inlet *in, const uint8_t *bytes, size_t length) {
  if (length > in->allowance) return false;
  in->allowance -= (uint32_t)length;
  in->taken += length;
  if (length) in->last = bytes[length - 1];
  if (in->ending || (in->fd < 0 && in->dead)) return true;
  size_t gone = in->fd >= 0 && !in->tail ? give(in, bytes, length) : 0;
  if (gone < length && !keep(in, bytes + gone, length - gone)) in->dead = true;
  if (in->fd >= 0) {
    if (in->tail && in->source.fd < 0) flush(in);
    else grant(in);
  }
  return true;
}

void inlet_connect(struct inlet *in, int fd) {
  in->fd = fd;
  if (in->tail || in->ending) flush(in);
}

void inlet_end(struct inlet *in) {
  if (in->ending) return;
  in->ending = true;
  if (in->fd >= 0 && !in->tail) finish(in);
}

static void widen(int fd, bool *is_wide) {
  if (!*is_wide) fcntl(fd, F_SETPIPE_SZ, WIDE_PIPE_BYTES); /* may be refused: it works without */
  *is_wide = true;
}

static void inlet_pause(struct inlet *in) {
  in->pausing = true;
  widen(in->fd, &in->is_wide);
  loop_rewatch(&in->source, 0);
  loop_later(&in->source);
}

static void inlet_run(struct source *s) {
  struct inlet *in = s->owner;
  bool has_room = s->ready == EPOLLOUT;
  s->ready = 0;
  if (has_room && !in->is_socket && !in->pausing) {
    if (in->tail) inlet_pause(in);
    return;
  }
  if (in->pausing) loop_rewatch(s, EPOLLOUT);
  in->pausing = false;
  flush(in);
}

void outlet_open(struct outlet *o, struct link *link, uint32_t id, uint8_t stream, int fd) {
  o->link = link;
  o->id = id;
  o->stream = stream;
  o->credit = WINDOW_BYTES;
  o->source = (struct source){.fd = -1, .run = outlet_run, .owner = o};
  if (loop_watch(&o->source, fd, OUTLET_EVENTS)) loop_again(&o->source); /* there may be bytes already */
  else close(fd);
}

bool outlet_is_open(const struct outlet *o) {
  return o->source.fd >= 0;
}

void outlet_credit(struct outlet *o, uint32_t bytes) {
  o->credit = bytes > WINDOW_BYTES || o->credit + bytes > WINDOW_BYTES ? WINDOW_BYTES : o->credit + bytes;
  if (outlet_is_open(o) && !o->pausing) loop_again(&o->source);
}

void outlet_discard(struct outlet *o) {
  o->discard = true;
  if (outlet_is_open(o)) loop_again(&o->source);
}

void outlet_renew(struct outlet *o) {
  o->credit = WINDOW_BYTES;
  if (outlet_is_open(o)) loop_again(&o->source);
}

void outlet_close(struct outlet *o) {
  loop_close(&o->source);
}

static void end(struct outlet *o, int error) {
  outlet_close(o);
  o->ended = true;
  if (!o->discard && !error) link_send(o->link, FROM_AGENT_EOF, o->id, &o->stream, 1);
  o->closed(o->owner, error);
}

/* Counts what was read, and says whether what follows may wait. */
static bool is_burst(struct outlet *o, size_t bytes) {
  int64_t now = now_us();
  o->burst = now - o->read_us > QUIET_US ? bytes : o->burst + bytes;
  o->read_us = now;
  return o->burst >= BURST_BYTES && o->stream != STREAM_CONNECTION;
}

static void outlet_pause(struct outlet *o) {
  o->pausing = true;
  widen(o->source.fd, &o->is_wide);
  loop_rewatch(&o->source, 0);
  loop_later(&o->source);
}

static void outlet_run(struct source *s) {
  static uint8_t nowhere[READ_BYTES];
  struct outlet *o = s->owner;
  if (o->pausing) loop_rewatch(s, OUTLET_EVENTS);
  o->pausing = false;
  if (!o->credit && !o->discard) return; /* goes on with outlet_credit */
  size_t want = o->discard || o->credit > READ_BYTES ? READ_BYTES : o->credit;
  uint8_t *at = o->discard ? nowhere : link_reserve(o->link, 1 + want);
  if (!at) {
    list_add(&o->link->waiting, s);
    return;
  }
  if (!o->discard) *at++ = o->stream;
  ssize_t n = read(s->fd, at, want);
  if (n > 0) {
    bool may_be_more = (size_t)n == want || o->is_terminal || s->ready & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if (!o->discard) {
      link_commit(o->link, FROM_AGENT_DATA, o->id, 1 + (size_t)n);
      o->credit -= (uint32_t)n;
      o->sent += (uint64_t)n;
    }
    bool burst = is_burst(o, (size_t)n);
    if (may_be_more) loop_again(s);
    else if (burst) outlet_pause(o);
  } else if (n == 0) {
    end(o, 0);
  } else if (errno != EAGAIN && errno != EINTR) {
    end(o, o->is_terminal && errno == EIO ? 0 : errno);
  }
}
