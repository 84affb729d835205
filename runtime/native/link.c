#include "link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void run(struct source *source);

void link_init(struct link *l) {
  l->source = (struct source){.fd = -1, .run = run, .owner = l};
  list_init(&l->waiting);
}

bool link_open(struct link *l, int fd) {
  l->in_length = l->head = l->tail = 0;
  l->broken = false;
  l->writable = true;
  return loop_watch(&l->source, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
}

bool link_up(const struct link *l) {
  return l->source.fd >= 0 && !l->broken;
}

void link_close(struct link *l) {
  loop_close(&l->source);
  l->in_length = l->head = l->tail = 0;
}

void link_break(struct link *l) {
  l->broken = true;
}

/* Makes room for `length` more bytes at the tail. */
static uint8_t *room(struct link *l, size_t length) {
  if (l->tail + length > LINK_OUT_BYTES) {
    memmove(l->out, l->out + l->head, l->tail - l->head);
    l->tail -= l->head;
    l->head = 0;
  }
  return l->tail + length > LINK_OUT_BYTES ? NULL : l->out + l->tail;
}

uint8_t *link_reserve(struct link *l, size_t length) {
  if (!link_up(l) || l->tail - l->head >= LINK_DATA_BYTES) return NULL;
  uint8_t *at = room(l, HEADER_BYTES + length);
  return at ? at + HEADER_BYTES : NULL;
}

void link_commit(struct link *l, uint8_t type, uint32_t id, size_t length) {
  put_header(l->out + l->tail, (uint32_t)length, type, id);
  l->tail += HEADER_BYTES + length;
}

void link_send(struct link *l, uint8_t type, uint32_t id, const void *payload, size_t length) {
  if (!link_up(l)) return;
  uint8_t *at = room(l, HEADER_BYTES + length);
  if (!at) {
    link_break(l);
    return;
  }
  if (length) memcpy(at + HEADER_BYTES, payload, length);
  link_commit(l, type, id, length);
}

void link_raw(struct link *l, const void *bytes, size_t length) {
  uint8_t *at = link_up(l) ? room(l, length) : NULL;
  if (!at) return;
  memcpy(at, bytes, length);
  l->tail += length;
}

void link_flush(struct link *l) {
  while (link_up(l) && l->writable && l->head < l->tail) {
    ssize_t n = send(l->source.fd, l->out + l->head, l->tail - l->head, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) l->head += (size_t)n;
    else if (errno == EAGAIN) l->writable = false;
    else if (errno != EINTR) link_break(l);
  }
  if (l->source.fd >= 0 && l->broken) {
    link_close(l);
    l->lost();
    return;
  }
  if (l->head == l->tail) l->head = l->tail = 0;
  if (link_up(l) && l->tail - l->head < LINK_DATA_BYTES)
    for (struct source *s; (s = list_first(&l->waiting));) loop_again(s);
}

/* Hands on every whole frame, as long as answers have room. False: stopped for want of it. */
static bool dispatch(struct link *l) {
  size_t at = 0;
  bool stopped = false;
  while (!l->broken && l->in_length - at >= HEADER_BYTES) {
    uint8_t *frame = l->in + at;
    size_t length = get32(frame);
    if (length > MAX_PAYLOAD_BYTES) {
      link_break(l);
      break;
    }
    if (l->in_length - at < HEADER_BYTES + length) break;
    if (l->tail - l->head > LINK_ANSWER_BYTES) {
      stopped = true;
      break;
    }
    at += HEADER_BYTES + length;
    l->frame(frame[4], get32(frame + 5), frame + HEADER_BYTES, length);
  }
  l->in_length -= at;
  if (at && l->in_length) memmove(l->in, l->in + at, l->in_length);
  return !stopped;
}

static void run(struct source *s) {
  struct link *l = s->owner;
  if (s->ready & EPOLLOUT) l->writable = true;
  s->ready &= ~(uint32_t)EPOLLOUT;
  if (l->broken) return;
  if (l->in_length >= HEADER_BYTES && !dispatch(l)) {
    list_add(&l->waiting, s);
    return;
  }
  size_t want = LINK_IN_BYTES - l->in_length;
  ssize_t n = recv(s->fd, l->in + l->in_length, want, MSG_DONTWAIT);
  if (n > 0) {
    l->in_length += (size_t)n;
    if (!dispatch(l)) list_add(&l->waiting, s);
    else if ((size_t)n == want || s->ready & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) loop_again(s);
  } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
    link_break(l);
  }
}
