/* Bytes from socket to socket without a visit to this process. Small pieces copied by recv and send came out the same. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway.h"

#define MOVE_BYTES (1 << 18)
/* So many moves before other flows have their turn. */
#define MOVES 4
#define READABLE (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)
#define SPARE_PIPES 16

/* Empty pipes for the next move: a flow keeps one only while bytes are stuck in it, so most flows have none. */
static int spare[SPARE_PIPES][2];
static int spares;

static bool take_pipe(struct way *w) {
  if (w->held) return true;
  if (spares) {
    spares--;
    w->pipe[0] = spare[spares][0];
    w->pipe[1] = spare[spares][1];
    return true;
  }
  if (pipe2(w->pipe, O_CLOEXEC | O_NONBLOCK)) return false;
  fcntl(w->pipe[0], F_SETPIPE_SZ, MOVE_BYTES); /* may be refused: smaller moves then */
  return true;
}

static void leave_pipe(struct way *w) {
  if (!w->held && spares < SPARE_PIPES) {
    spare[spares][0] = w->pipe[0];
    spare[spares][1] = w->pipe[1];
    spares++;
  } else {
    close(w->pipe[0]);
    close(w->pipe[1]);
  }
  w->held = 0;
}

void way_close(struct way *w) {
  if (w->held) leave_pipe(w);
}

/* 1: went on, 0: has to wait, -1: broken. */
static int step(struct way *w, struct source *from, struct source *to) {
  if (w->done || !(to->ready & EPOLLOUT)) return 0;
  if (!w->held) {
    if (!(from->ready & READABLE)) return 0;
    if (!take_pipe(w)) return -1;
    ssize_t n = splice(from->fd, NULL, w->pipe[1], NULL, MOVE_BYTES, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    int error = errno;
    if (n <= 0) leave_pipe(w);
    if (n == 0) {
      shutdown(to->fd, SHUT_WR);
      w->done = true;
      return 1;
    }
    if (n < 0 && error != EAGAIN) return -1;
    if (n < 0) {
      from->ready &= ~(uint32_t)READABLE;
      return 0;
    }
    w->held = (size_t)n;
  }
  ssize_t n = splice(w->pipe[0], NULL, to->fd, NULL, w->held, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  if (n < 0 && errno != EAGAIN) return -1;
  if (n < 0) {
    to->ready &= ~(uint32_t)EPOLLOUT;
    return 0;
  }
  w->held -= (size_t)n;
  if (!w->held) leave_pipe(w);
  return 1;
}

enum moved way_move(struct way *w, struct source *from, struct source *to) {
  for (int i = 0; i < MOVES; i++) {
    int went = step(w, from, to);
    if (went < 0) return MOVED_BROKEN;
    if (!went) return MOVED_ALL;
  }
  return MOVED_MORE;
}
