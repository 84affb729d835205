#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame.h"
#include "rights.h"
#include "say.h"
#include "user.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static struct rlimit files = {0};

int command_read(struct command *c, uint8_t *payload, size_t length) {
  memset(c, 0, sizeof *c);
  if (length < 10 + 3 || payload[length - 1]) return EBADMSG;
  c->flags = get16(payload);
  c->cols = get16(payload + 2);
  c->rows = get16(payload + 4);
  size_t argc = get16(payload + 6), envc = get16(payload + 8);
  if (!argc) return EBADMSG;
  char *at = (char *)payload + 10, *end = (char *)payload + length;
  size_t strings = 0;
  for (char *p = at; p < end; p++) strings += !*p;
  if (strings != 2 + argc + envc) return EBADMSG;
  c->argv = calloc(argc + 1 + envc + 3, sizeof(char *));
  if (!c->argv) return ENOMEM;
  c->env = c->argv + argc + 1;
  c->cwd = at;
  c->user = at += strlen(at) + 1;
  for (size_t i = 0; i < argc; i++) c->argv[i] = at += strlen(at) + 1;
  for (size_t i = 0; i < envc; i++) c->env[i] = at += strlen(at) + 1;
  return 0;
}

void command_free(struct command *c) {
  free(c->argv);
  c->argv = NULL;
}

void command_keep_limits(void) {
  if (getrlimit(RLIMIT_NOFILE, &files)) return;
  struct rlimit more = files;
  more.rlim_cur = more.rlim_max < 65536 ? more.rlim_max : 65536;
  if (more.rlim_cur > files.rlim_cur) setrlimit(RLIMIT_NOFILE, &more);
}

static const char *variable(char **env, const char *name) {
  size_t length = strlen(name);
  for (; *env; env++)
    if (!strncmp(*env, name, length) && (*env)[length] == '=') return *env + length + 1;
  return NULL;
}

static void add_variable(char **env, char *text) {
  while (*env) env++;
  *env = text;
}

/* Only returns where that failed. A file that is there and of which something is not has an errno of its own: its interpreter's. */
static int execute_file(const char *file, char **argv, char **env) {
  execve(file, argv, env);
  int error = errno;
  return error == ENOENT && !access(file, F_OK) ? ELIBACC : error;
}

/* Only returns where nothing could be executed: the errno that says most. */
static int execute(char **argv, char **env) {
  const char *name = argv[0];
  if (!*name) return ENOENT;
  if (strchr(name, '/')) return execute_file(name, argv, env);
  int error = ENOENT;
  for (const char *path = variable(env, "PATH");; path++) {
    size_t length = strcspn(path, ":");
    char file[PATH_MAX];
    size_t rest = sizeof file - length;
    if (length < sizeof file && join(file + length, rest, length ? "/" : "./", name, NULL)) {
      memcpy(file, path, length);
      int why = execute_file(file, argv, env);
      if (why == EACCES || why == ELIBACC) error = why;
      else if (why != ENOENT && why != ENOTDIR) return why;
    }
    path += length;
    if (!*path) return error;
  }
}

static void default_signals(void) {
  struct sigaction usual = {.sa_handler = SIG_DFL};
  for (int n = 1; n <= 64; n++) sigaction(n, &usual, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* /dev/stdout and its like can be opened by whoever owns the pipe or terminal. Where it cannot be given, all else works. */
static void give(int fd, const struct user *user) {
  struct stat about;
  if (fstat(fd, &about) || !(S_ISFIFO(about.st_mode) || isatty(fd))) return; /* /dev/null is everybody's */
  if (about.st_uid != user->uid && fchown(fd, user->uid, user->gid)) errno = 0;
}

struct failure command_become(struct command *c, const int stdio[3]) {
#define FAIL(what) return (struct failure){(uint32_t)errno, what}
  struct user user;
  int wrong = user_find(&user, c->user);
  if (wrong) return (struct failure){(uint32_t)wrong, STEP_USER};

  setsid(); /* fails for PID 1, which leads a session already */
  if (c->flags & COMMAND_FLAG_PTY && ioctl(stdio[0], TIOCSCTTY, 0)) FAIL(STEP_PTY);
  for (int i = 0; i < 3; i++) {
    give(stdio[i], &user);
    if (stdio[i] != i && dup2(stdio[i], i) < 0) FAIL(STEP_PIPE);
  }
  if (chdir("/")) FAIL(STEP_CWD);
  const char *cwd = *c->cwd ? c->cwd : "/";
  bool outside = chdir(cwd); /* as root first: a user may work in a folder that it could not walk to, as in the engine */
  if (outside && errno != EACCES) FAIL(STEP_CWD);
  if (!rights_forbid_reboot()) FAIL(STEP_PERMISSION);
  if (!user_become(&user)) FAIL(STEP_USER);
  if (!rights_drop_reboot()) FAIL(STEP_PERMISSION);
  if (outside && chdir(cwd)) FAIL(STEP_CWD);

  static char home[sizeof user.home + 5];
  if (!variable(c->env, "HOME")) {
    join(home, sizeof home, "HOME=", user.home, NULL);
    add_variable(c->env, home);
  }
  if (!variable(c->env, "PATH")) add_variable(c->env, (char *)"PATH=" DEFAULT_PATH);
  if (files.rlim_max) setrlimit(RLIMIT_NOFILE, &files);
  default_signals();
  return (struct failure){(uint32_t)execute(c->argv, c->env), STEP_EXEC};
#undef FAIL
}
