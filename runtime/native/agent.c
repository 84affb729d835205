/* The agent: claimed over stdin, linked to the relay, it starts the app and whatever else is asked for. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "claim.h"
#include "command.h"
#include "modes.h"

#define REDIAL_MS 100
/* A gateway on the same bridge answers in microseconds; one that is being replaced does not answer at all. */
#define DIAL_PATIENCE_MS 500
#define FACT_BYTES 60000

struct link relay;

static struct claim claim;
static int64_t dial_at; /* the next attempt, at the earliest */
static int64_t dial_until;

/* The beginning of a command that is too long for one frame. One at a time: the runtime sends its frames in one go. */
static struct {
  uint8_t *bytes;
  size_t length;
  uint32_t id;
  int error;
} parts;

static void dial_run(struct source *source);
static void signal_run(struct source *source);
static struct source dialing = {.fd = -1, .run = dial_run};
static struct source signals = {.fd = -1, .run = signal_run};

void send_failed(uint32_t id, int error, uint8_t step) {
  uint8_t payload[5];
  put32(payload, (uint32_t)error);
  payload[4] = step;
  link_send(&relay, FROM_AGENT_FAILED, id, payload, sizeof payload);
}

/* Reads a file into `text`; returns how much, 0 where there is none. */
static size_t read_file(const char *path, uint8_t *text, size_t size) {
  size_t length = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  for (ssize_t n; length < size && (n = read(fd, text + length, size - length)) > 0;) length += (size_t)n;
  close(fd);
  return length;
}

static void answer_fact(uint32_t id, uint8_t which) {
  /* What there is of the two: a cgroup of version 2, else of version 1. */
  static const char *const files[][2] = {
    [FACT_STATUS] = {"/proc/1/status"},
    [FACT_CPU] = {"/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpuacct/cpuacct.usage"},
    [FACT_MEMORY] = {"/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes"},
    [FACT_MEMORY_STAT] = {"/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory/memory.stat"},
  };
  static uint8_t payload[1 + FACT_BYTES];
  uint8_t *text = payload + 1;
  size_t length = 0;
  payload[0] = which;
  if (which == FACT_LISTENING) {
    length = listening((char *)text, FACT_BYTES);
    if (!length) {
      length = read_file("/proc/net/tcp", text, FACT_BYTES / 2);
      length += read_file("/proc/net/tcp6", text + length, FACT_BYTES / 2);
    }
  } else if (which >= FACT_STATUS && which <= FACT_MEMORY_STAT)
    for (int i = 0; i < 2 && !length && files[which][i]; i++) length = read_file(files[which][i], text, FACT_BYTES);
  link_send(&relay, FROM_AGENT_FACT, id, payload, 1 + length);
}

static void entry_frame(struct entry *e, uint8_t type, const uint8_t *payload, size_t length) {
  switch (type) {
  case TO_AGENT_DATA:
    if (!inlet_take(&e->in, payload, length)) link_break(&relay);
    break;
  case TO_AGENT_EOF:
    if (e->is_process) process_input_end(e);
    else connection_input_end(e);
    break;
  case TO_AGENT_CREDIT:
    if (length < 5) break;
    outlet_credit(&e->out[e->is_process && payload[0] == STREAM_STDERR], get32(payload + 1));
    break;
  case TO_AGENT_SIGNAL:
    if (e->is_process && length == 1 && payload[0] >= 1 && payload[0] <= 64) process_signal(e, payload[0]);
    break;
  case TO_AGENT_END:
    if (e->is_process) process_end(e);
    break;
  case TO_AGENT_RESIZE:
    if (e->is_process && length >= 4) process_resize(e, get16(payload), get16(payload + 2));
    break;
  case TO_AGENT_HANG_UP:
    if (e->is_process && length == 1) process_hang_up(e, payload[0]);
    break;
  case TO_AGENT_CLOSE:
  case TO_AGENT_EXITED:
    if (e->is_process) process_forget(e);
    else if (type == TO_AGENT_CLOSE) connection_reset(e);
    break;
  }
}

static void parts_drop(void) {
  free(parts.bytes);
  memset(&parts, 0, sizeof parts);
}

static void part(uint32_t id, const uint8_t *payload, size_t length) {
  if (id != parts.id) parts_drop();
  parts.id = id;
  if (parts.error) return;
  bool fits = parts.length + length <= MAX_COMMAND_BYTES;
  uint8_t *more = fits ? realloc(parts.bytes, parts.length + length) : NULL;
  if (more) {
    memcpy(more + parts.length, payload, length);
    parts.bytes = more;
    parts.length += length;
  } else {
    parts_drop();
    parts.id = id;
    parts.error = fits ? ENOMEM : E2BIG;
  }
}

