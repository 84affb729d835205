/* Connections out of sandboxes: offered to the relay, which takes, refuses or lets them through. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway.h"

#define MAX_FLOWS 8192
#define MAX_WAITING 256
#define WAITING_MS 5000
#define DIALING_MS 30000
/* What the relay is shown before its verdict: enough for any ClientHello or request head that decides. */
#define SHOWN_BYTES 16384

enum state { WAITING, OFFERED, DIALING, OPEN };

struct flow {
  struct flow *prev, *next;
  enum state state;
  int64_t until; /* while WAITING or DIALING */
  struct sockaddr_in from, to;
  struct source in, out; /* the sandbox's side; the relay's or the destination's */
  struct way outward, inward;
  size_t shown;    /* bytes at the head of `in` that the relay has seen; they are still to be read */
  bool shown_end;
};

static struct flow *flows;
static int flow_count, timed_count;
static struct flow *waiting[MAX_WAITING];
static int waiting_count;

static void offer(struct flow *f);

static void set_state(struct flow *f, enum state state) {
  timed_count += (state == WAITING || state == DIALING) - (f->state == WAITING || f->state == DIALING);
  if (f->state == WAITING && state != WAITING)
    for (int i = 0; i < waiting_count; i++)
      if (waiting[i] == f) {
        memmove(waiting + i, waiting + i + 1, (size_t)(--waiting_count - i) * sizeof *waiting);
        break;
      }
  f->state = state;
}

static void drop(struct flow *f) {
  set_state(f, OPEN);
  loop_close(&f->in);
  loop_close(&f->out);
  way_close(&f->outward);
  way_close(&f->inward);
  if (f->prev) f->prev->next = f->next;
  else flows = f->next;
  if (f->next) f->next->prev = f->prev;
  flow_count--;
  free(f);
}

