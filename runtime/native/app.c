/* RUN: PID 1 becomes the app, its fork goes on as the agent. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "command.h"

/* How long PID 1 waits until the reason of its failure is on its way; the container ends with it. */
#define LAST_WORDS_MS 2000

static enum app_state state = APP_NONE;
static pid_t pid = 1;
static struct failure failed; /* while APP_FAILED */
static int64_t failed_at;

static void report_run(struct source *source);
static struct source report = {.fd = -1, .run = report_run};

enum app_state app_state(void) {
  return state;
}

static void become(struct command *c, int agent) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  c->flags = 0;
  int stdio[3] = {null, 1, 2};
  struct failure why = {(uint32_t)errno, STEP_PIPE};
  if (null >= 0) why = command_become(c, stdio);
  /* The agent ends with PID 1: wait until it has passed the reason on. */
  struct pollfd told = {.fd = agent, .events = POLLIN};
  if (send(agent, &why, sizeof why, MSG_NOSIGNAL) == sizeof why) poll(&told, 1, LAST_WORDS_MS + 1000);
  _exit(why.error == ENOENT && why.step == STEP_EXEC ? 127 : 126);
}

/* Forks; the parent's wait() does not see the child: an app that waits for all its children must not wait for the agent. */
static pid_t fork_unseen(void) {
#ifdef MOORAGE_TEST
  return fork();
#else
  return (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
#endif
}

void app_run(uint8_t *payload, size_t length) {
  struct command c;
  int ends[2];
  int error = state == APP_NONE ? command_read(&c, payload, length) : EALREADY;
  if (error) {
    send_failed(0, error, STEP_COMMAND);
    return;
  }
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
    send_failed(0, errno, STEP_PIPE);
    command_free(&c);
    return;
  }
  pid = getpid();
  pid_t agent = fork_unseen();
  if (agent > 0) {
    close(ends[0]);
    become(&c, ends[1]);
  }
  close(ends[1]);
  command_free(&c);
  if (agent < 0) {
    send_failed(0, errno, STEP_FORK);
    close(ends[0]);
    return;
  }
  state = APP_STARTING;
  setsid(); /* a signal to the app's process group is not for us */
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* orphans of execs are ours, an app need not know of them */
  agent_watch_signals();
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, 1);
    dup2(null, 2);
    close(null);
  }
  if (!loop_watch(&report, ends[0], EPOLLIN | EPOLLRDHUP)) app_end(70);
}

static void report_run(struct source *s) {
  struct failure why;
  s->ready = 0;
  if (state == APP_FAILED) return;
  ssize_t n = recv(s->fd, &why, sizeof why, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return;
  if (n == sizeof why) {
    state = APP_FAILED;
    failed = why;
    failed_at = now_ms();
    app_repeat();
    return;
  }
  loop_close(s);
  state = APP_RUNS;
  uint8_t one[4];
  put32(one, 1);
  link_send(&relay, FROM_AGENT_STARTED, 0, one, sizeof one);
}

void app_repeat(void) {
  if (state == APP_FAILED) send_failed(0, (int)failed.error, failed.step);
}

int app_wait_ms(void) {
  return state == APP_FAILED ? 1 : -1;
}

/* Lets PID 1 go once the relay's side has all that we said. */
void app_tick(void) {
  int unsent = 0;
  if (state != APP_FAILED || report.fd < 0) return;
  bool told = link_up(&relay) && relay.head == relay.tail && !ioctl(relay.source.fd, SIOCOUTQ, &unsent) && !unsent;
  if (told || now_ms() - failed_at > LAST_WORDS_MS) loop_close(&report);
}

void app_signal(int signal) {
  if (state == APP_RUNS) kill(pid, signal);
}

void app_end(int code) {
#ifdef MOORAGE_TEST
  if (state != APP_NONE) kill(pid, SIGKILL);
#else
  /* In a PID namespace this ends its init, and with it everything; nothing in the container can catch or refuse it. */
  if (state != APP_NONE) {
    reboot(RB_POWER_OFF);
    kill(-1, SIGKILL); /* only where CAP_SYS_BOOT is missing */
  }
#endif
  _exit(code);
}