static void command_frame(uint8_t type, uint32_t id, uint8_t *payload, size_t length) {
  bool in_parts = id == parts.id && (parts.length || parts.error);
  if (in_parts) {
    part(id, payload, length);
    payload = parts.bytes;
    length = parts.length;
  }
  if (in_parts && parts.error) send_failed(id, parts.error, STEP_COMMAND);
  else if (type == TO_AGENT_RUN) app_run(payload, length);
  else process_spawn(id, payload, length);
  parts_drop();
}

static void frame(uint8_t type, uint32_t id, uint8_t *payload, size_t length) {
  if (type == TO_AGENT_RUN || type == TO_AGENT_SPAWN) command_frame(type, id, payload, length);
  else if (type == TO_AGENT_PART && length) part(id, payload, length);
  else if (type == TO_AGENT_DIAL && length >= 2) connection_dial(id, get16(payload));
  else if (type == TO_AGENT_ASK && length >= 1) answer_fact(id, payload[0]);
  else if (type == TO_AGENT_SIGNAL && !id && length == 1 && payload[0] >= 1 && payload[0] <= 64) app_signal(payload[0]);
  else if (id) {
    struct entry *e = entry_find(id);
    if (e) entry_frame(e, type, payload, length);
  }
}

/* Connections end with the link, processes do not. The next dial comes at once, unless the last one was just now. */
static void lost(void) {
  parts_drop();
  for (struct entry *e = entries(), *next; e; e = next) {
    next = e->next;
    if (!e->is_process) connection_reset(e);
  }
}

static void linked(int fd) {
  uint8_t opening[OPENING_BYTES], running = app_state() != APP_NONE;
  if (!link_open(&relay, fd)) {
    close(fd);
    return;
  }
  memcpy(opening, AGENT_MAGIC, 4);
  opening[4] = WIRE_VERSION;
  memcpy(opening + 5, claim.secret, SECRET_BYTES);
  link_raw(&relay, opening, sizeof opening);
  link_send(&relay, FROM_AGENT_HELLO, 0, &running, 1);
  app_repeat();
  for (struct entry *e = entries(); e; e = e->next)
    if (e->is_process && e->listed) process_repeat(e);
}

static void dial(void) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(claim.port), .sin_addr = claim.address};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1, idle_s = 5, times = 3;
  dial_at = now_ms() + REDIAL_MS;
  if (fd < 0) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &yes, sizeof yes);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) {
    close(fd);
    return;
  }
  if (!loop_watch(&dialing, fd, EPOLLOUT)) close(fd);
  dial_until = now_ms() + DIAL_PATIENCE_MS;
}

static void dial_run(struct source *s) {
  int error = 0;
  socklen_t length = sizeof error;
  s->ready = 0;
  getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error) loop_close(s);
  else linked(loop_release(s));
}

static void stdin_run(struct source *s) {
  uint8_t ignored[512];
  ssize_t n = read(s->fd, ignored, sizeof ignored);
  if (n > 0) loop_again(s);
  else if (n == 0 || (errno != EAGAIN && errno != EINTR)) app_end(0);
}

static void signal_run(struct source *s) {
  struct signalfd_siginfo info;
  s->ready = 0;
  while (read(s->fd, &info, sizeof info) == sizeof info) {
    /* An engine's stop of a container that was never started; afterwards signals are the app's affair. */
    if ((info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) && app_state() == APP_NONE) _exit(128 + (int)info.ssi_signo);
  }
  process_reap();
}

void agent_watch_signals(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  loop_close(&signals);
  int fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0 || !loop_watch(&signals, fd, EPOLLIN)) app_end(70);
}

static int wait_ms(void) {
  if (!link_up(&relay)) {
    int64_t until = dialing.fd >= 0 ? dial_until : dial_at, left = until - now_ms();
    return left < 0 ? 0 : (int)left;
  }
  return app_wait_ms();
}

static void round_end(void) {
  link_flush(&relay);
  app_tick();
  if (relay.source.fd >= 0) return;
  if (dialing.fd >= 0 && now_ms() >= dial_until) loop_close(&dialing);
  if (dialing.fd < 0 && now_ms() >= dial_at) dial();
}

int agent_main(void) {
  static struct source input = {.fd = -1, .run = stdin_run};
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC); /* whatever else we were given is not the app's; older kernels refuse */
  int refused = claim_read(&claim, CLAIM_OF_AGENT);
  if (refused) return refused;
  command_keep_limits();
  loop_init();
  link_init(&relay);
  relay.frame = frame;
  relay.lost = lost;
  agent_watch_signals();
  fcntl(0, F_SETFL, O_NONBLOCK);
  if (!loop_watch(&input, 0, EPOLLIN | EPOLLRDHUP)) return 0;
  dial();
  loop_run(wait_ms, round_end);
}