static void linger_off(int fd) {
  struct linger now = {.l_onoff = 1};
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void reset_fd(int fd) {
  linger_off(fd);
  close(fd);
}

static void reset(struct flow *f) {
  linger_off(f->in.fd);
  linger_off(f->out.fd);
  drop(f);
}

static void move(struct flow *f) {
  enum moved a = way_move(&f->outward, &f->in, &f->out), b = MOVED_BROKEN;
  if (a != MOVED_BROKEN) b = way_move(&f->inward, &f->out, &f->in);
  /* A side that was reset after its end has nothing more to read that would tell. */
  bool gone = (f->in.ready & EPOLLERR && f->outward.done) || (f->out.ready & EPOLLERR && f->inward.done);
  if (b == MOVED_BROKEN || gone) reset(f);
  else if (f->outward.done && f->inward.done) drop(f);
  else if (a == MOVED_MORE || b == MOVED_MORE) loop_again(&f->in);
}

static void open_up(struct flow *f) {
  set_state(f, OPEN);
  f->in.ready |= EPOLLIN | EPOLLOUT;
  f->out.ready |= EPOLLIN | EPOLLOUT;
  move(f);
}

/* Shows the relay what has come; it stays in the socket until the verdict says whose it is. */
static void show(struct flow *f) {
  static uint8_t bytes[SHOWN_BYTES];
  ssize_t n = recv(f->in.fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  if (n < 0 && errno != EAGAIN) {
    reset(f);
    return;
  }
  size_t here = n > 0 ? (size_t)n : 0;
  if (here > f->shown) {
    ssize_t sent = send(f->out.fd, bytes + f->shown, here - f->shown, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) f->shown += (size_t)sent;
  }
  if (n >= 0 && f->in.ready & EPOLLRDHUP && here == f->shown && here < SHOWN_BYTES && !f->shown_end) {
    shutdown(f->out.fd, SHUT_WR);
    f->shown_end = true;
  }
}

static void in_run(struct source *s) {
  struct flow *f = s->owner;
  if (f->state == OPEN) move(f);
  else if (s->ready & (EPOLLHUP | EPOLLERR)) reset(f);
  else if (f->state == OFFERED) show(f);
}

static void dial(struct flow *f) {
  int yes = 1, fd = -1;
  loop_close(&f->out);
  if (!is_refused(f->to.sin_addr)) fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    reset(f);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  if ((connect(fd, (struct sockaddr *)&f->to, sizeof f->to) && errno != EINPROGRESS) ||
      !loop_watch(&f->out, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP)) {
    close(fd);
    reset(f);
    return;
  }
  f->until = now_ms() + DIALING_MS;
  set_state(f, DIALING);
}

static void take(struct flow *f) {
  static uint8_t seen[SHOWN_BYTES];
  while (f->shown) {
    ssize_t n = recv(f->in.fd, seen, f->shown, MSG_DONTWAIT);
    if (n <= 0) {
      reset(f);
      return;
    }
    f->shown -= (size_t)n;
  }
  open_up(f);
}

static void read_verdict(struct flow *f) {
  uint8_t verdict;
  ssize_t n = recv(f->out.fd, &verdict, 1, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) {
    show(f); /* what it may have had no room for */
  } else if (n <= 0) {
    /* The relay went away before it answered: another one may come in time. */
    loop_close(&f->out);
    f->shown = 0;
    f->shown_end = false;
    offer(f);
  } else if (verdict == VERDICT_TAKE) {
    take(f);
  } else if (verdict == VERDICT_DIRECT) {
    dial(f);
  } else {
    reset(f);
  }
}

static void out_run(struct source *s) {
  struct flow *f = s->owner;
  int error = 0;
  socklen_t length = sizeof error;
  if (f->state == OPEN) {
    move(f);
  } else if (f->state == OFFERED) {
    read_verdict(f);
  } else if (f->state == DIALING) {
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) reset(f);
    else open_up(f);
  }
}

/* PROXY protocol v2: where it came from, where it wanted to go. */
static size_t put_proxy_header(uint8_t *at, const struct flow *f) {
  memcpy(at, "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16);
  memcpy(at + 16, &f->from.sin_addr, 4);
  memcpy(at + 20, &f->to.sin_addr, 4);
  memcpy(at + 24, &f->from.sin_port, 2);
  memcpy(at + 26, &f->to.sin_port, 2);
  return 28;
}

static bool hand_over(struct flow *f, int fd) {
  uint8_t header[28];
  size_t size = put_proxy_header(header, f);
  if (send(fd, header, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size || !loop_watch(&f->out, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP)) {
    close(fd);
    return false;
  }
  set_state(f, OFFERED);
  show(f);
  return true;
}

/* To a parked connection, or into the queue for one. */
static void offer(struct flow *f) {
  for (int fd; (fd = parked_take()) >= 0;)
    if (hand_over(f, fd)) return;
  if (waiting_count == MAX_WAITING || now_ms() > f->until) {
    reset(f);
    return;
  }
  set_state(f, WAITING);
  waiting[waiting_count++] = f;
}

void flow_accept(int fd, struct sockaddr_in from, struct sockaddr_in to) {
  int yes = 1;
  struct flow *f = flow_count < MAX_FLOWS ? calloc(1, sizeof *f) : NULL;
  if (!f) {
    reset_fd(fd);
    return;
  }
  f->in = (struct source){.fd = -1, .run = in_run, .owner = f};
  f->out = (struct source){.fd = -1, .run = out_run, .owner = f};
  f->from = from;
  f->to = to;
  f->state = OPEN;
  f->until = now_ms() + WAITING_MS;
  f->next = flows;
  if (flows) flows->prev = f;
  flows = f;
  flow_count++;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  if (!loop_watch(&f->in, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP)) {
    reset_fd(fd);
    drop(f);
    return;
  }
  offer(f);
}

int flow_wait_ms(void) {
  return timed_count ? 200 : -1;
}

void flow_tick(void) {
  while (waiting_count) {
    int fd = parked_take();
    if (fd < 0) break;
    hand_over(waiting[0], fd);
  }
  if (!timed_count) return;
  int64_t now = now_ms();
  for (struct flow *f = flows, *next; f; f = next) {
    next = f->next;
    if ((f->state == WAITING || f->state == DIALING) && now > f->until) reset(f);
  }
}
