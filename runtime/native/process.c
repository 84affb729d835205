/* SPAWN: processes as children of the agent. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"
#include "command.h"
#include "kin.h"

/* The descriptors of a new process: its own ends and ours, -1 where there is none. */
struct ends {
  int theirs[3], ours[3];
  int null;
};

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static void close_ends(struct ends *e, bool ours_too) {
  for (int i = 0; i < 3; i++) {
    if (e->theirs[i] != e->null) close_fd(&e->theirs[i]);
    if (ours_too) close_fd(&e->ours[i]);
  }
  close_fd(&e->null);
}

/* A pipe whose end on our side does not block. `write_ours`: we write. */
static bool open_pipe(int *theirs, int *ours, bool write_ours) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC)) return false;
  *ours = fds[write_ours ? 1 : 0];
  *theirs = fds[write_ours ? 0 : 1];
  return !fcntl(*ours, F_SETFL, O_NONBLOCK);
}

static bool open_terminal(struct ends *e, const struct command *c) {
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), unlock = 0;
  if (master < 0) return false;
  e->ours[1] = master;
  struct winsize size = {.ws_col = c->cols, .ws_row = c->rows};
  if (ioctl(master, TIOCSPTLCK, &unlock) || ioctl(master, TIOCSWINSZ, &size)) return false;
  int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return false;
  e->theirs[0] = slave;
  e->theirs[1] = fcntl(slave, F_DUPFD_CLOEXEC, 3);
  e->theirs[2] = fcntl(slave, F_DUPFD_CLOEXEC, 3);
  e->ours[0] = fcntl(master, F_DUPFD_CLOEXEC, 3);
  return e->theirs[1] >= 0 && e->theirs[2] >= 0 && e->ours[0] >= 0;
}

static bool open_ends(struct ends *e, const struct command *c) {
  if (c->flags & COMMAND_FLAG_PTY) return open_terminal(e, c);
  e->null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (e->null < 0) return false;
  for (int i = 0; i < 3; i++) e->theirs[i] = e->null;
  if (c->flags & COMMAND_FLAG_STDIN && !open_pipe(&e->theirs[0], &e->ours[0], true)) return false;
  if (!(c->flags & COMMAND_FLAG_NO_STDOUT) && !open_pipe(&e->theirs[1], &e->ours[1], false)) return false;
  if (c->flags & COMMAND_FLAG_COMBINED) return (e->theirs[2] = fcntl(e->theirs[1], F_DUPFD_CLOEXEC, 3)) >= 0;
  return c->flags & COMMAND_FLAG_NO_STDERR || open_pipe(&e->theirs[2], &e->ours[2], false);
}

static void closed(void *owner) {
  entry_settle(owner);
}

static void output_closed(void *owner, int error) {
  (void)error; /* a pipe that cannot be read has ended, as far as its reader goes */
  entry_settle(owner);
}

static void tell_started(struct entry *e) {
  uint8_t pid[4];
  put32(pid, (uint32_t)e->pid);
  link_send(&relay, FROM_AGENT_STARTED, e->id, pid, sizeof pid);
}

/* How much came and went: what was under way when the link broke is lost, and the runtime can tell. */
static void tell_counts(struct entry *e) {
  uint8_t counts[25];
  put64(counts, e->in.taken);
  put64(counts + 8, e->out[0].sent);
  put64(counts + 16, e->out[1].sent);
  counts[24] = e->input_ended || e->exited || e->in.dead || !inlet_is_open(&e->in);
  link_send(&relay, FROM_AGENT_COUNTS, e->id, counts, sizeof counts);
}

static void tell_exit(struct entry *e) {
  uint8_t payload[5];
  int signal = WIFSIGNALED(e->status) ? WTERMSIG(e->status) : 0;
  put32(payload, (uint32_t)(signal ? 128 + signal : WEXITSTATUS(e->status)));
  payload[4] = (uint8_t)signal;
  link_send(&relay, FROM_AGENT_EXIT, e->id, payload, sizeof payload);
}

/* The exec has worked: from now on the output is read. */
static void begin(struct entry *e) {
  e->starting = false;
  if (e->listed) tell_started(e);
  for (int i = 0; i < 2; i++) {
    struct outlet *o = &e->out[i];
    if (e->output[i] < 0) continue;
    outlet_open(o, &relay, e->id, i ? STREAM_STDERR : STREAM_STDOUT, e->output[i]);
    e->output[i] = -1;
    if (!e->listed) outlet_discard(o);
  }
}

static void fail(struct entry *e, const struct failure *why) {
  e->starting = false;
  if (e->listed) send_failed(e->id, (int)why->error, why->step);
  inlet_close(&e->in);
  close_fd(&e->output[0]);
  close_fd(&e->output[1]);
  entry_unlist(e);
}

/* The report's pipe has ended (the exec worked) or says why it did not. */
static void report_run(struct source *s) {
  struct entry *e = s->owner;
  struct failure why;
  s->ready = 0;
  ssize_t n = read(s->fd, &why, sizeof why);
  if (n < 0 && errno == EAGAIN) return;
  loop_close(s);
  if (n == sizeof why) fail(e, &why);
  else begin(e);
}

static void run_child(struct command *c, struct ends *e, int report) {
  struct failure why = command_become(c, e->theirs);
  if (write(report, &why, sizeof why) < 0) _exit(125);
  _exit(why.error == ENOENT ? 127 : 126);
}

/* Starts it. Returns 0, or an errno with the step. */
static int start(struct entry *e, struct command *c, uint8_t *step) {
  struct ends ends = {.theirs = {-1, -1, -1}, .ours = {-1, -1, -1}, .null = -1};
  int report[2] = {-1, -1};
  pid_t pid = -1;
  *step = c->flags & COMMAND_FLAG_PTY ? STEP_PTY : STEP_PIPE;
  if (open_ends(&ends, c) && !pipe2(report, O_CLOEXEC | O_NONBLOCK)) {
    pid = fork();
    if (!pid) run_child(c, &ends, report[1]);
    *step = errno == EAGAIN ? STEP_LIMIT : STEP_FORK;
  }
  int error = pid < 0 ? errno : 0;
  close_fd(&report[1]);
  close_ends(&ends, pid < 0);
  if (pid < 0) {
    close_fd(&report[0]);
    return error;
  }
  e->pid = pid;
  e->starting = true;
  e->is_terminal = c->flags & COMMAND_FLAG_PTY;
  if (ends.ours[0] >= 0) inlet_open(&e->in, &relay, e->id, ends.ours[0], false);
  e->output[0] = ends.ours[1];
  e->output[1] = ends.ours[2];
  if (!loop_watch(&e->report, report[0], EPOLLIN | EPOLLRDHUP)) {
    close(report[0]);
    begin(e);
  }
  return 0;
}

void process_spawn(uint32_t id, uint8_t *payload, size_t length) {
  struct command c;
  uint8_t step = STEP_COMMAND;
  /* A child of PID 1 would stay the app's after RUN, and not be ours to wait for. */
  int error = app_state() == APP_RUNS ? command_read(&c, payload, length) : ESRCH;
  if (error) {
    send_failed(id, error, step);
    return;
  }
  struct entry *e = entry_add(id, true);
  if (e) {
    e->in.closed = closed;
    e->report.run = report_run;
    for (int i = 0; i < 2; i++) {
      e->out[i].closed = output_closed;
      e->out[i].is_terminal = c.flags & COMMAND_FLAG_PTY;
    }
    error = start(e, &c, &step);
    if (error) {
      send_failed(id, error, step);
      entry_unlist(e);
    }
  }
  command_free(&c);
}

void process_signal(struct entry *e, int signal) {
  if (!e->exited) kill(e->pid, signal);
}

void process_end(struct entry *e) {
  process_signal(e, SIGKILL);
  kin_kill(e->pid);
}

void process_resize(struct entry *e, uint16_t cols, uint16_t rows) {
  struct winsize size = {.ws_col = cols, .ws_row = rows};
  int fd = e->output[0] >= 0 ? e->output[0] : e->out[0].source.fd;
  if (e->is_terminal && fd >= 0) ioctl(fd, TIOCSWINSZ, &size);
}

void process_input_end(struct entry *e) {
  struct termios mode;
  e->input_ended = true;
  /* A terminal has no end of its own: its reader is told in the terminal's way, where it listens to it. In raw mode it does not. */
  if (e->is_terminal && inlet_is_open(&e->in) && !tcgetattr(e->in.fd, &mode) && mode.c_lflag & ICANON) {
    uint8_t end[2] = {mode.c_cc[VEOF], mode.c_cc[VEOF]};
    bool is_new_line = !e->in.taken || e->in.last == '\n' || e->in.last == end[0] || (e->in.last == '\r' && mode.c_iflag & ICRNL);
    size_t length = is_new_line ? 1 : 2; /* the first only ends a line that was begun */
    if (e->in.allowance >= length) inlet_take(&e->in, end, length);
    return;
  }
  inlet_end(&e->in);
}

void process_hang_up(struct entry *e, uint8_t stream) {
  struct outlet *o = &e->out[stream == STREAM_STDERR];
  int *waiting = &e->output[stream == STREAM_STDERR];
  if (o->ended || (*waiting < 0 && !outlet_is_open(o))) return;
  if (e->is_terminal) inlet_close(&e->in); /* a terminal of which an end is open has not hung up */
  close_fd(waiting);
  outlet_close(o);
  o->stream = stream == STREAM_STDERR ? STREAM_STDERR : STREAM_STDOUT;
  o->ended = true;
  link_send(&relay, FROM_AGENT_EOF, e->id, &o->stream, 1);
  entry_settle(e);
}

void process_forget(struct entry *e) {
  if (inlet_is_open(&e->in)) inlet_end(&e->in);
  outlet_discard(&e->out[0]);
  outlet_discard(&e->out[1]);
  entry_unlist(e);
}

void process_reap(void) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    struct entry *e = entries();
    while (e && !(e->is_process && !e->exited && e->pid == pid)) e = e->next;
    if (!e) continue; /* an orphan of a process */
    if (e->starting) e->report.run(&e->report); /* its report comes first */
    e->status = status;
    e->exited = true;
    if (e->listed) tell_exit(e);
    entry_settle(e);
  }
}

void process_repeat(struct entry *e) {
  tell_counts(e);
  if (e->in.fd >= 0) inlet_renew(&e->in);
  for (int i = 0; i < 2; i++) outlet_renew(&e->out[i]);
  if (e->starting) return;
  tell_started(e);
  for (int i = 0; i < 2; i++)
    if (e->out[i].ended) link_send(&relay, FROM_AGENT_EOF, e->id, &e->out[i].stream, 1);
  if (e->exited) tell_exit(e);
}

bool process_is_gone(const struct entry *e) {
  return e->exited && e->report.fd < 0 && !inlet_is_open(&e->in) && !outlet_is_open(&e->out[0]) && !outlet_is_open(&e->out[1]);
}
